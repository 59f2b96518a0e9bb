"""The schema's life: which revision a database is at, and bringing it to this version's."""

from importlib.resources import files
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from registry.errors import NotARegistry, SchemaTooNew, VectorMissing, VectorTooOld

PGVECTOR_NEEDED = "0.8.4"  # 0.8.2 to 0.8.4 mend corrupted HNSW indexes (parallel build, vacuum)
LASTING_TABLES = {"registry", "speaker_number"}  # at every revision; what knows a registry by
MIGRATION_LOCK = 0x5EED_0001  # any constant: two processes never migrate one database at once


def alembic_config(connection: Connection | None = None) -> Config:
    """Configure Alembic from the installed package; the connection is handed over, never a URL."""
    config = Config()
    config.set_main_option("script_location", str(files("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def newest_revision() -> str:
    """Name the revision this version of the package works with."""
    return str(ScriptDirectory.from_config(alembic_config()).get_current_head())


def revision(connection: Connection) -> str | None:
    """Name the revision the database is at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(connection: Connection, shown_url: str) -> bool:
    """Bring an empty or older database to the newest revision, in the caller's transaction.

    Returns:
        Whether anything was done.

    Raises:
        VectorMissing, VectorTooOld: The server's pgvector cannot serve.
        SchemaTooNew: A newer version of the package wrote the database.
        NotARegistry: The database holds tables of something else.
    """
    if _stands_at_newest(connection, shown_url):
        return False
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    if _stands_at_newest(connection, shown_url):
        return False
    ensure_pgvector(connection, shown_url)
    command.upgrade(alembic_config(connection), "head")
    _create_views(connection)
    return True


def _stands_at_newest(connection: Connection, shown_url: str) -> bool:
    """Tell whether nothing is to be done; refuse what is no registry or cannot be worked with."""
    found = revision(connection)
    tables = set(inspect(connection).get_table_names()) - {"alembic_version"}
    _refuse_foreign(found, tables, shown_url)
    _refuse_unknown(connection, found, shown_url)
    _refuse_too_old(installed_pgvector(connection), shown_url)
    return found == newest_revision()


def _create_views(connection: Connection) -> None:
    script = files("registry").joinpath("views.sql").read_text(encoding="utf-8")
    driver: Any = connection.connection.driver_connection  # SQLAlchemy would look for placeholders in it
    driver.execute(script)


def _refuse_foreign(found: str | None, tables: set[str], shown_url: str) -> None:
    """Refuse tables of others; one of those may well be Alembic's, at a revision called 0001."""
    is_registry = found is not None and tables >= LASTING_TABLES
    is_empty = found is None and not tables
    if not (is_registry or is_empty):
        shown = sorted(tables) or ["alembic_version"]
        raise NotARegistry(url=shown_url, tables=", ".join(shown[:5]))


def _refuse_unknown(connection: Connection, found: str | None, shown_url: str) -> None:
    scripts = ScriptDirectory.from_config(alembic_config(connection)).walk_revisions()
    if found is not None and found not in {script.revision for script in scripts}:
        raise SchemaTooNew(url=shown_url, found=found)


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
        connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))


def installed_pgvector(connection: Connection) -> str | None:
    """Give the version of pgvector that the database has; None without it."""
    return _version(connection, "SELECT extversion FROM pg_extension WHERE extname = 'vector'")


def _version(connection: Connection, query: str) -> str | None:
    return connection.execute(text(query)).scalar_one_or_none()


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
