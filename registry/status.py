"""How a registry stands: place, versions, contents."""

from sqlalchemy import Connection, text

from registry import schema
from registry.database import Database
from registry.store import identity, models

COUNTED = {
    "clips": "clip",
    "speakers": "speaker",
    "groups": "clip_group",
    "operations": "operation",
}
SINCE_IDENTITY = "0006"  # revisions that brought these
SINCE_ROLES = "0003"


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
        if found is None:
            return answer
        if found >= SINCE_IDENTITY:
            answer["registry"] = identity.registry_id(connection)
        answer |= _foundation(connection, found)
        for name, table in COUNTED.items():
            answer[name] = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608
        return answer


def _foundation(connection: Connection, revision: str) -> dict[str, object]:
    chosen = ("chosen with the first ingest",) * 2
    if revision >= SINCE_ROLES:
        built_on = models.foundation(connection)
        name, scope = (built_on.name, built_on.scope) if built_on else chosen
        beside = [f"{model.name} ({model.audios} audios)" for model in models.beside(connection)]
    else:  # there was but one model
        query = text("SELECT name, scope FROM registry JOIN embedding_model USING (model_id)")
        name, scope = connection.execute(query).one_or_none() or chosen
        beside = []
    return {"embedding model": name, "models beside": ", ".join(beside) or "none", "scope": scope}
