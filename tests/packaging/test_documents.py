"""What is said twice is compared: documents and commands, documents and files, docstrings and functions."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import click
import pytest

from cli.main import commands
from registry.core.rejections import REASONS
from registry.database.embedded.binaries import programs
from tests.documents import ALL_TEXT, DOCUMENTS, ROOT, Document

README = (ROOT / "README.md").read_text(encoding="utf-8")
VIEWS = (ROOT / "registry" / "database" / "views.sql").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
MARKERS = {line.partition(":")[0] for line in PROJECT["tool"]["pytest"]["ini_options"]["markers"]}
LIBRARY = sorted((ROOT / "registry").rglob("*.py"))
CODE_OF_OURS = [*LIBRARY, *(ROOT / "cli").rglob("*.py"), *(ROOT / "tests").rglob("*.py"), ROOT / "docker-compose.yml"]
MOST_LINES = 240  # of the first page: what one reads at a sitting
each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)


def leaves(group: click.Group, *path: str) -> Iterator[tuple[str, ...]]:
    """List every command by the words that call it."""
    for name, command in group.commands.items():
        yield from leaves(command, *path, name) if isinstance(command, click.Group) else [(*path, name)]


def found(words: Sequence[str]) -> tuple[click.Command, list[str]]:
    """Find the command that some words call; give what follows it, too."""
    command: click.Command = commands
    rest = list(words)
    while isinstance(command, click.Group) and rest and rest[0] in command.commands:
        command = command.commands[rest.pop(0)]
    return command, rest


def options_of(command: click.Command) -> set[str]:
    with click.Context(command) as context:
        return {option for parameter in command.get_params(context) for option in parameter.opts}


def options_in(words: Sequence[str]) -> list[str]:
    """List the options among some words, without values and the brackets of what may be left out."""
    bare = [word.strip("[]") for word in words]
    return [word.partition("=")[0] for word in bare if re.match(r"--?[a-z]", word)]


ALL_OPTIONS = options_of(commands).union(*(options_of(found(path)[0]) for path in leaves(commands)))


def check_registry(words: Sequence[str]) -> None:
    """Parse a line as the command itself does."""
    command, rest = found(words)
    assert not isinstance(command, click.Group)
    command.make_context(" ".join(words), rest)


def check_pip(words: Sequence[str]) -> None:
    for word in words:
        extras = re.match(r"\.\[([\w,]+)\]", word)
        assert extras is None or set(extras[1].split(",")) <= set(EXTRAS)
        assert not word.startswith(".ci/") or (ROOT / word).exists()


def check_pytest(words: Sequence[str]) -> None:
    given = dict(pairwise(words))
    assert given.get("-m", "benchmark") in MARKERS
    assert [word for word in words if word.startswith("tests") and not (ROOT / word).exists()] == []


def check_python(words: Sequence[str]) -> None:
    assert list(words) == ["-m", "venv", ".venv"]


def check_ray(words: Sequence[str]) -> None:
    scripts = pytest.importorskip("ray.scripts.scripts")
    command = scripts.cli.commands[words[0]]
    command.make_context(words[0], list(words[1:]))


def check_docker(words: Sequence[str]) -> None:
    assert list(words[:2]) == ["compose", "up"]
    assert (ROOT / "docker-compose.yml").exists()


def check_postgres(name: str) -> Callable[[Sequence[str]], None]:
    """Check options against what a program of PostgreSQL says of itself."""

    def check(words: Sequence[str]) -> None:
        said = subprocess.run([programs() / name, "--help"], capture_output=True, text=True, check=True).stdout
        assert [option for option in options_in(words) if option not in said] == []

    return check


def check_tool(name: str) -> Callable[[Sequence[str]], None]:
    """Check that a program of the developers' environment takes such a command."""

    def check(words: Sequence[str]) -> None:
        asked: list[str | Path] = [Path(sys.executable).with_name(name), *words[:1], "--help"]
        assert subprocess.run(asked, capture_output=True, check=False).returncode == 0

    return check


def check_nothing(_words: Sequence[str]) -> None:
    """Take what only sets a variable, or asks the database by what stands inside."""


CHECKS: dict[str, Callable[[Sequence[str]], None]] = {
    "registry": check_registry,
    "pip": check_pip,
    "pytest": check_pytest,
    "python3": check_python,
    "ray": check_ray,
    "docker": check_docker,
    "pg_dump": check_postgres("pg_dump"),
    "pg_restore": check_postgres("pg_restore"),
    "ruff": check_tool("ruff"),
    "mypy": check_tool("mypy"),
    "export": check_nothing,
    "psql": check_nothing,
}


def program_of(word: str) -> str:
    return word.rpartition("/")[2]


@each_document
def test_every_command_that_stands_in_a_block_can_be_run(document: Document) -> None:
    """A program of which nothing is known here is a KeyError: say in `CHECKS` how its lines are held."""
    for line in document.shell_lines():
        CHECKS[program_of(line[0])](line[1:])


@each_document
def test_every_registry_command_inside_another_one_or_in_a_file_for_cron_or_systemd_can_be_run(
    document: Document,
) -> None:
    for line in document.embedded_lines():
        check_registry(line[1:])


@each_document
def test_every_command_that_is_named_in_the_text_exists_and_has_the_options_named_with_it(document: Document) -> None:
    for span in document.spans():
        words = span.split()
        if words[0] == "registry" and words[1:]:
            command, rest = found(words[1:])

            assert (rest[:1] and rest[0].startswith("-")) or not isinstance(command, click.Group) or not rest
            assert set(options_in(rest)) <= options_of(command) | {"--help"}, span


@each_document
def test_every_option_that_is_named_by_itself_is_one_of_a_command(document: Document) -> None:
    by_themselves = [option for span in document.spans() if span.startswith("-") for option in options_in(span.split())]

    assert set(by_themselves) <= ALL_OPTIONS | {"--help"}


@each_document
def test_every_line_for_another_program_in_the_text_can_be_run(document: Document) -> None:
    for span in document.spans():
        words = span.replace("'", "").split()
        if len(words) > 1 and program_of(words[0]) in CHECKS and words[0] != "registry":
            CHECKS[program_of(words[0])](words[1:])


@pytest.mark.parametrize("path", sorted(leaves(commands)), ids=" ".join)
def test_every_command_is_in_a_document(path: tuple[str, ...]) -> None:
    """One of a group may stand by its last name beside another of the group."""
    whole, last = f"`registry {' '.join(path)}", f"`{path[-1]}`"

    assert any(whole in document.text or (len(path) > 1 and last in document.text) for document in DOCUMENTS)


@pytest.mark.parametrize("name", re.findall(r"^CREATE OR REPLACE (?:VIEW|FUNCTION) (\w+)", VIEWS, re.MULTILINE))
def test_every_view_and_function_is_in_a_document(name: str) -> None:
    assert re.search(rf"^\| `{name}[`(]", ALL_TEXT, re.MULTILINE)


@each_document
def test_every_link_between_documents_leads_somewhere(document: Document) -> None:
    pages = {page.path: page for page in DOCUMENTS}
    for link in document.links():
        place, _, anchor = link.partition("#")
        target = (document.path.parent / place).resolve() if place else document.path

        assert "://" in link or target.exists(), link
        assert not anchor or "://" in link or anchor in pages[target].anchors(), link


def test_every_document_is_reached_from_the_first() -> None:
    pages = {page.path: page for page in DOCUMENTS}
    reached, left = set[Path](), [ROOT / "README.md"]
    while left:
        page = left.pop()
        if page in pages and page not in reached:
            reached.add(page)
            left += [(page.parent / link.partition("#")[0]).resolve() for link in pages[page].links()]

    assert reached == set(pages)


@each_document
def test_every_part_of_the_repository_that_is_named_is_there(document: Document) -> None:
    named = [
        span for span in document.spans() if re.fullmatch(r"(registry|cli|tests|migrations|\.ci|\.github)/\S*", span)
    ]

    assert [path for path in named if not list(ROOT.glob(path.rstrip("/")))] == []


@each_document
def test_every_variable_of_the_environment_that_is_named_is_read_somewhere(document: Document) -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in CODE_OF_OURS)

    assert {name for name in re.findall(r"\bREGISTRY_[A-Z_]+\b", document.text) if name not in code} == set()


def test_the_first_page_is_read_at_a_sitting() -> None:
    assert len(README.splitlines()) <= MOST_LINES


def test_the_readme_has_the_two_commands_that_the_gate_runs() -> None:
    installs = re.findall(r"^```sh\n(python3 -m venv .*)\n```$", README, re.MULTILINE)

    assert [command.rsplit("/", 1)[1] for command in installs] == ["registry demo", "pytest --cov"]


@pytest.mark.parametrize(("command", "extra"), [("ingest", "s3"), ("ingest", "ray")])
def test_every_extra_that_a_command_may_need_is_in_its_help_the_readme_and_the_package(
    command: str, extra: str
) -> None:
    told = f"pip install '.[{extra}]'"
    said = " ".join(commands.commands[command].get_help(click.Context(commands.commands[command])).split())

    assert told in said
    assert told in README
    assert extra in EXTRAS


@pytest.mark.parametrize("mode", ["hardlink", "symlink"])
def test_the_documents_and_the_help_say_what_is_not_linked(mode: str) -> None:
    link = next(option for option in commands.commands["export"].params if option.name == "mode")

    assert isinstance(link.type, click.Choice)
    assert mode in link.type.choices
    assert "what came from a URL is copied" in str(getattr(link, "help", ""))
    assert "instead of copies, but for what came from `s3://`, which is copied" in " ".join(ALL_TEXT.split())


def test_the_page_about_input_lists_the_reasons_for_rejection_as_the_code_does() -> None:
    [page] = [document for document in DOCUMENTS if document.name == "registry/input/README.md"]
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (.+) \|$", page.text, re.MULTILINE))

    assert rows == REASONS


def public_definitions(path: Path) -> list[ast.FunctionDef | ast.ClassDef]:
    module = ast.parse(path.read_text(encoding="utf-8"))
    top = [node for node in module.body if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_"]
    classes = [node for node in top if isinstance(node, ast.ClassDef)]
    methods = [method for node in classes for method in node.body if isinstance(method, ast.FunctionDef)]
    return top + [method for method in methods if method.name[0] != "_"]


@pytest.mark.parametrize("path", LIBRARY, ids=[str(path.relative_to(ROOT)) for path in LIBRARY])
def test_everything_public_has_a_docstring(path: Path) -> None:
    assert [node.name for node in public_definitions(path) if not ast.get_docstring(node)] == []
