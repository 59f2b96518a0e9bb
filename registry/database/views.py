"""The views and functions that people query: made by the package's script, and known to be its own."""

import hashlib
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from registry.database.rights import Rights, changes_of_grants, changes_of_options, changes_of_owner, rights
from registry.database.store import advisory_locks
from registry.errors import ViewsInUse

NOT_ALLOWED = (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)
# What PostgreSQL refuses to change of a view, a function, or a column of a table that a view shows.
STANDING_IN_THE_WAY = (
    psycopg.errors.InvalidTableDefinition,
    psycopg.errors.InvalidFunctionDefinition,
    psycopg.errors.FeatureNotSupported,
    psycopg.errors.DependentObjectsStillExist,
)
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
# Those of the registry's schema: other programs may have some of the same names in theirs.
DROP = """
    DO $$ DECLARE named text; BEGIN
        SELECT string_agg(c.oid::regclass::text, ', ') INTO named
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = current_schema() AND c.relkind = 'v' AND c.relname IN ({views});
        IF named IS NOT NULL THEN EXECUTE 'DROP VIEW ' || named; END IF;
        SELECT string_agg(p.oid::regprocedure::text, ', ') INTO named
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = current_schema() AND p.proname IN ({functions});
        IF named IS NOT NULL THEN EXECUTE 'DROP FUNCTION ' || named; END IF;
    END $$
"""

_log = logging.getLogger(__name__)


def are_ours(connection: Connection) -> bool:
    """Tell whether all views and functions are there as this version of the package made them."""
    return _noted(connection) == _signature(connection)


def ensure(connection: Connection, *, reading: bool) -> None:
    """Make the views and functions anew if another version of the package made them, or somebody changed them.

    A role that may not do so goes on with those that are there, after a warning.

    Args:
        connection: In a transaction.
        reading: True leaves what somebody changed as it is, so that a check can tell.

    Raises:
        ViewsInUse: They cannot be made anew because of what people made upon them.
    """
    are_right = _are_of_this_version if reading else are_ours
    try:
        with connection.begin_nested():
            if are_right(connection):
                return
            advisory_locks.take(connection, advisory_locks.SCHEMA)
            if not are_right(connection):  # unless another process was faster
                with made_anew(connection):
                    pass
    except DBAPIError as error:
        if not isinstance(error.orig, NOT_ALLOWED):
            raise
        advice = "run registry database upgrade as the role that owns them"
        cause = error.orig.diag.message_primary
        _log.warning("the views and functions are not those of this version (%s): %s", cause, advice)


@contextmanager
def made_anew(connection: Connection) -> Iterator[None]:
    """Take the views and functions down, let the caller change the tables below them, and make the package's own.

    All of it is in the caller's transaction. Views and functions keep their owners and options, and what was granted on
    them stays granted. Where people made something upon one of them, all are left there and replaced, as far as
    PostgreSQL allows.

    Raises:
        ViewsInUse: What people made upon them stands in the way.
    """
    before = _rights(connection)
    in_use = _drop_unless_in_use(connection)
    try:
        yield
        _run(connection, _script())
    except DBAPIError as error:
        if in_use and isinstance(error.orig, STANDING_IN_THE_WAY):
            raise ViewsInUse(detail=in_use) from error
        raise
    _give_back(connection, before)
    connection.execute(text("UPDATE identity SET views = :views"), {"views": _signature(connection)})


def drop(connection: Connection) -> None:
    """Remove the views and functions.

    Raises:
        DBAPIError: People made something upon one of them, or the role may not remove them.
    """
    names = {"views": _names("VIEW"), "functions": _names("FUNCTION")}
    _run(connection, DROP.format(**{kind: ", ".join(f"'{name}'" for name in named) for kind, named in names.items()}))


def _drop_unless_in_use(connection: Connection) -> str | None:
    """Remove all of them, or none; return what people made upon them if they made anything."""
    try:
        with connection.begin_nested():
            drop(connection)
    except DBAPIError as error:
        if not isinstance(error.orig, psycopg.errors.DependentObjectsStillExist):
            raise
        return " ".join((error.orig.diag.message_detail or "").split())
    return None


def _give_back(connection: Connection, before: Rights) -> None:
    """Restore options and owners, and then grants, which PostgreSQL rewrites for a new owner."""
    for changes in (changes_of_options, changes_of_owner, changes_of_grants):
        for statement in changes(_rights(connection), before):
            _run(connection, statement)


def _rights(connection: Connection) -> Rights:
    return rights(connection, _names("VIEW"), _names("FUNCTION"))


def _are_of_this_version(connection: Connection) -> bool:
    """Tell whether the script that made them is the package's."""
    return _noted(connection).startswith(_hash_of_script())


def _noted(connection: Connection) -> str:
    return connection.execute(text("SELECT views FROM identity")).scalar_one_or_none() or ""


def _signature(connection: Connection) -> str:
    """Sum up the package's script and what the database holds of it."""
    try:
        with connection.begin_nested():
            return f"{_hash_of_script()} {_held(connection)}"
    except DBAPIError as error:
        if not isinstance(error.orig, psycopg.errors.InternalError_):
            raise
    return f"{_hash_of_script()} {_held(connection)}"  # another process took away what was looked at, and made it anew


def _held(connection: Connection) -> str:
    held = connection.execute(text(HELD), {"views": _names("VIEW"), "functions": _names("FUNCTION")})
    return str(held.scalar_one())


def _hash_of_script() -> str:
    return hashlib.sha256(_script().encode()).hexdigest()[:16]


def _script() -> str:
    return files("registry.database").joinpath("views.sql").read_text(encoding="utf-8")


def _names(kind: str) -> list[str]:
    return re.findall(rf"^CREATE OR REPLACE {kind} (\w+)", _script(), re.MULTILINE)


def _run(connection: Connection, script: str) -> None:
    connection.exec_driver_sql(script, execution_options={"no_parameters": True})  # its % signs are no placeholders
