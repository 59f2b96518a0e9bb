"""What a database says when it fails, as an error that says what to do."""

import re

import psycopg
from sqlalchemy.exc import DBAPIError

from registry.database import schema
from registry.errors import (
    DatabaseDiskFull,
    DatabaseError,
    DatabaseRefused,
    DatabaseUnreachable,
    NotText,
    NotWhole,
    RegistryError,
    VectorMissing,
)

BEFORE_AN_AT = re.compile(r"[^\s'\"]+@")  # what a driver takes for a host may be the end of a password
# psycopg gives no SQLSTATE for a failed login, only the server's words
LOGIN_REFUSED = ("authentication failed", "does not exist", "no password supplied", "no pg_hba.conf entry")
RIGHTS_NEEDED = (
    "Name a role in {url} that may read and write the registry's tables. On first use it must create them, and"
    " the extension vector, for which a superuser is needed unless one has run CREATE EXTENSION vector there."
)
RUN_AGAIN = "What was finished is kept: once the server is well, run the same command again."
ADVICE = {
    psycopg.errors.ReadOnlySqlTransaction: "Nothing can be written as this role or on this server: name another.",
    psycopg.errors.NumericValueOutOfRange: "No key or number is that large: correct it.",
    psycopg.errors.QueryCanceled: RUN_AGAIN,
}


def connection_error(error: BaseException | None, shown_url: str) -> DatabaseError:
    """Say why no connection came about."""
    cause = BEFORE_AN_AT.sub("***@", _words(error))
    if "database" in cause and cause.endswith("does not exist"):
        cause += "; to create it, run createdb, or CREATE DATABASE in psql"
    kind = DatabaseRefused if any(sign in cause for sign in LOGIN_REFUSED) else DatabaseUnreachable
    return kind(url=shown_url, cause=cause)


def refusal(error: DBAPIError, shown_url: str) -> DatabaseError:
    """Say why a database cannot be made a registry, or opened as one."""
    cause = _words(error.orig)
    if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
        return rights_missing(cause, shown_url)
    if isinstance(error.orig, psycopg.errors.FeatureNotSupported | psycopg.errors.UndefinedFile):
        return VectorMissing(url=shown_url, cause=cause, needed=schema.PGVECTOR_NEEDED)
    if isinstance(error.orig, psycopg.errors.InvalidSchemaName):
        return DatabaseError(
            cause=f"{cause}: the role's search_path names none that exists. Create it, or name another"
        )
    return DatabaseError(cause=cause)


def rights_missing(cause: str, shown_url: str) -> DatabaseError:
    """Say which rights a role needs."""
    return DatabaseError(cause=f"{cause}. {RIGHTS_NEEDED.format(url=shown_url)}")


def as_registry_error(error: Exception) -> RegistryError | None:
    """Translate what fails in the middle of the work; None for an error that is nobody's fault but ours."""
    if isinstance(error, RegistryError):
        return error
    if isinstance(error, UnicodeEncodeError):
        return NotText(text=error.object)
    if isinstance(error, OSError):
        return RegistryError(cause=f"{error.strerror}: {error.filename}" if error.filename else str(error))
    driver_error = error.orig if isinstance(error, DBAPIError) else error
    return _database_error(driver_error) if isinstance(driver_error, psycopg.Error) else None


def _database_error(error: psycopg.Error) -> DatabaseError:
    words = _words(error)
    if isinstance(error, psycopg.errors.DiskFull):
        return DatabaseDiskFull(cause=words)
    if isinstance(error, psycopg.errors.UndefinedTable):
        return NotWhole(cause=words)
    for kinds, advice in ADVICE.items():
        if isinstance(error, kinds):
            return DatabaseError(cause=f"{words}. {advice}")
    return DatabaseError(cause=f"{words}. {RUN_AGAIN}" if isinstance(error, psycopg.OperationalError) else words)


def _words(error: BaseException | None) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
