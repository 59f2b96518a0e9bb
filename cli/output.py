"""Print results: tables for people, JSON for scripts."""

import datetime as dt
import itertools
import json
import math
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from numbers import Number
from typing import TYPE_CHECKING

import click

from cli.terminal import VISIBLE, visible

if TYPE_CHECKING:
    from registry.core.records import Rejected
    from registry.database.check import Violation

IN_A_ROW = VISIBLE | {ord("\n"): "\\n", ord("\t"): "\\t"}  # a line break would tear it apart
MEASURED_ROWS = 1000  # by which a table is laid out; those that come later are laid out alike
MOST_SHOWN = 1000  # characters of a value in a table
UNESCAPED = {code: f"\\u{code:04x}" for code in VISIBLE if code >= 0x7F}  # noqa: PLR2004 - by JSON


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    footer: Sequence[object] = (),
    spare: Sequence[str] = (),
) -> None:
    """Print a table so that it fits the terminal, elsewhere a line for every row; numbers are set flush right.

    Args:
        columns: What stands above the rows.
        rows: A value for each column.
        footer: The last line, which is no row.
        spare: Columns that a narrow terminal is spared, the first first.
    """
    from cli import tables

    if not columns:
        return
    brief = ([_brief(value) for value in row] for row in rows)
    measured = list(itertools.islice(brief, MEASURED_ROWS))
    are_numbers = [_is_of_numbers([row[at] for row in measured]) for at in range(len(columns))]
    header, last = [shown(name) for name in columns], [shown(value) for value in footer]
    more = ([shown(value) for value in row] for row in brief)
    table = tables.Table(header, [[shown(value) for value in row] for row in measured], last, are_numbers, spare, more)
    screen = shutil.get_terminal_size().columns
    lines = tables.fitted(table, screen) if sys.stdout.isatty() else tables.plain(table)
    while some := list(itertools.islice(lines, MEASURED_ROWS)):
        click.echo("\n".join(some))


def _brief(value: object) -> object:
    """Cut what is too long for a table; a number stays one."""
    if isinstance(value, Number):
        return value
    words = as_text(value)
    return words if len(words) <= MOST_SHOWN else words[: MOST_SHOWN - 1] + "…"


def _is_of_numbers(column: Sequence[object]) -> bool:
    values = [value for value in column if value not in (None, "")]
    return bool(values) and all(isinstance(value, Number) for value in values)


def in_words(facts: Mapping[str, object]) -> dict[str, object]:
    """Call what scripts know by snake_case as people read it; a journal of old has words as they are."""
    return {name.replace("_", " "): value for name, value in facts.items()}


def print_facts(facts: Mapping[str, object], indent: str = "") -> None:
    """Print what is known by name, a line each; the parts of a list side by side."""
    for what, value in facts.items():
        words = ", ".join(map(as_text, value)) if isinstance(value, list | tuple) else value
        click.echo(f"{indent}{shown(what)}: {shown(words)}")


def shown(value: object) -> str:
    """Write a value so that it stays in its line, as wide as it will be on the terminal."""
    text = f"{value:.3f}" if isinstance(value, float) else as_text(value)
    return text.translate(IN_A_ROW)


def say(message: str, *, err: bool = False) -> None:
    """Print a message in a line; names that somebody else gave, which it may hold, cannot make it more."""
    click.echo(shown(message), err=err)


def say_in_lines(message: str, *, err: bool = False) -> None:
    """Print a message that has lines of its own, as a server's has; names in it were seen to.

    Click alone takes escape sequences out where no terminal is.
    """
    click.echo(visible(message), err=err)


def as_text(value: object) -> str:
    """Write a value of the database as text: nothing for NULL, JSON for lists and objects."""
    if value is None:
        return ""
    if isinstance(value, bool | list | dict):
        return json.dumps(_plain(value), ensure_ascii=False)
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"  # as PostgreSQL writes bytea
    return str(value)


def print_json(document: object) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(_plain(document), ensure_ascii=False, indent=2, allow_nan=False).translate(UNESCAPED))


def print_json_list(documents: Iterable[object]) -> None:
    """Print one JSON document, a list, as its items come."""
    written = (json.dumps(_plain(one), ensure_ascii=False, indent=2, allow_nan=False) for one in documents)
    lead = "[\n  "
    for item in written:
        click.echo(lead + item.translate(UNESCAPED).replace("\n", "\n  "), nl=False)
        lead = ",\n  "
    click.echo("[]" if lead.startswith("[") else "\n]")


def _plain(value: object) -> object:
    """Make a value one of JSON's: exact where it can be, else as PostgreSQL's to_json writes it."""
    match value:
        case None | bool() | int() | str():
            return value
        case float() | Decimal():
            return _number(value)
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case dt.date():
            return value.isoformat()
    return as_text(value)


def _number(value: float | Decimal) -> object:
    if not math.isfinite(value):
        return str(Decimal(value))  # NaN, Infinity: JSON has no numbers for them
    return int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else float(value)


def print_rejected(rejected: Sequence["Rejected"]) -> None:
    """Name on standard error what was rejected and why; what was for one cause many times, by a few of them."""
    from registry.core.rejections_in_brief import by_cause

    for alike in by_cause(rejected):
        for one in alike.shown:
            say(f"rejected {one.path!r}: {one.message} [{one.reason}]", err=True)
        if alike.more:
            click.echo(f"... and {alike.more} more like these [{alike.reason}]; --json lists all", err=True)


def print_broken(violations: Sequence["Violation"]) -> None:
    """Name the invariants that are broken, with the first rows that break them."""
    for violation in violations:
        click.echo(f"broken: {violation.invariant}: {[tuple(map(shown, row)) for row in violation.rows]}")
