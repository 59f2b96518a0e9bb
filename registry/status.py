"""How a registry stands: place, versions, contents."""

from sqlalchemy import inspect, text

from registry import schema
from registry.database import Database
from registry.store.models import foundation

COUNTED = {
    "clips": "clip",
    "speakers": "speaker",
    "groups": "clip_group",
    "operations": "operation",
}


def status(opened: Database) -> dict[str, object]:
    """Describe a database that may be empty or at an older revision."""
    with opened.engine.connect() as connection:
        found = schema.revision(connection)
        answer: dict[str, object] = {
            "url": opened.shown_url,
            "PostgreSQL": connection.execute(text("SHOW server_version")).scalar_one(),
            "pgvector": schema.installed_pgvector(connection) or "not installed yet",
            "schema revision": found or "none yet",
            "newest revision": schema.newest_revision(),
        }
        if not inspect(connection).has_table("registry"):
            return answer
        built_on = foundation(connection)
        answer["embedding model"] = built_on.name if built_on else "chosen with the first ingest"
        answer["scope"] = built_on.scope if built_on else "chosen with the first ingest"
        for name, table in COUNTED.items():
            answer[name] = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608
        return answer
