"""The schema's life: which revision a database is at, and bringing it to this version's."""

import enum
import re
import sys
from contextlib import suppress
from importlib.resources import files
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from registry.database import views
from registry.database.search_path import LASTING_TABLES, OWN
from registry.database.store import advisory_locks
from registry.errors import NotARegistry, SchemaTooNew, VectorMissing, VectorTooOld

if TYPE_CHECKING:
    from alembic.config import Config

PGVECTOR_NEEDED = "0.8.4"  # 0.8.2 to 0.8.4 mend corrupted HNSW indexes (parallel build, vacuum)
MIGRATION = re.compile(r"(\d{4})_\w+\.py")
# Tables that an extension brought are nobody's, as PostGIS on a hosted database.
TABLES = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
"""


# Where our sessions look for it: last of all, beside other programs' things if there are any.
INSTALL_PGVECTOR = """
    DO $$ BEGIN
        EXECUTE 'CREATE EXTENSION IF NOT EXISTS vector' || coalesce((
            SELECT ' SCHEMA ' || quote_ident(name)
            FROM unnest(current_schemas(false)) WITH ORDINALITY AS path (name, number)
            WHERE NOT starts_with(name, 'pg_temp') ORDER BY number DESC LIMIT 1), '');
    END $$
"""
# For those who connect from now on.
SHOW_IN_DATABASE = f"""
    DO $$ BEGIN
        IF NOT EXISTS (
            SELECT FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(setconfig) setting
            WHERE datname = current_database() AND setrole = 0 AND setting LIKE 'search_path=%'
        ) THEN
            EXECUTE format('ALTER DATABASE %I SET search_path = "$user", public, {OWN}', current_database());
        END IF;
    END $$
"""


class Standing(enum.Enum):
    """How a database stands to this version of the package."""

    EMPTY = enum.auto()
    OLDER = enum.auto()
    NEWEST = enum.auto()


def alembic_config(connection: Connection | None = None) -> "Config":
    """Configure Alembic from the installed package; the connection is handed over, never a URL."""
    from alembic.config import Config  # only to migrate: it takes as long to import as all else to ask a question

    config = Config(stdout=sys.stdout)  # its default is the stream of the time of the import
    config.set_main_option("script_location", str(files("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def newest_revision() -> str:
    """Name the revision this version of the package works with."""
    return max(_known_revisions())


def _known_revisions() -> set[str]:
    named = (MIGRATION.fullmatch(path.name) for path in files("migrations").joinpath("versions").iterdir())
    return {name[1] for name in named if name}


def revision(connection: Connection) -> str | None:
    """Name the revision the database is at; None for an empty one."""
    if "alembic_version" not in _tables(connection):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def upgrade(connection: Connection, shown_url: str) -> bool:
    """Bring an empty or older database to the newest revision, in the caller's transaction.

    Returns:
        Whether anything was done.

    Raises:
        VectorMissing, VectorTooOld: The server's pgvector cannot serve.
        SchemaTooNew: A newer version of the package wrote the database.
        NotARegistry: The database holds tables of something else.
        ViewsInUse: What people made upon the views stands in the way.
    """
    found = standing(connection, shown_url)
    if found is Standing.OLDER:  # where it is empty, one of two that begin it at once fails on what the other makes
        advisory_locks.take(connection, advisory_locks.SCHEMA)
        found = standing(connection, shown_url)
    if found is Standing.NEWEST:
        return False
    ensure_pgvector(connection, shown_url)
    from alembic import command

    with views.made_anew(connection):
        command.upgrade(alembic_config(connection), "head")
    return True


def take_back(connection: Connection, *, with_schema: bool) -> None:
    """Remove the tables, views and functions of a registry in which nothing was done yet.

    Args:
        connection: In a transaction.
        with_schema: Whether the schema was made for it; pgvector is left, and the schema with it if it is there.
    """
    from registry.database.store.tables import metadata  # seldom needed, and all else would wait for it

    views.drop(connection)
    metadata.drop_all(connection)
    connection.execute(text("DROP FUNCTION keep_totals()"))
    connection.execute(text("DROP TABLE alembic_version"))
    if with_schema:
        with suppress(DBAPIError), connection.begin_nested():
            connection.execute(text(f"DROP SCHEMA {OWN} RESTRICT"))


def make_room(connection: Connection) -> None:
    """Make the schema of a new registry."""
    connection.execute(text(f"CREATE SCHEMA {OWN}"))
    connection.execute(text(f"COMMENT ON SCHEMA {OWN} IS 'The speaker registry: who is heard in which clip.'"))


def show(connection: Connection) -> None:
    """Let people find the registry in this database without naming its schema, unless its path was set by somebody.

    Where the database may only be read, people go on naming it.
    """
    try:
        with connection.begin_nested():
            connection.execute(text(SHOW_IN_DATABASE))
    except DBAPIError as error:
        if not isinstance(error.orig, psycopg.errors.ReadOnlySqlTransaction):
            raise


def standing(connection: Connection, shown_url: str) -> Standing:
    """Tell what is to be done; refuse what is no registry or cannot be worked with.

    Raises:
        VectorTooOld, SchemaTooNew, NotARegistry: As with `upgrade`.
    """
    found = revision(connection)
    _refuse_foreign(found, _tables(connection) - {"alembic_version"}, shown_url)
    if found is None:
        return Standing.EMPTY
    if found not in _known_revisions():
        raise SchemaTooNew(url=shown_url, found=found)
    _refuse_too_old(installed_pgvector(connection), shown_url)
    return Standing.NEWEST if found == newest_revision() else Standing.OLDER


def _tables(connection: Connection) -> set[str]:
    return set(connection.execute(text(TABLES)).scalars())


def _refuse_foreign(found: str | None, tables: set[str], shown_url: str) -> None:
    """Refuse tables of others; one of those may well be Alembic's, at a revision called 0001."""
    is_registry = found is not None and tables >= LASTING_TABLES
    is_empty = found is None and not tables
    if not (is_registry or is_empty):
        shown = sorted(tables) or ["alembic_version"]
        raise NotARegistry(url=shown_url, tables=", ".join(shown[:5]))


def _refuse_too_old(pgvector: str | None, shown_url: str) -> None:
    if pgvector is not None and _parts(pgvector) < _parts(PGVECTOR_NEEDED):
        raise VectorTooOld(url=shown_url, found=pgvector, needed=PGVECTOR_NEEDED)


def ensure_pgvector(connection: Connection, shown_url: str) -> None:
    """Install pgvector where it is missing and refuse a version that corrupts indexes."""
    installed = installed_pgvector(connection)
    offered = _version(connection, "SELECT default_version FROM pg_available_extensions WHERE name = 'vector'")
    version = installed or offered
    if version is None:
        raise VectorMissing(url=shown_url, cause="the extension is not installed", needed=PGVECTOR_NEEDED)
    _refuse_too_old(version, shown_url)
    if installed is None:
        connection.execute(text(INSTALL_PGVECTOR))


def installed_pgvector(connection: Connection) -> str | None:
    """Give the version of pgvector that the database has; None without it."""
    return _version(connection, "SELECT extversion FROM pg_extension WHERE extname = 'vector'")


def _version(connection: Connection, query: str) -> str | None:
    return connection.execute(text(query)).scalar_one_or_none()


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
