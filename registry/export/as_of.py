"""What moment a person means: an operation, or the end of a day."""

import datetime as dt

from sqlalchemy import Engine

from registry.errors import UnknownOperation
from registry.store import journal, tree


def find_operation(engine: Engine, moment: str) -> int:
    """Find the operation that a moment comes right after: "12", "2020-11-05" or "20201105" (the end of that day, UTC).

    Raises:
        UnknownOperation: There is no such operation, or it is no date.
    """
    with engine.connect() as connection:
        if moment.isdigit() and journal.entry(connection, int(moment)) is not None:
            return int(moment)
        try:
            return tree.operation_at(connection, dt.date.fromisoformat(moment))
        except ValueError as error:
            raise UnknownOperation(operation=moment) from error
