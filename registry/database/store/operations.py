"""Writing operations: the lock, the entry that each change of the registry begins with, and its summary."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, insert, text, update

from registry.database.store import advisory_locks
from registry.database.store.tables import operation


@dataclass(frozen=True)
class Author:
    """Who changes the registry, and by which command line."""

    user_name: str  # login name
    command: str


def lock_registry(connection: Connection) -> None:
    """Take the lock for deciding who is who, and keep it until the transaction ends.

    Raises:
        LockHeld: Another process has held the lock for hours.
    """
    advisory_locks.take(connection, advisory_locks.DECISIONS)


def begin_operation(connection: Connection, kind: str, author: Author) -> int:
    """Write an operation into the journal, and give its key. The caller must hold the lock of `lock_registry`.

    Keys are counted here and not by a sequence, so that a plan that is rolled back leaves no gap.
    """
    operation_id = last_operation(connection) + 1
    entry = {"operation_id": operation_id, "kind": kind, "user_name": author.user_name, "command": author.command}
    connection.execute(insert(operation).values(entry | {"summary": {}}))
    return operation_id


def last_operation(connection: Connection) -> int:
    """Give the key of the newest operation, 0 if there is none."""
    return int(connection.execute(text("SELECT coalesce(max(operation_id), 0) FROM operation")).scalar_one())


def sum_up(connection: Connection, operation_id: int, summary: Mapping[str, object]) -> None:
    """Write the summary of an operation: what it was about, and what it counted."""
    connection.execute(update(operation).where(operation.c.operation_id == operation_id).values(summary=dict(summary)))
