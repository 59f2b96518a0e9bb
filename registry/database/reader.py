"""Sessions for people's queries: of a role that can read and do nothing else, where there is one."""

import logging
import os
from typing import Any

import psycopg

from registry.database.embedded.reader_role import ROLE
from registry.database.reach import Database, as_libpq_takes_it, without_password
from registry.database.server_errors import connection_error
from registry.database.session import Session, address_of
from registry.database.store import identity
from registry.errors import DatabaseRefused, DatabaseUnreachable, ReaderUnusable

VARIABLE = "REGISTRY_READER_URL"
# May the role run programs of the server, or use its files? A superuser may, in a read-only transaction too.
MAY_DO_MORE = """
    SELECT bool_or(pg_has_role(current_user, oid, 'USAGE')) FROM pg_roles
    WHERE rolname IN ('pg_execute_server_program', 'pg_write_server_files', 'pg_read_server_files')
"""

_log = logging.getLogger(__name__)


def connect(opened: Database, timeout_s: float) -> psycopg.Connection[Any]:
    """Open a connection for one query, in a read-only transaction.

    On the embedded server it is the reader's; on any other, that of REGISTRY_READER_URL, or the one of the registry.

    Args:
        opened: The registry that is asked.
        timeout_s: How long the query may take, in seconds; 0 for as long as it needs.

    Raises:
        DatabaseUnreachable, DatabaseRefused: The server does not answer, or refuses the login.
        ReaderUnusable: That of the variable does, or the variable leads to another registry, or to none.
    """
    url = os.environ.get(VARIABLE)
    if opened.server is not None:
        opened.server.ensure_reader(str(opened.session.address["dbname"]))
        return _reading(opened, opened.session.address | {"user": ROLE}, opened.shown_url, timeout_s)
    if not url:
        return _warned(_reading(opened, opened.session.address, opened.shown_url, timeout_s))
    try:
        plain_url = as_libpq_takes_it(url)
        connection = _reading(opened, address_of(plain_url), without_password(plain_url), timeout_s)
    except (DatabaseUnreachable, DatabaseRefused) as error:
        raise ReaderUnusable(cause=error.__cause__ or "it is no PostgreSQL URL") from error
    try:
        _refuse_elsewhere(connection, opened)
        return _warned(connection)
    except BaseException:
        connection.close()
        raise


def _reading(opened: Database, address: dict[str, Any], shown_url: str, timeout_s: float) -> psycopg.Connection[Any]:
    """Open a session that is like those of the registry but for the limits on queries.

    Raises:
        DatabaseUnreachable, DatabaseRefused: The server does not answer, or refuses the login.
    """
    shared = opened.session
    settings = {name: value for name, value in shared.settings.items() if name not in shared.facts.limits}
    settings |= {"default_transaction_read_only": "on", "statement_timeout": f"{round(timeout_s * 1000)}ms"}
    try:
        connection = Session(address, shared.is_own, settings).connect()
    except psycopg.OperationalError as error:
        raise connection_error(error, shown_url) from error
    connection.read_only = True
    return connection


def _refuse_elsewhere(connection: psycopg.Connection[Any], opened: Database) -> None:
    try:
        (found,) = connection.execute("SELECT registry_id FROM identity").fetchone() or (None,)
    except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
        found = None
    connection.rollback()
    with opened.engine.connect() as ours:
        if str(found) != identity.registry_id(ours):
            raise ReaderUnusable(cause=f"it is not the registry that is asked, {opened.place}, or may not be read")


def _warned(connection: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    (may_do_more,) = connection.execute(MAY_DO_MORE).fetchone() or (False,)
    connection.rollback()
    if may_do_more:
        _log.warning(
            "the query is asked as %s, a role that may run programs on the server or use its files: name one that may"
            " only read, in %s",
            connection.info.user,
            VARIABLE,
        )
    return connection
