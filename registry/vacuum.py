"""Leave no bytes of what was erased in the files of the database."""

import logging

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from registry.store import locks
from registry.tables import metadata

# An empty table is not analyzed, so what it held would stand in the statistics for ever. PostgreSQL 18 has this.
CAN_CLEAR = "SELECT to_regproc('pg_clear_attribute_stats') IS NOT NULL"
CLEAR_STATISTICS = """
    SELECT pg_clear_attribute_stats(schemaname, tablename, attname, inherited) FROM pg_stats
    WHERE schemaname = current_schema()
"""
LOCK_TIMEOUT_MS = 60_000  # a table is rewritten while nobody reads it
_log = logging.getLogger(__name__)


def vacuum(engine: Engine) -> bool:
    """Rewrite every table with its indexes and statistics, and let go of the log of what was written before.

    But for the tables that a night may hold a lock on: nothing of a voice is in them.
    PostgreSQL leaves the bytes of erased rows in a table's file; only a file that is made anew is without them. It
    takes up to twice the room of the largest table for as long. Where we are not the superuser, as on a server of the
    user's own, the statistics' former rows and the write-ahead log (WAL) hold bytes until the server recycles them.

    Returns:
        Whether it was done; where it was not, a warning has told why.
    """
    tables = ", ".join(table.name for table in metadata.sorted_tables if table.name not in locks.TABLES)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            run = connection.exec_driver_sql
            run(f"SET lock_timeout = {LOCK_TIMEOUT_MS}")
            if run(CAN_CLEAR).scalar_one():
                run(CLEAR_STATISTICS)
            run(f"VACUUM (FULL, ANALYZE) {tables}")
            if run("SHOW is_superuser").scalar_one() == "on":
                run("VACUUM FULL pg_statistic")
                run("SELECT pg_switch_wal()")
                run("CHECKPOINT")
    except DBAPIError as error:
        way_out = "registry database vacuum does it later"
        _log.warning("the bytes of what was erased are still in the database's files (%s): %s", error.orig, way_out)
        return False
    return True
