"""What all benchmarks measured, in one table at the end of the run.

    pytest -m benchmark tests/benchmarks -s

A benchmark adds a figure of its own by asking for the fixture `figure`:

    def test_an_export_is_fast(figure: AddFigure) -> None:
        ...
        figure("export, nothing changed", taken_s, "s", at_most=20)

`at_least` and `at_most` are what is wanted; without either a figure is told and not judged. A figure that misses its
bar says NOT and fails nothing: that is what an assertion is for. The table is also written to the file that
REGISTRY_BENCH_TABLE names.
"""

import os
from pathlib import Path

import pytest

from tests.benchmarks.figures import AddFigure, Figure, table

FIGURES = pytest.StashKey[list[Figure]]()


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> AddFigure:
    """Add a figure to the table."""
    figures = request.config.stash.setdefault(FIGURES, [])
    return AddFigure(request.path.stem.removeprefix("test_"), figures)


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
