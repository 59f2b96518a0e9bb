"""Tests are of the checkout that they lie in, whatever is installed: in their own process and in all others."""

import subprocess
import sys
from pathlib import Path

import pytest

import cli.main
from tests.fix_program import Machine

ROOT = Path(__file__).resolve().parents[2]
REGISTRY = Path(sys.executable).with_name("registry")
WHERE = """
import runpy, sys
sys.argv = [sys.argv[1], "--version"]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    print(sys.modules["cli.main"].__file__, sys.modules["registry"].__file__)
"""
OURS = f"{ROOT / 'cli' / 'main.py'} {ROOT / 'registry' / '__init__.py'}"


def test_the_tests_own_process_runs_the_checkout() -> None:
    assert Path(cli.main.__file__) == ROOT / "cli" / "main.py"


@pytest.mark.parametrize("folder", ["/", ROOT], ids=str)
def test_the_installed_command_runs_the_checkout(folder: str | Path) -> None:
    """Wherever it is started; a copy of the packages that was installed earlier is passed by."""
    words = [sys.executable, "-c", WHERE, str(REGISTRY)]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == OURS


def test_the_command_of_a_shell_that_knows_nothing_runs_the_checkout(machine: Machine) -> None:
    program = machine.folder / "registry"
    done = machine.shell(f'{sys.executable} -c "$WHERE" {program}', WHERE=WHERE)

    assert done.stdout.splitlines()[-1] == OURS


def test_developers_install_a_link_to_the_checkout() -> None:
    """So that also what they run by hand is the checkout."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert "\npython3 -m venv .venv && .venv/bin/pip install -e '.[dev]' && " in readme
