"""Locks that last as long as their transaction, which only those can take who may change the registry.

An advisory lock is anybody's who can connect, and one of our keys held by a stranger would stop every ingest in
silence. A table can be locked only by roles that may write to it. The mode keeps out its own kind and nothing else that
a registry does: others read and write the table meanwhile. The tables have one row that hardly changes, so that it does
no harm that vacuum has to wait as well.
"""

import logging
import time

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from registry import settings
from registry.errors import LockHeld

DECISIONS = "registry"  # who is who is decided by one at a time
NIGHTS = "identity"  # one night at a time
SCHEMA = "alembic_version"  # tables and views are made by one at a time
TABLES = (DECISIONS, NIGHTS, SCHEMA)
MODE = "SHARE UPDATE EXCLUSIVE"
CONFLICTING = ["ShareUpdateExclusiveLock", "ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"]
BRIEF_S = 2.0  # a vacuum that the server began by itself gives way after one
GRACE_S = 3.0  # what is over sooner is not worth a word
REMIND_S = 600.0
LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL's code where a lock was waited for too long
HOLDERS = """
    SELECT format('%s (role %s%s)', coalesce(nullif(a.application_name, ''), 'a program without a name'), a.usename,
                  ', since ' || to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC')
    FROM pg_locks l JOIN pg_stat_activity a USING (pid) JOIN pg_database d ON d.oid = l.database
    WHERE l.relation = CAST(:table AS regclass) AND l.granted AND l.mode = ANY(:modes)
      AND d.datname = current_database() AND a.pid <> pg_backend_pid()
    ORDER BY a.xact_start
"""

_log = logging.getLogger(__name__)


def take(connection: Connection, table: str, patience_s: float = settings.PATIENCE_S) -> None:
    """Wait for a lock and keep it until the transaction ends; say now and then who has it.

    Raises:
        LockHeld: Another one has it for longer than the patience.
    """
    deadline = time.monotonic() + patience_s
    wait_s = min(GRACE_S, patience_s)
    while not _has_taken(connection, table, wait_s):
        held_by = holders(connection, table)
        wait_s = min(REMIND_S, deadline - time.monotonic())
        if wait_s <= 0:
            raise LockHeld(holder=held_by or "another program", minutes=round(patience_s / 60))
        if held_by:
            _log.warning("waiting for %s to end its change of the registry", held_by)


def has_taken(connection: Connection, table: str) -> bool:
    """Take a lock until the transaction ends, unless another one has it."""
    return _has_taken(connection, table, wait_s=BRIEF_S)


def holders(connection: Connection, table: str) -> str:
    """Say who has a lock, and since when; nothing if nobody has."""
    connection.execute(text("SELECT pg_stat_clear_snapshot()"))  # what was seen before is shown again otherwise
    asked = {"table": table, "modes": CONFLICTING}
    return ", ".join(connection.execute(text(HOLDERS), asked).scalars())


def _has_taken(connection: Connection, table: str, wait_s: float) -> bool:
    limit = "SELECT set_config('lock_timeout', :limit, true)"
    usual = connection.execute(text("SHOW lock_timeout")).scalar_one()
    try:
        with connection.begin_nested():
            connection.execute(text(limit), {"limit": f"{max(1, round(wait_s * 1000))}ms"})
            connection.execute(text(f"LOCK TABLE {table} IN {MODE} MODE"))
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
            raise
        return False
    connection.execute(text(limit), {"limit": usual})
    return True
