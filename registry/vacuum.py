"""Leave no bytes of what was erased in the files of the database."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from registry.store import locks
from registry.tables import metadata

# An empty table is not analyzed, so what it held would stand in the statistics for ever. PostgreSQL 18 has this.
CAN_CLEAR = "SELECT to_regproc('pg_clear_attribute_stats') IS NOT NULL"
CLEAR_STATISTICS = """
    SELECT pg_clear_attribute_stats(schemaname, tablename, attname, inherited) FROM pg_stats
    WHERE schemaname = current_schema()
"""
FILES = "SELECT pg_relation_filenode(name) FROM unnest(CAST(%s AS regclass[])) name"
LOCK_TIMEOUT_MS = 60_000  # a table is rewritten while nobody reads it
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
    tables = [table.name for table in metadata.sorted_tables if table.name not in locks.TABLES]
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if not _rewrite(connection, tables):
                _warn("the tables are another role's")
                return Vacuumed(tables=False, log=False)
            return Vacuumed(tables=True, log=_let_go(connection))
    except DBAPIError as error:
        _warn(str(error.orig).strip())
        return Vacuumed(tables=False, log=False)


def _rewrite(connection: Connection, tables: Sequence[str]) -> bool:
    """Rewrite tables and their statistics; False if PostgreSQL passed over them, as it does over those of others."""
    connection.exec_driver_sql(f"SET lock_timeout = {LOCK_TIMEOUT_MS}")
    before = _files(connection, tables)
    connection.exec_driver_sql(f"VACUUM (FULL) {', '.join(tables)}")
    if before & _files(connection, tables):
        return False
    if connection.exec_driver_sql(CAN_CLEAR).scalar_one():
        connection.exec_driver_sql(CLEAR_STATISTICS)
    connection.exec_driver_sql(f"ANALYZE {', '.join(tables)}")
    return True


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
