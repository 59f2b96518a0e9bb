"""The views and functions that people query: put in place, and known to be the package's own."""

import hashlib
import logging
import re
from importlib.resources import files
from typing import Any

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from registry.database.store import locks
from registry.errors import ViewsInUse

# What stands under the name of one of ours is of another shape, which CREATE OR REPLACE refuses.
OTHER_SHAPE = (psycopg.errors.InvalidTableDefinition, psycopg.errors.InvalidFunctionDefinition)
NOT_ALLOWED = (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)
# How the database holds them now: as text, since a restored backup has other keys.
HELD = """
    SELECT coalesce(md5(string_agg(definition, ' ' ORDER BY definition)), '') FROM (
        SELECT concat_ws(' ', c.relname, pg_get_viewdef(c.oid)) AS definition
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = current_schema() AND c.relkind = 'v' AND c.relname = ANY(:views)
        UNION ALL
        SELECT concat_ws(' ', proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), provolatile,
                         array_to_string(proconfig, ' '), coalesce(pg_get_function_sqlbody(p.oid), prosrc))
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = current_schema() AND p.proname = ANY(:functions)) held
"""
DROP_FUNCTIONS = """
    DO $$ DECLARE named regprocedure; BEGIN
        FOR named IN SELECT p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                     WHERE n.nspname = current_schema() AND p.proname IN ({names})
        LOOP EXECUTE format('DROP FUNCTION %s', named); END LOOP;
    END $$
"""

_log = logging.getLogger(__name__)


def are_ours(connection: Connection) -> bool:
    """Tell whether all views and functions are there as this version of the package made them."""
    noted = connection.execute(text("SELECT views FROM identity")).scalar_one_or_none()
    return bool(noted == _signature(connection))


def ensure(connection: Connection) -> bool:
    """Put the views and functions in place unless they are; return whether that was done.

    A role that may not do so goes on with those that are there, after a warning.
    """
    if are_ours(connection):
        return False
    try:
        with connection.begin_nested():
            return _ensure_alone(connection)
    except (*NOT_ALLOWED, DBAPIError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if not isinstance(cause, NOT_ALLOWED):
            raise
        advice = "run registry database upgrade as the role that owns them"
        _log.warning(
            "the views and functions are not those of this version (%s): %s", cause.diag.message_primary, advice
        )
        return False


def _ensure_alone(connection: Connection) -> bool:
    locks.take(connection, locks.SCHEMA)
    if are_ours(connection):  # another process was faster
        return False
    put_in_place(connection)
    return True


def put_in_place(connection: Connection) -> None:
    """Make the views and functions anew, in the caller's transaction, and note how they came out."""
    try:
        with connection.begin_nested():
            _run(connection, _script())
    except OTHER_SHAPE:
        _drop(connection)
        _run(connection, _script())
    noted = {"views": _signature(connection)}
    _run(connection, "UPDATE identity SET views = %(views)s", noted)


def _signature(connection: Connection) -> str:
    """Sum up the package's script and what the database holds of it."""
    held = connection.execute(text(HELD), {"views": _names("VIEW"), "functions": _names("FUNCTION")}).scalar_one()
    return f"{hashlib.sha256(_script().encode()).hexdigest()[:16]} {held}"


def _script() -> str:
    return files("registry.database").joinpath("views.sql").read_text(encoding="utf-8")


def _names(kind: str) -> list[str]:
    return re.findall(rf"^CREATE OR REPLACE {kind} (\w+)", _script(), re.MULTILINE)


def _drop(connection: Connection) -> None:
    try:
        _drop_all(connection)
    except psycopg.errors.DependentObjectsStillExist as error:
        raise ViewsInUse(detail=" ".join((error.diag.message_detail or "").split())) from error


def _drop_all(connection: Connection) -> None:
    _run(connection, f"DROP VIEW IF EXISTS {', '.join(_names('VIEW'))}")
    _run(connection, DROP_FUNCTIONS.format(names=", ".join(f"'{name}'" for name in _names("FUNCTION"))))


def _run(connection: Connection, script: str, values: dict[str, str] | None = None) -> None:
    driver: Any = connection.connection.driver_connection  # SQLAlchemy would look for placeholders in a script
    driver.execute(script, values)
