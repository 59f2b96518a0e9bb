"""The role that people's queries are asked as: it reads everything, and can do nothing else."""

from typing import Any, LiteralString

import psycopg
from psycopg import sql

from registry import settings

ROLE = "registry_reader"
SETTINGS = {
    "default_transaction_read_only": "on",
    "statement_timeout": f"{settings.QUERY_TIMEOUT_S:.0f}s",  # unless who asks says otherwise
    "temp_file_limit": "5GB",  # of what does not fit memory, as a sort of everything; nobody but a superuser raises it
    "client_connection_check_interval": "10s",  # so that a query ends when whoever asked is gone
}
GRANTED_TO_ALL: dict[LiteralString, LiteralString] = {
    "SELECT WHERE has_database_privilege(%(role)s, current_database(), 'TEMP')": """
        DO $$ BEGIN EXECUTE format('REVOKE TEMP ON DATABASE %I FROM PUBLIC', current_database()); END $$
    """,
    """SELECT FROM pg_proc
       WHERE proname = 'pg_logical_emit_message' AND has_function_privilege(%(role)s, oid, 'EXECUTE')""": """
        DO $$ DECLARE named regprocedure; BEGIN
            FOR named IN SELECT oid FROM pg_proc WHERE proname = 'pg_logical_emit_message'
            LOOP EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', named); END LOOP;
        END $$
    """,
}
STANDS = """
    SELECT FROM pg_roles r
    WHERE rolname = %(role)s AND rolcanlogin
      AND NOT (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)
      AND rolconfig @> %(settings)s AND rolconfig <@ %(settings)s
      AND ARRAY(SELECT roleid::regrole::text FROM pg_auth_members WHERE member = r.oid) = ARRAY['pg_read_all_data']
"""


def ensure(connection: psycopg.Connection[Any]) -> None:
    """Make the role, or make it again what it has to be; to be called by a superuser, by one at a time."""
    settings = [f"{name}={value}" for name, value in SETTINGS.items()]
    if connection.execute(STANDS, {"role": ROLE, "settings": settings}).rowcount:
        return
    role = sql.Identifier(ROLE)
    with connection.transaction():
        if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [ROLE]).rowcount:
            connection.execute(sql.SQL("REASSIGN OWNED BY {} TO CURRENT_USER").format(role))
            connection.execute(sql.SQL("DROP OWNED BY {}; DROP ROLE {}").format(role, role))
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN IN ROLE pg_read_all_data").format(role))
        for name, value in SETTINGS.items():
            setting = sql.SQL("ALTER ROLE {} SET {} = {}").format(role, sql.Identifier(name), sql.Literal(value))
            connection.execute(setting)


def confine(connection: psycopg.Connection[Any]) -> None:
    """Take from everybody, in one database, what fills a disk without a table: to be called by a superuser.

    Temporary tables know no limit, and EXPLAIN ANALYZE makes some; messages to the write-ahead log neither.
    """
    for granted, revoke in GRANTED_TO_ALL.items():
        if connection.execute(granted, {"role": ROLE}).rowcount:
            connection.execute(revoke)
