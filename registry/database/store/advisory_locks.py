"""Locks that keep two programs from changing the registry at once. Each lasts as long as its transaction.

They are advisory in that programs respect them, but they are made of table locks, not of PostgreSQL's advisory locks.
Everybody who can connect can take an advisory lock, and a stranger who held one of our keys would stop every ingest in
silence. A table can be locked only by roles that may write to it. The lock mode conflicts with itself and with nothing
else that a registry does, so other programs read and write the table meanwhile. Vacuum has to wait for the lock too,
which does no harm, because the tables have one row that hardly changes.
"""

import logging
import time

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from registry import settings
from registry.errors import LockHeld

DECISIONS = "registry"  # table to lock by the program that decides who is who
NIGHTS = "identity"  # table to lock by the program that runs a night
SCHEMA = "alembic_version"  # table to lock by the program that makes tables and views
TABLES = (DECISIONS, NIGHTS, SCHEMA)
MODE = "SHARE UPDATE EXCLUSIVE"
# Modes that conflict with MODE, as pg_locks names them.
CONFLICTING = ["ShareUpdateExclusiveLock", "ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"]
BRIEF_S = 2.0  # how long `has_taken` waits: a vacuum that the server began by itself gives way after 1 s
GRACE_S = 3.0  # how long `take` waits before it says that it waits
REMIND_S = 600.0  # how often `take` says so again
LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL's code for a lock that was waited for too long
# Programs that hold a lock, the longest first.
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
    """Wait for a lock, take it, and keep it until the transaction ends. Log now and then who holds it.

    Args:
        connection: In a transaction.
        table: The table that stands for the lock, one of TABLES.
        patience_s: How long to wait, in seconds.

    Raises:
        LockHeld: Another program still holds the lock after this time.
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
    """Take a lock until the transaction ends, unless another program holds it; tell whether it was taken."""
    return _has_taken(connection, table, wait_s=BRIEF_S)


def holders(connection: Connection, table: str) -> str:
    """Say who holds a lock, and since when; "" if no other program does."""
    connection.execute(text("SELECT pg_stat_clear_snapshot()"))  # a transaction sees what it saw before otherwise
    asked = {"table": table, "modes": CONFLICTING}
    return ", ".join(connection.execute(text(HOLDERS), asked).scalars())


def _has_taken(connection: Connection, table: str, wait_s: float) -> bool:
    """Take a lock if it is free within a time; tell whether it was taken."""
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
