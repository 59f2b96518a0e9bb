"""Leave no bytes of what was erased in the files of the database."""

import logging
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.errors import Diagnostic
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from registry.database.store import advisory_locks, identity
from registry.database.store.tables import metadata

# An empty table is not analyzed, so what it held would stand in the statistics for ever. PostgreSQL 18 has this.
CAN_CLEAR = "SELECT to_regproc('pg_clear_attribute_stats') IS NOT NULL"
CLEAR_STATISTICS = """
    SELECT pg_clear_attribute_stats(schemaname, tablename, attname, inherited) FROM pg_stats
    WHERE schemaname = current_schema()
"""
FILES = "SELECT pg_relation_filenode(name) FROM unnest(CAST(%s AS regclass[])) name"
LOCK_TIMEOUT_MS = 20_000  # a table is rewritten while nobody reads it, and what asks later waits for that
SNAPSHOT_PATIENCE_S = 60.0  # a question that was asked before the forgetting has mostly been answered by then
WAIT_S = 2.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Vacuumed:
    """Where nothing is left of what was erased."""

    tables: bool  # and their indexes
    log: bool  # the write-ahead log and the statistics, which are the whole server's


def vacuum(engine: Engine) -> Vacuumed:
    """Rewrite every table with its indexes and statistics, and let go of the log of what was written before.

    But for the tables that a night may hold a lock on: nothing of a voice is in them. PostgreSQL leaves the bytes of
    erased rows in a table's file; only a file that is made anew is without them. It takes up to twice the room of the
    largest table for as long. Where we are not the superuser, as on a server of the user's own, the statistics' former
    rows and the write-ahead log (WAL) hold bytes until the server recycles them.

    Returns:
        What was done. Nothing is raised: where the tables could not be rewritten, a warning has told why.
    """
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if cause := _rewrite(connection):
                _warn(cause)
                return Vacuumed(tables=False, log=False)
            identity.owe_vacuum(connection, is_owed=False)
            return Vacuumed(tables=True, log=_let_go(connection))
    except DBAPIError as error:
        _warn(str(error.orig).strip())
        return Vacuumed(tables=False, log=False)


def _rewrite(connection: Connection) -> str | None:
    """Rewrite the tables and their statistics; say why if that left bytes behind."""
    tables = [table.name for table in metadata.sorted_tables if table.name not in advisory_locks.TABLES]
    connection.exec_driver_sql(f"SET lock_timeout = {LOCK_TIMEOUT_MS}")
    before = _files(connection, tables)
    deadline = time.monotonic() + SNAPSHOT_PATIENCE_S
    while True:
        seen = _rewritten_but_for(connection, tables)
        if before & _files(connection, tables):
            return "the tables are another role's"
        if not seen:
            break
        if time.monotonic() > deadline:
            return f"another session, begun before, still sees {seen} of the erased rows"
        time.sleep(WAIT_S)
    if connection.exec_driver_sql(CAN_CLEAR).scalar_one():
        connection.exec_driver_sql(CLEAR_STATISTICS)
    connection.exec_driver_sql(f"ANALYZE {', '.join(tables)}")
    return None


def _rewritten_but_for(connection: Connection, tables: Sequence[str]) -> int:
    """Rewrite tables; count the erased rows that came along, for sessions whose snapshot is from before still see them.

    PostgreSQL tells, in any language, with the number first.
    """
    details: list[str] = []

    def note(notice: Diagnostic) -> None:
        details.append(notice.message_detail or "")

    driver: Any = connection.connection.driver_connection
    driver.add_notice_handler(note)
    try:
        connection.exec_driver_sql(f"VACUUM (FULL, VERBOSE) {', '.join(tables)}")
    finally:
        driver.remove_notice_handler(note)
    return sum(int(number[0]) for detail in details if (number := re.search(r"\d+", detail)))


def _files(connection: Connection, tables: Sequence[str]) -> set[int]:
    return set(connection.exec_driver_sql(FILES, (list(tables),)).scalars())


def _let_go(connection: Connection) -> bool:
    """Let go of former statistics and of the log, if we are the superuser; tell whether we are."""
    if connection.exec_driver_sql("SHOW is_superuser").scalar_one() != "on":
        return False
    for statement in ("VACUUM FULL pg_statistic", "SELECT pg_switch_wal()", "CHECKPOINT"):
        connection.exec_driver_sql(statement)
    return True


def _warn(cause: str) -> None:
    way_out = "registry database vacuum does it later, as the role that owns them"
    _log.warning("the bytes of what was erased are still in the database's files (%s): %s", cause, way_out)
