"""How good is it: ten uneven nights of every labelled set through the command line, scored.

pytest -m benchmark tests/benchmarks/test_quality.py -s
"""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.benchmarks.figures import AddFigure
from tests.conftest import CORPORA

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.skipif(not CORPORA.exists(), reason="the labelled speech is not beside this checkout"),
]
REGISTRY = Path(sysconfig.get_path("scripts")) / "registry"
LEAST_F1 = 0.80
SETS = ("librispeech", "speechocean", "cremad", "emodb")
COLUMNS = ("b3_f1", "b3_precision", "b3_recall", "persistence", "speakers_true", "speakers_found", "missing")


def score_of(corpus: str, home: Path) -> dict[str, float]:
    nights, out = home / f"nights-{corpus}", home / f"out-{corpus}"
    environment = {**os.environ, "REGISTRY_HOME": str(home)}
    lay_out = [sys.executable, CORPORA / "lay_out.py", CORPORA / corpus, nights, "--uneven"]
    subprocess.run(lay_out, check=True, capture_output=True)
    for at, night in enumerate(sorted(nights.glob("night-*"))):
        ingest = [REGISTRY, "ingest", night, "--database", corpus, *(["--new"] if at == 0 else [])]
        subprocess.run(ingest, check=True, capture_output=True, env=environment)
    export = [REGISTRY, "export", out, "--database", corpus]
    subprocess.run(export, check=True, capture_output=True, env=environment)
    score = [sys.executable, CORPORA / "score.py", nights, out, "--json"]
    return dict(json.loads(subprocess.run(score, check=True, capture_output=True).stdout))


def test_mean_f1_of_the_development_sets(home: Path, figure: AddFigure) -> None:
    scores = {corpus: score_of(corpus, home) for corpus in SETS}
    mean = sum(score["b3_f1"] for score in scores.values()) / len(scores)
    lines = [f"| {corpus} | " + " | ".join(f"{score[c]:g}" for c in COLUMNS) + " |" for corpus, score in scores.items()]
    print("", "| set | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|", *lines, sep="\n")
    print(f"mean b3_f1 {mean:.3f}")
    figure("mean B-cubed F1 of four sets", mean, at_least=LEAST_F1)

    assert all(score["missing"] == 0 for score in scores.values())
    assert mean >= LEAST_F1
