"""Reach a registry's database: the embedded one by name, or any server by URL."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from registry import embedded, schema
from registry.errors import (
    DatabaseError,
    DatabaseRefused,
    DatabaseUnreachable,
    RegistryError,
    VectorMissing,
)

DEFAULT_NAME = "registry"
# psycopg gives no SQLSTATE for a failed login, only the server's words
LOGIN_REFUSED = ("authentication failed", "does not exist", "no password supplied", "no pg_hba.conf entry")


@dataclass(frozen=True)
class Database:
    """A reachable database of the registry's schema."""

    engine: Engine
    server: embedded.EmbeddedServer | None  # the embedded server it is on; None for any other
    url: str  # as psql takes it, password included
    shown_url: str  # the same without the password, for messages


@contextmanager
def reach(database: str | None, *, upgrade: bool = True) -> Iterator[Database]:
    """Open the database and bring its schema up to date.

    Args:
        database: A PostgreSQL URL, the name of a database on the embedded server, or None for
            REGISTRY_DATABASE_URL, and without that for the embedded database `registry`.
        upgrade: False leaves the schema as it is, for asking about it.

    Raises:
        DatabaseUnreachable, DatabaseRefused: No server answers, or it refuses the login.
        EmbeddedServerFailed: The embedded server did not start.
        VectorMissing, VectorTooOld, SchemaTooNew, NotARegistry: The database cannot serve.
    """
    wanted = database or os.environ.get("REGISTRY_DATABASE_URL") or DEFAULT_NAME
    if "://" in wanted:
        with _opened(wanted, None, upgrade) as opened:
            yield opened
        return
    with embedded.EmbeddedServer(embedded.home()) as server:
        server.ensure_database(wanted)
        with _opened(server.url(wanted), server, upgrade) as opened:
            yield opened


@contextmanager
def _opened(url: str, server: embedded.EmbeddedServer | None, upgrade: bool) -> Iterator[Database]:
    parsed = _parse(url)
    shown_url = parsed.set(drivername="postgresql").render_as_string(hide_password=True)
    engine = create_engine(parsed, poolclass=NullPool, connect_args={"connect_timeout": 10})
    try:
        _answer_or_raise(engine, shown_url, upgrade)
        yield Database(engine, server, url, shown_url)
    finally:
        engine.dispose()


def _parse(url: str) -> URL:
    """Read a URL; whatever PostgreSQL driver it names, psycopg 3 is the one used."""
    try:
        return make_url(url).set(drivername="postgresql+psycopg")
    except ArgumentError as error:
        raise DatabaseUnreachable(url=url, cause="this is not a PostgreSQL URL") from error


def _answer_or_raise(engine: Engine, shown_url: str, upgrade: bool) -> None:
    try:
        with engine.begin() as connection:
            if upgrade:
                schema.upgrade(connection, shown_url)
    except OperationalError as error:
        raise _connection_error(error, shown_url) from error
    except DBAPIError as error:
        raise _refusal(error, shown_url) from error


def _connection_error(error: OperationalError, shown_url: str) -> DatabaseError:
    cause = _first_line(error)
    kind = DatabaseRefused if any(sign in cause for sign in LOGIN_REFUSED) else DatabaseUnreachable
    return kind(url=shown_url, cause=cause)


def _refusal(error: DBAPIError, shown_url: str) -> DatabaseError:
    cause = _first_line(error)
    if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
        return DatabaseRefused(url=shown_url, cause=cause)
    if isinstance(error.orig, psycopg.errors.FeatureNotSupported | psycopg.errors.UndefinedFile):
        return VectorMissing(url=shown_url, cause=cause, needed=schema.PGVECTOR_NEEDED)
    return DatabaseError(cause=cause)


def as_registry_error(error: Exception) -> RegistryError | None:
    """Translate what a database does in the middle of the work; None for an error that is nobody's fault but ours."""
    if isinstance(error, RegistryError):
        return error
    if isinstance(error, DBAPIError):
        return DatabaseError(cause=_first_line(error))
    if isinstance(error, psycopg.Error):  # from COPY, which goes past SQLAlchemy
        return DatabaseError(cause=str(error).strip())
    return None


def _first_line(error: DBAPIError) -> str:
    return (str(error.orig).strip() or type(error.orig).__name__).splitlines()[0]
