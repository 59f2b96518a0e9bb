"""Print results: tables for people, JSON for scripts."""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from registry.core.records import Rejected

SHOWN_REJECTED = 50  # in a table; --json lists all of them
WIDE = 10_000  # columns, where output is no terminal: a row stays a line


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], footer: Sequence[object] = ()) -> None:
    """Print a table; numbers are set flush right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    listed = [list(row) for row in rows]
    table = Table(box=box.SIMPLE, show_footer=bool(footer), pad_edge=False)
    for position, name in enumerate(columns):
        is_number = any(isinstance(row[position], int | float) for row in listed)
        end = _shown(footer[position]) if footer else ""
        table.add_column(Text(name), Text(end), justify="right" if is_number else "left", overflow="fold")
    for row in listed:
        table.add_row(*(Text(_shown(value)) for value in row))
    console = Console(highlight=False)
    console.width = console.width if console.is_terminal else WIDE
    console.print(table)


def _shown(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def print_json(document: object) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(document, default=_plain, ensure_ascii=False, indent=2))


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dt.date | Path):
        return str(value)
    return repr(value)


def print_rejected(rejected: Sequence["Rejected"]) -> None:
    """Name on standard error what was rejected and why."""
    for one in rejected[:SHOWN_REJECTED]:
        click.echo(f"rejected {one.path!r}: {one.message} [{one.reason}]", err=True)
    if len(rejected) > SHOWN_REJECTED:
        click.echo(f"... and {len(rejected) - SHOWN_REJECTED} more; --json lists all", err=True)
