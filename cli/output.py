"""Print results: tables for people, JSON for scripts."""

import datetime as dt
import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from numbers import Number
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from registry.core.records import Rejected

# Line breaks would tear a row apart, escape sequences take the terminal over.
CONTROL = {code: repr(chr(code))[1:-1] for code in (*range(0x20), *range(0x7F, 0xA0))}


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], footer: Sequence[object] = ()) -> None:
    """Print a table; numbers are set flush right."""
    listed = [list(row) for row in rows]
    are_numbers = [any(isinstance(row[at], Number) for row in listed) for at in range(len(columns))]
    lines = [[shown(value) for value in row] for row in (columns, *listed, *([footer] if footer else []))]
    if sys.stdout.isatty():
        _print_folded(lines, are_numbers, has_footer=bool(footer))
    else:
        _print_lines(lines, are_numbers)


def _print_lines(lines: Sequence[Sequence[str]], are_numbers: Sequence[bool]) -> None:
    """Print every row as one line, however long; rich would take minutes for a million."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    formats = [f"{{:{'>' if right else '<'}{width}}}" for right, width in zip(are_numbers, widths, strict=True)]
    row = "  ".join(formats)
    click.echo("\n".join(row.format(*line).rstrip() for line in lines))


def _print_folded(lines: Sequence[Sequence[str]], are_numbers: Sequence[bool], *, has_footer: bool) -> None:
    """Print a table that fits the terminal, with long values on several lines."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    header, *rows = lines
    footer = rows.pop() if has_footer else [""] * len(header)
    table = Table(box=box.SIMPLE, show_footer=has_footer, pad_edge=False)
    for name, end, right in zip(header, footer, are_numbers, strict=True):
        table.add_column(Text(name), Text(end), justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console(highlight=False)
    with console.capture() as printed:
        console.print(table)
    click.echo(printed.get(), nl=False)  # rich by itself would end the process when the reader is gone


def print_facts(facts: Mapping[str, object], indent: str = "") -> None:
    """Print what is known by name, a line each; the parts of a list side by side."""
    for what, value in facts.items():
        words = ", ".join(map(as_text, value)) if isinstance(value, list | tuple) else value
        click.echo(f"{indent}{shown(what)}: {shown(words)}")


def shown(value: object) -> str:
    """Write a value so that it stays in its line and does nothing to the terminal."""
    text = f"{value:.3f}" if isinstance(value, float) else as_text(value)
    return text.translate(CONTROL)


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
    click.echo(json.dumps(_plain(document), ensure_ascii=False, indent=2, allow_nan=False))


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
    from registry.core.rejections import by_cause

    for alike in by_cause(rejected):
        for one in alike.shown:
            click.echo(f"rejected {one.path!r}: {one.message} [{one.reason}]", err=True)
        if alike.more:
            click.echo(f"... and {alike.more} more like these [{alike.reason}]; --json lists all", err=True)
