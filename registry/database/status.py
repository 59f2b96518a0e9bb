"""How a registry stands: place, versions, contents."""

from sqlalchemy import Connection, text

from registry.database import schema
from registry.database.reach import Database
from registry.database.store import calibrations, identity, models

COUNTED = {
    "clips": "SELECT count(*) FROM assignment WHERE to_operation IS NULL",
    "speakers": "SELECT count(DISTINCT speaker_id) FROM assignment WHERE to_operation IS NULL",
    # Numbers that lead to another one; a speaker who was joined at several broadcasters has one at each.
    "aliases": "SELECT count(*) FROM speaker_number WHERE is_alias AND to_operation IS NULL",
    "groups": "SELECT count(*) FROM clip_group",
    "operations": "SELECT count(*) FROM operation",
}
SINCE_ALIASES = "0002"  # revisions that brought these
SINCE_ROLES = "0003"
SINCE_IDENTITY = "0006"
SINCE_CALIBRATIONS = "0010"


def status(opened: Database) -> dict[str, object]:
    """Describe a database that may be empty or at an older revision."""
    with opened.engine.connect() as connection:
        found = schema.revision(connection)
        answer: dict[str, object] = {
            "url": opened.shown_url,
            "postgresql": connection.execute(text("SHOW server_version")).scalar_one(),
            "pgvector": schema.installed_pgvector(connection) or "not installed yet",
            "schema_revision": found or "none yet",
            "newest_revision": schema.newest_revision(),
        }
        if found is None:
            return answer
        if found >= SINCE_IDENTITY:
            answer["registry"] = identity.registry_id(connection)
        answer |= _foundation(connection, found)
        counted = {name: query for name, query in COUNTED.items() if name != "aliases" or found >= SINCE_ALIASES}
        return answer | {name: connection.execute(text(query)).scalar_one() for name, query in counted.items()}


def _foundation(connection: Connection, revision: str) -> dict[str, object]:
    has_roles = revision >= SINCE_ROLES  # before there was but one model
    deciding = "deciding_model()" if has_roles else "registry.model_id"
    query = f"SELECT m.model_id, name, scope FROM registry JOIN embedding_model m ON m.model_id = {deciding}"  # noqa: S608 - constants
    found = connection.execute(text(query)).one_or_none()
    model_id, name, scope = found or (None, *("chosen with the first ingest",) * 2)
    beside = [f"{model.name} ({model.audios} audios)" for model in models.beside(connection)] if has_roles else []
    since = calibrations.made_by(connection, model_id) if model_id and revision >= SINCE_CALIBRATIONS else None
    return {
        "embedding_model": name,
        "models_beside": ", ".join(beside) or "none",
        "calibrated": f"since operation {since}" if since else "no, the constants of the package hold",
        "scope": scope,
    }
