"""Lay tables out as lines: plain where they fit, else with one long column folded, else a line for every value."""

import itertools
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rich.cells import cell_len, chop_cells

GAP = "  "
Value = TypeVar("Value")
LEAST_FOLDED = 24  # columns of the screen; in fewer, a text is too torn to be read
MOST_PADDED = 100  # where there is no screen to fit: one transcript of megabytes is not to pad every row


@dataclass(frozen=True)
class Table:
    """A table of text without line breaks or control characters."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    footer: Sequence[str]  # empty for none
    are_numbers: Sequence[bool]  # of each column: set flush right
    spare: Sequence[str] = ()  # columns that a screen is spared where the others fit without them, the first first
    more: Iterable[Sequence[str]] = ()  # rows still to come: laid out as those above, to be read once

    def without(self, column: str) -> "Table":
        """Leave a column out, and with it the thought of leaving it out."""
        place = self.header.index(column)
        header, *rows = (_but_for(line, place) for line in self.lines())
        footer = rows.pop() if self.footer else ()
        more = (_but_for(line, place) for line in self.more)
        return Table(header, rows, footer, _but_for(self.are_numbers, place), self.spare[1:], more)

    def lines(self) -> list[Sequence[str]]:
        """List header, rows and footer, by which the table is laid out."""
        rows = [self.header, *self.rows]
        return [*rows, self.footer] if self.footer else rows

    def all_rows(self) -> Iterator[Sequence[str]]:
        """Give the rows and those still to come."""
        return itertools.chain(self.rows, self.more)


def plain(table: Table) -> Iterator[str]:
    """Give one line for every row, however long, for files and other programs."""
    columns = zip(*table.lines(), strict=True)
    widths = [max((len(value) for value in column if len(value) <= MOST_PADDED), default=0) for column in columns]
    formats = [f"{{:{'>' if right else '<'}{width}}}" for right, width in zip(table.are_numbers, widths, strict=True)]
    row = GAP.join(formats)
    lines = itertools.chain([table.header], table.all_rows(), [table.footer] if table.footer else [])
    return (row.format(*line).rstrip() for line in lines)


def fitted(table: Table, screen: int) -> Iterator[str]:
    """Give the lines for a screen of so many columns."""
    widths = [max(map(_width, column)) for column in zip(*table.lines(), strict=True)]
    missing = sum(widths) + len(GAP) * (len(widths) - 1) - screen
    if missing <= 0:
        return _ruled(table, widths)
    longest = _longest_text(table, widths)
    if longest is None or widths[longest] - missing < LEAST_FOLDED:
        return fitted(table.without(table.spare[0]), screen) if table.spare else _expanded(table, screen)
    widths[longest] -= missing
    return _ruled(table, widths)


def _but_for(values: Sequence[Value], place: int) -> Sequence[Value]:
    return [*values[:place], *values[place + 1 :]]


def _longest_text(table: Table, widths: Sequence[int]) -> int | None:
    texts = [place for place, is_number in enumerate(table.are_numbers) if not is_number]
    return max(texts, key=lambda place: widths[place], default=None)


def _ruled(table: Table, widths: Sequence[int]) -> Iterator[str]:
    """Give the rows under a rule, with values folded that are longer than their column is wide."""
    rule = GAP.join("-" * width for width in widths)
    yield from _row(table, table.header, widths)
    yield rule
    for row in table.all_rows():
        yield from _row(table, row, widths)
    if table.footer:
        yield rule
        yield from _row(table, table.footer, widths)


def _row(table: Table, row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    folded = [_folded(value, width) for value, width in zip(row, widths, strict=True)]
    for values in itertools.zip_longest(*folded, fillvalue=""):
        cells = map(_padded, values, widths, table.are_numbers)
        yield GAP.join(cells).rstrip()


def _folded(value: str, width: int) -> list[str]:
    """Break a text between words, one of wide characters anywhere."""
    if _width(value) <= width:
        return [value]
    if _width(value) == len(value):
        return textwrap.wrap(value, width, break_on_hyphens=False)
    return chop_cells(value, width)


def _padded(value: str, width: int, is_number: bool) -> str:
    padding = " " * (width - _width(value))
    return padding + value if is_number else value + padding


def _expanded(table: Table, screen: int) -> Iterator[str]:
    """Give a line for every value, as psql does in its expanded form."""
    names = max(map(_width, table.header))
    titled = ((str(number), row) for number, row in enumerate(table.all_rows(), 1))
    if not table.rows:
        yield "(no rows)"
    for title, row in itertools.chain(titled, [("total", table.footer)] if table.footer else []):
        yield f"-[ {title} ]".ljust(min(screen, 2 * names + len(GAP)), "-")
        for name, value in zip(table.header, row, strict=True):
            yield f"{_padded(name, names, is_number=False)} | {value}".rstrip()


def _width(text: str) -> int:
    return len(text) if text.isascii() else cell_len(text)
