"""The lock that keeps two runs of a night apart. It lasts as long as its connection's transaction."""

from sqlalchemy import Connection

from registry.database.store import advisory_locks
from registry.errors import LockHeld


def begin_alone(connection: Connection) -> bool:
    """Take the lock until the transaction ends; False if another night is under way."""
    return advisory_locks.has_taken(connection, advisory_locks.NIGHTS)


def begin_after_other(connection: Connection, patience_s: float) -> bool:
    """Wait until the other night has ended, then take the lock; False if it lasts longer than `patience_s` seconds."""
    try:
        advisory_locks.take(connection, advisory_locks.NIGHTS, patience_s)
    except LockHeld:
        return False
    return True
