"""The whole run is spread over processes; what is measured, shown or named stays in one; nothing is hurried."""

import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest

TESTS = Path(__file__).resolve().parents[1]
FOLDERS = sorted(path for path in TESTS.iterdir() if path.is_dir() and path != Path(__file__).parent)
ONE_TEST = ["-k", "test_the_licence_is_stated", *(f"--ignore={folder}" for folder in FOLDERS)]


@pytest.mark.parametrize(
    ("options", "is_spread"),
    [
        ([], True),
        (["-s"], False),
        (["-m", "benchmark"], False),
        (["tests/packaging"], False),
    ],
    ids=str,
)
def test_the_whole_run_is_spread_over_processes(tmp_path: Path, options: list[str], *, is_spread: bool) -> None:
    own = ["-p", "no:cacheprovider", f"--basetemp={tmp_path / 'own'}"]
    words = [sys.executable, "-m", "pytest", *own, *ONE_TEST, *options]
    done = subprocess.run(words, cwd=TESTS.parent, capture_output=True, text=True, check=False, timeout=60)

    assert "item" in done.stdout, done.stderr
    assert ("created: " in done.stdout) == is_spread


def test_an_example_may_take_as_long_as_a_busy_machine_needs() -> None:
    assert hypothesis.settings().deadline is None
