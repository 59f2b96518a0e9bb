"""What moment a person means: right after an operation, or the end of a day on which the registry was changed."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from registry.database.store import journal, tree
from registry.errors import UnknownMoment, UnknownOperation

LONGEST = 18  # digits of an operation's number that a database can hold
NOTHING_HELD = (
    "Nothing held yet at that moment{begun}. A day says when the registry was changed, not which night was recorded:"
    " --to 2020-11-05 exports the nights up to that one."
)


@dataclass(frozen=True)
class Moment:
    """Right after an operation; 0 is before all of them."""

    operation_id: int
    at: dt.datetime | None  # when that operation began, UTC; None before all of them
    first_at: dt.datetime | None  # when the first one of all did; None if there is none

    def __str__(self) -> str:
        """Say it as people read it."""
        return f"right after operation {self.operation_id}" + (f", {_written(self.at)}" if self.at else "")

    @property
    def warning(self) -> str:
        """Say why there is nothing to export."""
        begun = f": the registry began on {_written(self.first_at)}" if self.first_at else ": the registry is empty"
        return NOTHING_HELD.format(begun=begun)


def _written(at: dt.datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def find_moment(engine: Engine, said: str) -> Moment:
    """Find the moment that comes right after an operation, "12", or at the end of a day, "2020-11-05" or "20201105".

    A day is one of UTC, whatever time zone the session, the server and the machine are in.

    Raises:
        UnknownOperation: There is no operation of this number.
        UnknownMoment: It is no number and no day.
    """
    with engine.connect() as connection:
        operation_id = _operation(connection, said)
        return Moment(operation_id, _at(connection, operation_id), _at(connection, 1))


def _operation(connection: Connection, said: str) -> int:
    is_number = said.isascii() and said.isdigit()
    if is_number and len(said) <= LONGEST and journal.entry(connection, int(said)) is not None:
        return int(said)
    try:
        return tree.operation_at(connection, dt.date.fromisoformat(said))
    except ValueError as error:
        raise (UnknownOperation(operation=said) if is_number else UnknownMoment(moment=said)) from error


def _at(connection: Connection, operation_id: int) -> dt.datetime | None:
    entry = journal.entry(connection, operation_id)
    return None if entry is None else entry.at.astimezone(dt.UTC)
