"""The journal: every change is an operation."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, insert, text, update

from registry.database.store import advisory_locks
from registry.database.store.tables import operation


@dataclass(frozen=True)
class Author:
    """Who changes the registry, and by which command line."""

    user_name: str
    command: str


def lock_registry(connection: Connection) -> None:
    """Wait until no other process is deciding, and keep the others out until the transaction ends.

    Raises:
        LockHeld: Another one has been deciding for hours.
    """
    advisory_locks.take(connection, advisory_locks.DECISIONS)


def begin_operation(connection: Connection, kind: str, author: Author) -> int:
    """Open an entry of the journal and give its key; the registry's lock must be held.

    Keys are counted here, not by a sequence, so that a plan that is rolled back leaves no gap.
    """
    operation_id = last_operation(connection) + 1
    entry = {"operation_id": operation_id, "kind": kind, "user_name": author.user_name, "command": author.command}
    connection.execute(insert(operation).values(entry | {"summary": {}}))
    return operation_id


def last_operation(connection: Connection) -> int:
    """Give the key of the newest operation, 0 if there is none."""
    return int(connection.execute(text("SELECT coalesce(max(operation_id), 0) FROM operation")).scalar_one())


def sum_up(connection: Connection, operation_id: int, summary: Mapping[str, object]) -> None:
    """Write what the operation was about."""
    connection.execute(update(operation).where(operation.c.operation_id == operation_id).values(summary=dict(summary)))
