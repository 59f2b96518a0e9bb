"""Who is who by every sound: as it is, by telephone, GSM and Opus, in a room, in noise, mixed, and in small nights.

pip install -e '.[dev]', then pytest -m benchmark tests/benchmarks/test_sounds.py -s
It takes hours; -k picks a part: as_they_are, by_each_sound, mixed, small_nights, or the name of a set. The first run
embeds the labelled speech by each sound, which takes an hour; REGISTRY_BENCH_CACHE names the folder that keeps it.
REGISTRY_BENCH_PICTURE=tests/benchmarks/sounds.svg draws the sets by each sound, of those that were measured.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from math import isnan
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from registry.settings import linking_rule
from tests.benchmarks.both_genders import hear
from tests.benchmarks.command_line import run_tool, score_of
from tests.benchmarks.conditions import tool
from tests.benchmarks.figures import AddFigure
from tests.benchmarks.scores import bcubed, largest_mixed, one_number, precisions, score
from tests.benchmarks.sounds import AS_IT_IS, BY_SOUND, CASES, MIXED, SMALL, Case, Row, row_of
from tests.benchmarks.sounds_picture import draw
from tests.benchmarks.sounds_table import cells, sound_table
from tests.benchmarks.speech import SETS
from tests.benchmarks.told import told
from tests.benchmarks.trials import SHIPPED_RATE, Trial
from tests.conftest import CORPORA

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.skipif(not CORPORA.exists(), reason="the labelled speech is not beside this checkout"),
]

Measure = Callable[[Sequence[Case]], list[Row]]
COLUMNS = {"B-cubed F1": "f1", "precision": "precision", "its precision": "sound_precision", "one number": "one_number"}
MOST_MIXED = 0.1  # of a case that the documents do not tell
NEAR = 0.01  # how far below what is told a figure may be, as rounding on other machines has it


@pytest.fixture(scope="module")
def measure() -> Iterator[Measure]:
    """Measure some cases; all that were measured are one table at the end."""
    rows: dict[Case, Row] = {}

    def measure(cases: Sequence[Case]) -> list[Row]:
        for case in cases:
            rows[case] = row_of(case)
            print(" | ".join(cells(rows[case])), flush=True)
        return [rows[case] for case in cases]

    yield measure
    in_order = [rows[case] for case in CASES if case in rows]
    print("", sound_table(in_order), sep="\n")
    drawn = [row for row in in_order if row.case in (*AS_IT_IS, *BY_SOUND) and len(row.case.corpora) == 1]
    if drawn and (picture := os.environ.get("REGISTRY_BENCH_PICTURE")):
        draw(drawn, Path(picture))


def of(cases: Sequence[Case], pool: str) -> list[Case]:
    return [case for case in cases if case.pool == pool]


def pools(cases: Sequence[Case]) -> list[str]:
    return list(dict.fromkeys(case.pool for case in cases))


def hold(rows: Sequence[Row], figure: AddFigure) -> None:
    """Hold each row to what the documents tell of it; what they do not tell is told here."""
    for row in rows:
        name, wanted = f"{row.case.pool}, {row.case.heard}", told(row.case)
        for head, column in COLUMNS.items():
            value = getattr(row.measured, column)
            if not isnan(value):
                at_least = wanted[head] - NEAR if head in wanted else None
                figure(f"{name}: {head}", value, at_least=at_least)
        at_most = wanted["largest mixed"] + NEAR if wanted else MOST_MIXED
        figure(f"{name}: largest mixed", row.measured.largest_mixed, at_most=at_most)


@pytest.mark.parametrize("pool", pools(AS_IT_IS))
def test_as_they_are(pool: str, measure: Measure, figure: AddFigure) -> None:
    hold(measure(of(AS_IT_IS, pool)), figure)


@pytest.mark.parametrize("corpus", SETS)
def test_by_each_sound(corpus: str, measure: Measure, figure: AddFigure) -> None:
    hold(measure(of(BY_SOUND, corpus)), figure)


@pytest.mark.parametrize("pool", pools(MIXED))
def test_mixed(pool: str, measure: Measure, figure: AddFigure) -> None:
    """A telephone among studio voices."""
    hold(measure(of(MIXED, pool)), figure)


@pytest.mark.parametrize("pool", pools(SMALL))
def test_small_nights(pool: str, measure: Measure, figure: AddFigure) -> None:
    hold(measure(of(SMALL, pool)), figure)


def test_small_nights_are_drawn_as_lay_out_draws_them(tmp_path: Path) -> None:
    run_tool("lay_out", CORPORA / "emodb", tmp_path, "--per-night", 36, "--seed", 2)
    truth = pd.read_csv(tmp_path / "truth.csv", dtype=str)
    nights = Trial(("emodb",), seed=2, per_night=36).nights

    assert nights.speaker.tolist() == truth["speaker"].tolist()
    assert nights.night.tolist() == (pd.to_datetime(truth["date"]) - pd.Timestamp("2020-11-05")).dt.days.tolist()


def test_of_mixed_nights_those_clips_are_by_telephone_that_are_said_to_be() -> None:
    trial = Trial(("emodb",), seed=1, sound="telephone", which="even-nights")

    assert trial.has_sound.tolist() == (trial.nights.night % 2 == 1).tolist()
    assert trial.speech.narrowness.tolist() == trial.has_sound.astype(float).tolist()


def test_the_command_line_decides_the_same(home: Path, tmp_path: Path) -> None:
    """The registry in memory is true to the real one."""
    as_is, nights = tmp_path / "as-is", tmp_path / "nights"
    run_tool("lay_out", CORPORA / "emodb", as_is, "--uneven", "--seed", 1)
    run_tool("condition", as_is, nights, "--sound", "telephone", "--which", "even-nights", "--seed", 1)
    real = score_of(nights, tmp_path / "out", home, "mixed")
    trial = Trial(("emodb",), seed=1, sound="telephone", which="even-nights")
    found = hear(trial.nights, trial.speech, linking_rule(SHIPPED_RATE)).speakers
    speaker, gender = trial.nights.speaker, trial.nights.gender
    columns = {
        "b3_precision": bcubed(speaker, found).precision,
        "b3_recall": bcubed(speaker, found).recall,
        "persistence": score(speaker, found, trial.nights.night).persistence,
        "largest_mixed": largest_mixed(speaker, found, gender),
        "telephone_precision": precisions(speaker, found)[trial.has_sound].mean(),
        "one_number": one_number(speaker, found, trial.has_sound),
    }

    assert columns == pytest.approx({name: real[name] for name in columns}, abs=1e-4)


def test_scores_are_those_of_the_scoring_tool() -> None:
    rng = np.random.default_rng(1)
    truth, found = np.char.add("s", rng.integers(0, 9, 200).astype(str)), rng.integers(0, 12, 200)
    gender = np.where(truth < "s5", "F", "M")
    has_sound = rng.random(200) < 0.3
    columns = {"speaker": truth, "found": found, "gender": gender, "sound": np.where(has_sound, "telephone", "")}
    rows = pd.DataFrame(columns | {"clip": np.arange(200)})
    whole, by_sound = tool("score").clustering_scores(truth, found), tool("score").by_sound(rows)

    assert bcubed(truth, found).precision == pytest.approx(whole["b3_precision"])
    assert bcubed(truth, found).recall == pytest.approx(whole["b3_recall"])
    assert precisions(truth, found)[has_sound].mean() == pytest.approx(by_sound["telephone_precision"])
    assert one_number(truth, found, has_sound) == pytest.approx(by_sound["one_number"])
    assert largest_mixed(truth, found, gender) == pytest.approx(tool("score").largest_mixed(rows))


def test_who_is_who_in_the_end_hangs_on_the_last_night_alone() -> None:
    """So of small nights, which are many, only the last need be followed by a decision afresh."""
    trial = Trial(("emodb",), seed=1)
    rule = linking_rule(SHIPPED_RATE)
    often, once = (hear(trial.nights, trial.speech, rule, afresh_every_night=every) for every in (True, False))

    assert bcubed(often.speakers, once.speakers).f1 == 1
