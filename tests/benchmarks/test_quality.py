"""How good is it: ten uneven nights of every labelled set through the command line, scored.

pytest -m benchmark tests/benchmarks/test_quality.py -s
"""

from pathlib import Path

import pytest

from tests.benchmarks.command_line import run_tool, score_of
from tests.benchmarks.figures import AddFigure
from tests.conftest import CORPORA

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.skipif(not CORPORA.exists(), reason="the labelled speech is not beside this checkout"),
]
LEAST_F1 = 0.90  # 0.92 is the mean of other draws of the same sets
SETS = ("librispeech", "speechocean", "cremad", "emodb")
COLUMNS = ("b3_f1", "b3_precision", "b3_recall", "persistence", "speakers_true", "speakers_found", "missing")


def test_mean_f1_of_the_development_sets(home: Path, figure: AddFigure) -> None:
    for corpus in SETS:
        run_tool("lay_out", CORPORA / corpus, home / f"nights-{corpus}", "--uneven")
    scores = {corpus: score_of(home / f"nights-{corpus}", home / f"out-{corpus}", home, corpus) for corpus in SETS}
    mean = sum(score["b3_f1"] for score in scores.values()) / len(scores)
    lines = [f"| {corpus} | " + " | ".join(f"{score[c]:g}" for c in COLUMNS) + " |" for corpus, score in scores.items()]
    print("", "| set | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|", *lines, sep="\n")
    print(f"mean b3_f1 {mean:.3f}")
    figure("mean B-cubed F1 of four sets", mean, at_least=LEAST_F1)

    assert all(score["missing"] == 0 for score in scores.values())
