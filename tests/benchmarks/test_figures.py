"""The table of figures says what was measured, what is wanted, and whether it is so."""

import pytest

from tests.benchmarks.figures import AddFigure, Figure, table


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
