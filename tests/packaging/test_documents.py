"""What is said twice is compared: README and commands, README and views, docstrings and functions."""

import ast
import re
import tomllib
from pathlib import Path

import click
import pytest

from cli.main import commands

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
VIEWS = (ROOT / "registry" / "database" / "views.sql").read_text(encoding="utf-8")
LIBRARY = sorted((ROOT / "registry").rglob("*.py"))


def test_the_readme_has_the_two_commands_that_the_gate_runs() -> None:
    installs = re.findall(r"^```sh\n(python3 -m venv .*)\n```$", README, re.MULTILINE)

    assert [command.rsplit("/", 1)[1] for command in installs] == ["registry demo", "pytest --cov"]


@pytest.mark.parametrize("name", sorted(commands.commands))
def test_every_command_is_in_the_readme(name: str) -> None:
    assert f"`registry {name}" in README


@pytest.mark.parametrize("name", sorted(commands.commands["database"].commands))  # type: ignore[attr-defined]
def test_every_database_command_is_in_the_readme(name: str) -> None:
    assert re.search(rf"`(registry database )?{name}`", README)


@pytest.mark.parametrize("name", re.findall(r"^CREATE OR REPLACE (?:VIEW|FUNCTION) (\w+)", VIEWS, re.MULTILINE))
def test_every_view_and_function_is_in_the_readme(name: str) -> None:
    assert name in README


@pytest.mark.parametrize("option", ["--strict", "--link", "--broadcaster", "--from", "--to", "--model", "--json"])
def test_every_option_that_the_readme_names_exists(option: str) -> None:
    given = {name for command in commands.commands.values() for p in command.params for name in p.opts}

    assert option in given
    assert option in README


@pytest.mark.parametrize(("command", "extra"), [("ingest", "s3"), ("ingest", "ray")])
def test_every_extra_that_a_command_may_need_is_in_its_help_the_readme_and_the_package(
    command: str, extra: str
) -> None:
    told = f"pip install '.[{extra}]'"
    said = " ".join(commands.commands[command].get_help(click.Context(commands.commands[command])).split())

    assert told in said
    assert told in README
    assert (
        extra
        in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    )


@pytest.mark.parametrize("mode", ["hardlink", "symlink"])
def test_the_readme_and_the_help_say_what_is_not_linked(mode: str) -> None:
    link = next(option for option in commands.commands["export"].params if option.name == "mode")

    assert isinstance(link, click.Option)
    assert isinstance(link.type, click.Choice)
    assert mode in link.type.choices
    assert "what came from a URL is copied" in str(link.help)
    assert "instead of copies, but for what came from `s3://`, which is copied" in " ".join(README.split())


def public_definitions(path: Path) -> list[ast.FunctionDef | ast.ClassDef]:
    module = ast.parse(path.read_text(encoding="utf-8"))
    top = [node for node in module.body if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_"]
    classes = [node for node in top if isinstance(node, ast.ClassDef)]
    methods = [method for node in classes for method in node.body if isinstance(method, ast.FunctionDef)]
    return top + [method for method in methods if method.name[0] != "_"]


@pytest.mark.parametrize("path", LIBRARY, ids=[str(path.relative_to(ROOT)) for path in LIBRARY])
def test_everything_public_has_a_docstring(path: Path) -> None:
    assert [node.name for node in public_definitions(path) if not ast.get_docstring(node)] == []
