"""Reach a registry's database: the embedded one by name, or any server by URL."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from registry import embedded, schema
from registry.errors import (
    DatabaseError,
    DatabaseRefused,
    DatabaseUnreachable,
    NoSuchRegistry,
    RegistryError,
    VectorMissing,
)

DEFAULT_NAME = "registry"
CONNECT_TIMEOUT_S = 10  # unless the URL says otherwise
# Greedy, since a password may hold any character; rather too much is hidden than too little.
PASSWORD = re.compile(r"(://[^:/@\s]*:).*@|(\bpassword=)[^&\s]*")
# psycopg gives no SQLSTATE for a failed login, only the server's words
LOGIN_REFUSED = ("authentication failed", "does not exist", "no password supplied", "no pg_hba.conf entry")
RIGHTS_NEEDED = (
    "Name a role in {url} that may read and write the registry's tables. On first use it must create them, and"
    " the extension vector, for which a superuser is needed unless one has run CREATE EXTENSION vector there."
)
RUN_AGAIN = "What was finished is kept: once the server is well, run the same command again."


@dataclass(frozen=True)
class Database:
    """A reachable database of the registry's schema."""

    engine: Engine
    server: embedded.EmbeddedServer | None  # the embedded server it is on; None for any other
    url: str  # as psql takes it, password included
    shown_url: str  # the same without the password, for messages


@contextmanager
def reach(database: str | None, *, create: bool = False, upgrade: bool = True) -> Iterator[Database]:
    """Open the database and bring its schema up to date.

    Args:
        database: A PostgreSQL URL, the name of a database on the embedded server, or None for
            REGISTRY_DATABASE_URL, and without that for the embedded database `registry`.
        create: True makes a named embedded database that is not there; else a mistyped name is an error.
        upgrade: False leaves the schema as it is, for asking about it.

    Raises:
        NoSuchRegistry: The embedded server has no database of this name.
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
        if not create and wanted != DEFAULT_NAME:
            _refuse_unknown(server, wanted)
        server.ensure_database(wanted)
        with _opened(server.url(wanted), server, upgrade) as opened:
            yield opened


def _refuse_unknown(server: embedded.EmbeddedServer, name: str) -> None:
    with psycopg.connect(server.url("postgres")) as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'")
        known = sorted(row[0] for row in rows)
    if name not in known:
        raise NoSuchRegistry(name=name, known=", ".join(known) or "none")


@contextmanager
def _opened(url: str, server: embedded.EmbeddedServer | None, upgrade: bool) -> Iterator[Database]:
    plain_url = _as_libpq_takes_it(url)
    shown_url = without_password(plain_url)
    # libpq reads the URL, so that whatever works with psql works here.
    address = {"connect_timeout": CONNECT_TIMEOUT_S, **conninfo_to_dict(plain_url)}
    engine = create_engine("postgresql+psycopg://", poolclass=NullPool, connect_args=address)
    try:
        _answer_or_raise(engine, shown_url, upgrade)
        yield Database(engine, server, plain_url, shown_url)
    finally:
        engine.dispose()


def without_password(text: str) -> str:
    """Hide the passwords of the URLs in a text, also of malformed ones."""
    return PASSWORD.sub(lambda found: f"{found[1] or found[2]}***{'@' if found[1] else ''}", text)


def _as_libpq_takes_it(url: str) -> str:
    """Drop the driver that SQLAlchemy's URLs may name; psycopg 3 is always the one used."""
    scheme, _, address = url.partition("://")
    if scheme.partition("+")[0] not in ("postgresql", "postgres"):
        raise DatabaseUnreachable(url=without_password(url), cause="this is not a PostgreSQL URL")
    plain_url = f"postgresql://{address}"
    try:
        conninfo_to_dict(plain_url)
    except psycopg.ProgrammingError as error:
        cause = without_password(str(error)).strip()
        raise DatabaseUnreachable(url=without_password(url), cause=cause) from error
    return plain_url


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
    if "database" in cause and cause.endswith("does not exist"):
        cause += "; to create it, run createdb, or CREATE DATABASE in psql"
    kind = DatabaseRefused if any(sign in cause for sign in LOGIN_REFUSED) else DatabaseUnreachable
    return kind(url=shown_url, cause=cause)


def _refusal(error: DBAPIError, shown_url: str) -> DatabaseError:
    cause = _first_line(error)
    if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
        return DatabaseError(cause=f"{cause}. {RIGHTS_NEEDED.format(url=shown_url)}")
    if isinstance(error.orig, psycopg.errors.FeatureNotSupported | psycopg.errors.UndefinedFile):
        return VectorMissing(url=shown_url, cause=cause, needed=schema.PGVECTOR_NEEDED)
    return DatabaseError(cause=cause)


def as_registry_error(error: Exception) -> RegistryError | None:
    """Translate what a database does in the middle of the work; None for an error that is nobody's fault but ours."""
    if isinstance(error, RegistryError):
        return error
    driver_error = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(driver_error, psycopg.OperationalError):
        return DatabaseError(cause=f"{_words(driver_error)}. {RUN_AGAIN}")
    if isinstance(driver_error, psycopg.Error):  # by itself from COPY, which goes past SQLAlchemy
        return DatabaseError(cause=_words(driver_error))
    return None


def _first_line(error: DBAPIError) -> str:
    return _words(error.orig)


def _words(error: BaseException | None) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
