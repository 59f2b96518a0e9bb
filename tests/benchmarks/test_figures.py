"""The table of figures says what was measured, what is wanted, and whether it is so."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.figures import AddFigure, Figure, table
from tests.benchmarks.sounds import AS_IT_IS, BY_SOUND, MIXED, SMALL
from tests.benchmarks.told import told

BENCHMARKS = """
def test_as_wanted(figure): figure("ingest", 7, at_least=7)
def test_too_slow(figure): figure("export", 6.1, "s", at_most=6)
def test_told(figure): figure("scan", 2)
"""


@pytest.mark.parametrize(
    ("value", "at_least", "at_most", "bar", "verdict"),
    [
        (7.0, 7, None, ">= 7", "as wanted"),
        (6.9, 7, None, ">= 7", "NOT"),
        (20.0, None, 20, "<= 20", "as wanted"),
        (20.1, None, 20, "<= 20", "NOT"),
        (0.5, 0, 1, ">= 0, <= 1", "as wanted"),
        (float("nan"), 7, None, ">= 7", "NOT"),
        (float("nan"), None, None, "", ""),
    ],
)
def test_a_figure_is_judged_by_its_bar(
    value: float, at_least: float | None, at_most: float | None, bar: str, verdict: str
) -> None:
    figure = Figure("throughput", "ingest", value, "x", at_least, at_most)

    assert (figure.bar, figure.verdict) == (bar, verdict)


def test_figures_stand_by_benchmark_each_in_the_order_measured() -> None:
    figures: list[Figure] = []
    AddFigure("throughput", figures)("loop", 0.02312, "s")
    AddFigure("memory", figures)("ingest", 143, "MiB", at_most=1536)
    AddFigure("throughput", figures)("ingest", 0.0087, "s")

    assert table(figures).splitlines() == [
        "benchmark   figure  measured  unit  wanted",
        "memory      ingest  143       MiB   <= 1536  as wanted",
        "throughput  loop    0.02312   s",
        "throughput  ingest  0.0087    s",
    ]


def test_a_figure_that_misses_its_bar_fails_its_benchmark(tmp_path: Path) -> None:
    (tmp_path / "test_made_up.py").write_text(BENCHMARKS)
    words = [
        "pytest",
        "-c",
        "/dev/null",
        "-p",
        "tests.benchmarks.conftest",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
    ]
    done = subprocess.run([sys.executable, "-m", *words, tmp_path], capture_output=True, text=True, check=False)

    errors = [line for line in done.stdout.splitlines() if line.startswith("ERROR ")]
    failed = [line.partition(" - ")[0].rpartition("::")[2] for line in errors]  # in CI a cause follows
    assert (done.returncode, failed) == (1, ["test_too_slow"])
    assert "made_up    export  6.1       s     <= 6    NOT" in done.stdout


def test_the_documents_tell_what_each_benchmark_of_sounds_is_held_to() -> None:
    singles, pools = [case for case in AS_IT_IS if len(case.corpora) == 1], [*AS_IT_IS, *SMALL]

    assert [
        case for case in (*singles, *BY_SOUND, *MIXED) if not {"B-cubed F1", "largest mixed"} <= told(case).keys()
    ] == []
    assert sum(bool(told(case)) for case in pools) >= 25
