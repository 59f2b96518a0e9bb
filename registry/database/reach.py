"""Reach a registry's database: the embedded one by name, or any server by URL."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from registry.core.shown_addresses import is_plain, shown_database, shown_text
from registry.database import embedded, schema, views
from registry.database.embedded import disk_space
from registry.database.search_path import Facts
from registry.database.server_errors import connection_error, refusal, rights_missing
from registry.database.session import Session, session_for
from registry.database.store import identity
from registry.errors import (
    DatabaseDiskFull,
    DatabaseError,
    DatabaseUnreachable,
    EmbeddedServerFailed,
    NameUnfit,
    NoRegistryHere,
    NoSuchRegistry,
    RegistryBegun,
)

DEFAULT_NAME = "registry"
NAME_BYTES = 63  # of a database, as PostgreSQL is built
OF_A_LOST_SERVER = (psycopg.OperationalError, OperationalError, EmbeddedServerFailed, DatabaseUnreachable)
# Of two that begin a registry at once, the second fails on what the first has made, and finds it there then.
ALREADY_MADE = (
    psycopg.errors.UniqueViolation,
    psycopg.errors.DuplicateSchema,
    psycopg.errors.DuplicateTable,
    psycopg.errors.DuplicateObject,
)
OF_POSTGRESQL = ("postgres", "template0", "template1")
POSTGRESQL = ("postgresql://", "postgres://")
QUOTED = re.compile('".*"', re.DOTALL)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Database:
    """A reachable database of the registry's schema."""

    engine: Engine
    server: embedded.EmbeddedServer | None  # the embedded server it is on; None for any other
    url: str  # as psql takes it, password included
    shown_url: str  # the same without the password, for messages
    place: str  # where people find it: the embedded server's folder, or the shown URL
    session: Session  # how its connections are opened
    begun: str | None = None  # the identity of a registry that was made just now


@dataclass(frozen=True)
class _Wish:
    create: bool
    new: bool
    upgrade: bool
    reading: bool

    @property
    def may_make(self) -> bool:
        return self.create or self.new


@contextmanager
def reach(
    database: str | None, *, create: bool = False, new: bool = False, upgrade: bool = True, reading: bool = False
) -> Iterator[Database]:
    """Open the database of a registry that is there, and bring its schema up to date.

    One that is begun by `new`, and in which nothing was done when the caller is through, is removed again.

    Args:
        database: A PostgreSQL URL, the name of a database on the embedded server, or None for
            REGISTRY_DATABASE_URL, and without that for the embedded database `registry`.
        create: True makes a registry where there is none, and takes the one that is there.
        new: True begins a registry where there is none, and refuses one that holds clips.
        upgrade: False leaves the schema as it is, and shows an empty database too, for asking about it.
        reading: True leaves views and functions as somebody changed them by hand, so that a check can tell. It does not
            keep the caller from writing.

    Raises:
        NameUnfit: No registry of the embedded server can have this name.
        NoRegistryHere, NoSuchRegistry: There is none, and none is to be made.
        RegistryBegun: With `new`, there is one with clips.
        DatabaseUnreachable, DatabaseRefused: No server answers, or it refuses the login.
        EmbeddedServerFailed, DatabaseDiskFull: The embedded server did not start.
        EncodingUnfit, VectorMissing, VectorTooOld, SchemaTooNew, NotARegistry, ViewsInUse: The database cannot serve.
    """
    wanted = os.environ.get("REGISTRY_DATABASE_URL") or DEFAULT_NAME if database is None else database
    wish = _Wish(create, new, upgrade, reading)
    if "://" in wanted:
        with _opened(wanted, None, wish) as opened:
            yield opened
        return
    if not wanted:
        raise NameUnfit(name=wanted, cause="it is empty, as a variable that is not set is")
    if "=" in wanted or "@" in wanted:  # and may hold a password
        raise NameUnfit(
            name="***", cause="it looks like an address, of which postgresql://USER@HOST:PORT/NAME is the form"
        )
    server = embedded.EmbeddedServer(embedded.home())
    if not wish.may_make and not server.exists():
        raise NoRegistryHere(place=server.home, hint=_elsewhere(server))
    with _full_disk_told(server), server:
        _ensure_known(server, wanted, wish)
        with _opened(server.url(wanted), server, wish) as opened:
            yield opened


def _elsewhere(server: embedded.EmbeddedServer) -> str:
    """Name the registry of the default place, which a REGISTRY_HOME set in one shell and not in another misses."""
    usual = embedded.EmbeddedServer(embedded.default_home())
    return f", though there is one in {usual.home}" if usual.home != server.home and usual.exists() else ""


def _ensure_known(server: embedded.EmbeddedServer, name: str, wish: _Wish) -> None:
    if wish.may_make:
        _refuse_unfit(name)
        server.ensure_database(name)
    elif not server.has_database(name):
        raise NoSuchRegistry(home=server.home, name=name, known=", ".join(server.databases()) or "none")


def _refuse_unfit(name: str) -> None:
    """Refuse names that PostgreSQL keeps for itself, or would shorten, so that two registries became one."""
    if name in OF_POSTGRESQL:
        raise NameUnfit(name=name, cause="PostgreSQL keeps that name for itself")
    if len(name.encode()) > NAME_BYTES:
        raise NameUnfit(name=name, cause=f"it is longer than {NAME_BYTES} bytes")


@contextmanager
def _opened(url: str, server: embedded.EmbeddedServer | None, wish: _Wish) -> Iterator[Database]:
    plain_url = as_libpq_takes_it(url)
    shown_url = without_password(plain_url)
    session = _session(plain_url, shown_url, is_own=server is not None)
    engine = create_engine("postgresql+psycopg://", poolclass=NullPool, creator=session.connect)
    place = str(server.home) if server else shown_url
    opened = Database(engine, server, plain_url, shown_url, place, session)
    try:
        opened = _answer_or_raise(opened, wish) if wish.upgrade else opened
        try:
            yield opened
        finally:
            if opened.begun and wish.new:
                _take_back_unless_used(opened)
    finally:
        opened.engine.dispose()


def _take_back_unless_used(opened: Database) -> None:
    """Leave nothing of a new registry that nothing came into; a server that has died leaves it for the next run."""
    with suppress(psycopg.Error, DBAPIError):
        with opened.engine.begin() as connection:
            if not identity.is_untouched(connection):
                return
            if opened.server is None:
                schema.take_back(connection, with_schema=opened.session.facts.is_unmade)
        if opened.server is not None:
            opened.server.drop_database(str(conninfo_to_dict(opened.url)["dbname"]))
        _log.warning("nothing was taken in: the new registry was removed again")


@contextmanager
def _full_disk_told(server: embedded.EmbeddedServer) -> Iterator[None]:
    """Tell a full disk as such; the server only says that it is gone."""
    said_before = server.said()
    try:
        yield
    except (psycopg.Error, DBAPIError, DatabaseError) as error:
        full = server.full_disk(said_before, str(error)) if isinstance(error, OF_A_LOST_SERVER) else None
        if full is None and disk_space.FULL not in str(error):
            raise
        raise DatabaseDiskFull(cause=full or error) from error


def _session(url: str, shown_url: str, *, is_own: bool) -> Session:
    try:
        return session_for(url, shown_url, is_own=is_own)
    except psycopg.OperationalError as error:
        raise connection_error(error, shown_url) from error


def without_password(text: str) -> str:
    """Show a text, an argument of a command say, with no more of its URLs than host, port, user, and name or path."""
    with suppress(psycopg.ProgrammingError):
        if text.startswith(POSTGRESQL) and is_plain(address := conninfo_to_dict(text)):
            return shown_database(address)
    return shown_text(text)


def as_libpq_takes_it(url: str) -> str:
    """Drop the driver that SQLAlchemy's URLs may name; psycopg 3 is always the one used."""
    scheme, _, address = url.partition("://")
    if scheme.partition("+")[0] not in ("postgresql", "postgres"):
        raise DatabaseUnreachable(url=without_password(url), cause="this is not a PostgreSQL URL")
    plain_url = f"postgresql://{address}"
    try:
        conninfo_to_dict(plain_url)
    except psycopg.ProgrammingError as error:
        cause = QUOTED.sub('"..."', str(error)).strip()  # what it quotes may be a part of the password
        raise DatabaseUnreachable(url=without_password(url), cause=cause) from None
    return plain_url


def _answer_or_raise(opened: Database, wish: _Wish, *, again: bool = True) -> Database:
    """Bring the schema up to date; note the identity of a registry that was made by it."""
    try:
        with opened.engine.begin() as connection:
            return replace(opened, begun=_brought_up(connection, opened, wish))
    except OperationalError as error:
        raise connection_error(error.orig, opened.shown_url) from error
    except DBAPIError as error:
        if again and isinstance(error.orig, ALREADY_MADE):
            return _answer_or_raise(_looked_at_again(opened), wish, again=False)
        raise refusal(error, opened.shown_url) from error


def _looked_at_again(opened: Database) -> Database:
    session = _session(opened.url, opened.shown_url, is_own=opened.session.is_own)
    engine = create_engine("postgresql+psycopg://", poolclass=NullPool, creator=session.connect)
    return replace(opened, engine=engine, session=session)


def _brought_up(connection: Connection, opened: Database, wish: _Wish) -> str | None:
    facts = opened.session.facts
    if facts.home in facts.closed:
        raise rights_missing(f"permission denied for schema {facts.home}", opened.shown_url)
    if facts.is_unmade and wish.may_make:
        schema.make_room(connection)
    is_empty = facts.is_unmade or schema.standing(connection, opened.shown_url) is schema.Standing.EMPTY
    if is_empty and not wish.may_make:
        raise NoRegistryHere(place=opened.place, hint=_other_schemas(facts))
    if wish.new and not is_empty and identity.holds_clips(connection):
        raise RegistryBegun(place=opened.place)
    is_changed = schema.upgrade(connection, opened.shown_url)
    if not is_changed:
        views.ensure(connection, reading=wish.reading)
    if facts.is_hidden and not wish.reading:
        schema.show(connection)
    return identity.registry_id(connection) if is_empty and is_changed else None


def _other_schemas(facts: Facts) -> str:
    """Tell of registries that the search_path does not lead to."""
    if not facts.holding:
        return ""
    example = f"?options=-csearch_path%3D{facts.holding[0]}"
    return f" on the role's search_path, but in the schema {', '.join(facts.holding)}: add {example} to the URL"
