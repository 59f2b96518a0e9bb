"""Options that several commands share, and who is at the keyboard."""

import getpass
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.output import say

if TYPE_CHECKING:
    from registry.database.reach import Database
    from registry.database.store.operations import Author

EMPTY = "the path is empty, as a variable that is not set is."
MOST_FOLDERS = 500  # in each other; Python itself makes no more
MODEL_HELP = "campplus, campplus-bf16, a Hugging Face id, a local checkpoint, or an .onnx file."
DATE = click.DateTime(formats=["%Y%m%d", "%Y-%m-%d"])  # of a night, or of a day in UTC
SHORT_ID = 8  # hex digits of an identity that tell registries apart for people
Command = TypeVar("Command", bound=Callable[..., Any])


MAY_HOLD_A_KEY = (
    "this URL holds what may be a secret. Names and keys belong where the tools of its kind look: ~/.aws, ~/.netrc."
)


def _refuse_odd(path: object, param: click.Parameter | None, ctx: click.Context | None) -> None:
    if path == "":
        raise click.BadParameter(EMPTY, ctx, param)
    if str(path).count("/") > MOST_FOLDERS:
        raise click.BadParameter("the path is longer than any disk has folders in folders.", ctx, param)


class LocalPath(click.Path):
    """A path; an empty one, as of a shell's variable that is not set, would be the current folder."""

    def __init__(self, *, file_okay: bool = True, dir_okay: bool = True) -> None:
        """Refuse what is there and is a file, or a folder, unless that is okay."""
        super().__init__(path_type=Path, file_okay=file_okay, dir_okay=dir_okay)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Make it a `Path`."""
        _refuse_odd(value, param, ctx)
        return super().convert(value, param, ctx)


class Address(click.Path):
    """A path or a URL; as a path, a URL would lose a slash."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Make it a `Path` or a `RemotePath`."""
        from registry.core.shown_addresses import holds_secret
        from registry.input.remote import is_remote, to_path

        _refuse_odd(value, param, ctx)
        if is_remote(str(value)) and holds_secret(str(value)):  # which messages, the journal and every clip would keep
            raise click.BadParameter(MAY_HOLD_A_KEY, ctx, param)
        return to_path(str(super().convert(value, param, ctx)))


def database_option(command: Command) -> Command:
    """Add --database, and -v for tracebacks."""
    return click.option(
        "--database",
        metavar="URL|NAME",
        help="A PostgreSQL URL, or the name of a registry of its own in the embedded database."
        "  [default: $REGISTRY_DATABASE_URL, else the embedded database 'registry']",
    )(verbose_option(command))


def verbose_option(command: Command) -> Command:
    """Add -v for tracebacks, which cli/main.py looks for by itself."""
    return click.option("-v", "--verbose", is_flag=True, expose_value=False, help="Show tracebacks.")(command)


def json_option(command: Command) -> Command:
    """Add --json."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


def new_option(command: Command) -> Command:
    """Add --new."""
    help_text = "Begin a new registry here: for the first night. Without it, one has to be there."
    return click.option("--new", is_flag=True, help=help_text)(command)


def link_option(command: Command) -> Command:
    """Add --link."""
    return click.option(
        "--link",
        "mode",
        type=click.Choice(["copy", "hardlink", "symlink"]),
        default="copy",
        show_default=True,
        help="Copy the files, or link to where they came from; what came from a URL is copied.",
    )(command)


def say_begun(opened: "Database") -> None:
    """Say aloud that there was no registry, and that there is one now."""
    if opened.begun is not None:
        say(f"made a new registry, {opened.begun[:SHORT_ID]}, in {opened.place}", err=True)


def work_options(command: Command) -> Command:
    """Add --runtime and --workers."""
    command = click.option(
        "--workers",
        type=click.IntRange(min=1),
        metavar="N",
        help="Clips to embed side by side.  [default: the cores that this process may use]",
    )(command)
    return click.option(
        "--runtime",
        type=click.Choice(["auto", "torch", "openvino"]),
        help="What runs the model.  [default: auto, OpenVINO for an ONNX file, torch on a GPU, else OpenVINO for"
        " campplus, else torch]",
    )(command)


def plan_options(command: Command) -> Command:
    """Add --plan and --save."""
    command = click.option(
        "--save",
        type=LocalPath(dir_okay=False),
        metavar="FILE",
        help="Save the plan, for `registry apply FILE`; implies --plan.",
    )(command)
    return click.option("--plan", "plan_only", is_flag=True, help="Show what would change and change nothing.")(command)


def own_name() -> str:
    """Give the word that runs this program in the shell it was called from: its path where `registry` is not found."""
    called = Path(sys.argv[0])
    found = shutil.which("registry")
    is_found = found is not None and Path(found).resolve() == called.resolve()
    return "registry" if is_found or called.name != "registry" else shlex.quote(sys.argv[0])


def author(words: "Sequence[str] | None" = None) -> "Author":
    """Tell who runs which command, for the journal, without the secrets of a URL.

    Args:
        words: Those of the command, by default those of the command line.
    """
    from registry.database.store.operations import Author

    command = shlex.join(["registry", *map(_without_secrets, sys.argv[1:] if words is None else words)])
    return Author(_user_name(), _as_utf8(command))


def _without_secrets(word: str) -> str:
    from registry.database.reach import without_password

    option, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
    return option + equals + without_password(value)


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number that has no name
        return str(os.getuid())


def _as_utf8(text: str) -> str:
    # Python keeps the bytes of an undecodable path as lone surrogates, which no database takes.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
