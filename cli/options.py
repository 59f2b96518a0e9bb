"""Options that several commands share, and who is at the keyboard."""

import getpass
import shlex
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from registry.store.operations import Author

Command = TypeVar("Command", bound=Callable[..., Any])


def database_option(command: Command) -> Command:
    """Add --database, and -v for tracebacks."""
    command = click.option("-v", "--verbose", is_flag=True, expose_value=False, help="Show tracebacks.")(command)
    return click.option(
        "--database",
        metavar="URL|NAME",
        help="A PostgreSQL URL, or the name of a registry of its own in the embedded database."
        "  [default: $REGISTRY_DATABASE_URL, else the embedded database 'registry']",
    )(command)


def json_option(command: Command) -> Command:
    """Add --json."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


def author() -> "Author":
    """Tell who runs which command, for the journal."""
    from registry.store.operations import Author

    return Author(getpass.getuser(), shlex.join(["registry", *sys.argv[1:]]))
