"""How good linking is, beside the rules that others publish: their scores, the knob, the order of the nights.

pip install '.[bench]', then pytest -m benchmark tests/benchmarks/test_linking.py -s
The first run embeds the labelled speech, which takes minutes; REGISTRY_BENCH_CACHE names the folder that keeps it.
REGISTRY_BENCH_PICTURE=tests/benchmarks/linking.svg draws the first table too.
"""

import os
import warnings
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from tests.benchmarks.command_line import run_tool
from tests.benchmarks.linking_picture import draw
from tests.benchmarks.linking_table import false_joins, knob_table, order_table, score_table
from tests.benchmarks.rivals import RIVALS, Rival
from tests.benchmarks.trials import (
    EACH,
    POOLED,
    POOLED_IN_NOISE,
    SHIPPED_RATE,
    Finder,
    Line,
    Trial,
    as_published,
    history,
    in_other_orders,
    measure,
    on_signed,
    scored,
    tuned,
)
from tests.conftest import CORPORA

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.skipif(not CORPORA.exists(), reason="the labelled speech is not beside this checkout"),
]

# The registry's own rows, first what one gets who does nothing; another mode is another entry.
PRODUCT: dict[str, Finder] = {
    "**registry, nightly**": lambda trial: history(trial).nightly,
    "**registry, nightly, then `consolidate`**": lambda trial: history(trial).consolidated,
    "**registry, nightly, then `consolidate --full`**": lambda trial: history(trial).reclustered,
}
RATES = (0.05, 0.01)
POOLS = {"clean": POOLED, "noise 15 dB": POOLED_IN_NOISE}

HOW_JOINS_ARE_COUNTED = """
A speaker that a night or a consolidation makes of k pieces (clips of the night; stored speakers, each taken for the
voice of most of its clips) took k - 1 joins: clip to clip, cluster to stored speaker, stored to stored. Of these as
many are false as there are voices among the pieces after the first: the fewest that lead there, in whatever order.
"""


@cache
def product_lines() -> list[Line]:
    return [measure(name, find) for name, find in PRODUCT.items()]


@cache
def rival_lines() -> list[Line]:
    for rival in RIVALS:
        if rival.missing:
            print(f"\nleft out: {rival.name}, for want of {', '.join(rival.missing)}: pip install '.[bench]'")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Tensorflow not installed", ImportWarning)  # umap does without
        return [line for rival in RIVALS if not rival.missing for line in lines_of(rival)]


def lines_of(rival: Rival) -> list[Line]:
    """Measure a rule as published, and as good as it gets on the embeddings that the registry has."""
    if rival.cut is None:
        signed = measure(f"{rival.name} (signed)", on_signed(rival), is_tuned=True)
        return [measure(rival.name, as_published(rival)), signed]
    cut = tuned(rival)
    return [
        measure(f"{rival.name}, {rival.cut:.2f}", as_published(rival)),
        measure(f"{rival.name}, {cut:.2f} (tuned here)", on_signed(rival, cut), is_tuned=True),
    ]


@cache
def joins_at(condition: str, rate: float) -> tuple[int, int]:
    """Count the false joins and all joins of the nights and of the consolidation after them, all seeds together."""
    histories = [history(trial, rate) for trial in POOLS[condition]]
    return false_joins(union for one in histories for union in one.unions)


@cache
def print_scores() -> None:
    lines = [*product_lines(), *rival_lines()]
    print("", score_table(lines), sep="\n")
    picture = os.environ.get("REGISTRY_BENCH_PICTURE")
    if picture:
        draw(lines, len(PRODUCT), Path(picture))


@pytest.mark.parametrize(("is_tuned", "ahead"), [(False, 0.05), (True, 0.01)], ids=["as published", "tuned here"])
def test_better_than_every_published_rule(is_tuned: bool, ahead: float) -> None:
    """Also than with the one cut that suits these sets best, which nobody has who has no labels."""
    print_scores()
    rivals = {line.rule: line.mean_f1 for line in rival_lines() if line.is_tuned == is_tuned}
    best = max(rivals, key=lambda rule: rivals[rule])

    assert product_lines()[0].mean_f1 >= rivals[best] + ahead, best


def test_nights_are_drawn_as_lay_out_draws_them(tmp_path: Path) -> None:
    run_tool("lay_out", CORPORA / "emodb", CORPORA / "cremad", tmp_path, "--uneven", "--seed", 2)
    truth = pd.read_csv(tmp_path / "truth.csv", dtype=str)
    nights = Trial(("emodb", "cremad"), seed=2).nights

    assert nights.speaker.tolist() == truth["speaker"].tolist()
    assert nights.gender.tolist() == truth["gender"].tolist()
    assert [f"202011{5 + night:02d}" for night in nights.night] == truth["date"].tolist()


def test_no_set_is_far_below_the_mean() -> None:
    line = product_lines()[0]

    assert line.mean_f1 >= 0.91
    assert line.worst_f1 >= 0.80


def test_print_what_the_knob_does() -> None:
    joins = {
        (condition, rate): joins_at(condition, rate) for condition in POOLS for rate in sorted({*RATES, SHIPPED_RATE})
    }
    print("", knob_table(joins), HOW_JOINS_ARE_COUNTED, sep="\n")

    assert joins["clean", 0.01][1] < joins["clean", 0.05][1]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("condition", POOLS)
def test_the_knob_means_what_it_says(condition: str, rate: float) -> None:
    false, made = joins_at(condition, rate)

    assert rate / 2 <= false / made <= rate * 2


def test_the_order_of_nights_hardly_matters() -> None:
    changes: dict[tuple[str, str], list[float]] = {}
    for name, find in PRODUCT.items():
        for trial in (*EACH, *POOLED):
            f1 = scored(trial, find).f1
            corpora = trial.corpora[0] if trial in EACH else "pooled"
            changed = [abs(scored(other, find).f1 - f1) for other in in_other_orders(trial)]
            changes.setdefault((name, corpora), []).extend(changed)
    print("", order_table(changes), sep="\n")

    assert max(changes[list(PRODUCT)[-1], "pooled"]) < 0.02
