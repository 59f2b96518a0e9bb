"""Show progress: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from cli.output import shown as one_line
from cli.terminal import unguarded
from registry.progress import Progress, Silent

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

LINE_EVERY_S = 10.0


@contextmanager
def shown(*, quiet: bool) -> Iterator[Progress]:
    """Give the right kind of progress for where standard error goes."""
    if quiet:
        yield Silent()
    elif sys.stderr.isatty():
        with _bar_columns() as bar:
            yield Bar(bar)
    else:
        yield Lines()


def _bar_columns() -> "RichProgress":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    # rich would print what others print meanwhile, past our guard.
    return RichProgress(
        *columns, console=Console(file=unguarded(sys.stderr)), redirect_stdout=False, redirect_stderr=False
    )


class Bar:
    """A bar for every piece of work that has anything to do."""

    def __init__(self, bar: "RichProgress") -> None:
        self._bar = bar
        self._task: TaskID | None = None

    def begin(self, what: str, total: int) -> None:
        """Show a new bar."""
        from rich.markup import escape

        self._task = self._bar.add_task(escape(one_line(what)), total=total) if total else None

    def advance(self, steps: int) -> None:
        """Move it."""
        if self._task is not None:
            self._bar.advance(self._task, steps)

    def done(self) -> None:
        """Leave it as it is."""
        self._task = None


class Lines:
    """A line now and then while a piece of work lasts, and one at its end."""

    def begin(self, what: str, total: int) -> None:
        """Note what begins, and when."""
        self._what, self._total, self._steps = one_line(what), total, 0
        self._last_line_s = time.monotonic()

    def advance(self, steps: int) -> None:
        """Print how far it is, unless that was just printed."""
        self._steps += steps
        if time.monotonic() - self._last_line_s >= LINE_EVERY_S:
            self._print()

    def done(self) -> None:
        """Print that it is whole."""
        if self._total:
            self._print()

    def _print(self) -> None:
        click.echo(f"{self._what}: {self._steps} of {self._total}", err=True)
        self._last_line_s = time.monotonic()
