"""How a registry stands: place, versions, contents."""

from sqlalchemy import Connection, inspect, text

from registry import schema
from registry.database import Database
from registry.store import models

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
        answer |= _foundation(connection)
        for name, table in COUNTED.items():
            answer[name] = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608
        return answer


def _foundation(connection: Connection) -> dict[str, object]:
    chosen = ("chosen with the first ingest",) * 2
    if inspect(connection).has_table("model_role"):
        built_on = models.foundation(connection)
        name, scope = (built_on.name, built_on.scope) if built_on else chosen
        beside = [f"{model.name} ({model.audios} audios)" for model in models.beside(connection)]
    else:  # before revision 0003 there was but one model
        query = text("SELECT name, scope FROM registry JOIN embedding_model USING (model_id)")
        name, scope = connection.execute(query).one_or_none() or chosen
        beside = []
    return {"embedding model": name, "models beside": ", ".join(beside) or "none", "scope": scope}
