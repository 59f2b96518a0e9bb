"""What all benchmarks measured, in one table at the end of the run.

    pytest -m benchmark tests/benchmarks -s

A benchmark adds a figure of its own by asking for the fixture `figure`:

    def test_an_export_is_fast(figure: AddFigure) -> None:
        ...
        figure("export, nothing changed", taken_s, "s", at_most=20)

`at_least` and `at_most` are what is wanted, close to what the documents tell; without either a figure is told and not
judged. A figure that misses its bar says NOT, and its benchmark fails. The table is also written to the file that
REGISTRY_BENCH_TABLE names.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmarks.figures import AddFigure, Figure, table

FIGURES = pytest.StashKey[list[Figure]]()


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Iterator[AddFigure]:
    """Add a figure to the table; one that misses its bar fails the benchmark in the end."""
    figures = request.config.stash.setdefault(FIGURES, [])
    before = len(figures)
    yield AddFigure(request.path.stem.removeprefix("test_"), figures)
    missed = [one for one in figures[before:] if one.is_missed]
    if missed:
        pytest.fail(table(missed), pytrace=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table, and write it where it is wanted."""
    figures = config.stash.get(FIGURES, [])
    if not figures:
        return
    text = table(figures)
    terminalreporter.section("figures")
    terminalreporter.write_line(text)
    if path := os.environ.get("REGISTRY_BENCH_TABLE"):
        Path(path).write_text(text + "\n", encoding="utf-8")
