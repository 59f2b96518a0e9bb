"""Which embedding models the registry knows, and the one it is built on."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from registry.tables import embedding_model, registry


@dataclass(frozen=True)
class Foundation:
    """What a registry is built on: its embedding model, and whom a voice is compared to."""

    model_id: int
    name: str
    fingerprint: str
    dimension: int
    scope: str
    false_merge_rate: float  # accepted share of automatic joins that put two voices together


def foundation(connection: Connection) -> Foundation | None:
    """Tell what the registry is built on; None before the first ingest."""
    query = select(
        embedding_model.c.model_id,
        embedding_model.c.name,
        embedding_model.c.fingerprint,
        embedding_model.c.dimension,
        registry.c.scope,
        registry.c.false_merge_rate,
    ).join(embedding_model, embedding_model.c.model_id == func.deciding_model())
    row = connection.execute(query).one_or_none()
    return None if row is None else Foundation(*row)


def lay_foundation(connection: Connection, name: str, fingerprint: str, dimension: int, scope: str) -> Foundation:
    """Record the model and scope of a new registry; if another process was first, theirs stands."""
    model_id = add_model(connection, name, fingerprint, dimension)
    row = upsert(registry).values(only_row=True, model_id=model_id, scope=scope)
    connection.execute(row.on_conflict_do_nothing())
    laid = foundation(connection)
    assert laid is not None  # noqa: S101 - the row above or another's is there
    return laid


def set_false_merge_rate(connection: Connection, rate: float) -> None:
    """Accept another share of false merges, from the next decision on."""
    connection.execute(update(registry).values(false_merge_rate=rate))


def add_model(connection: Connection, name: str, fingerprint: str, dimension: int) -> int:
    """Record a model, with vector indexes of its dimension, and give its key; a known one is only looked up."""
    connection.execute(text("LOCK TABLE embedding_model IN SHARE ROW EXCLUSIVE MODE"))
    known = select(embedding_model.c.model_id).where(embedding_model.c.fingerprint == fingerprint)
    model_id = connection.execute(known).scalar_one_or_none()
    if model_id is not None:
        return int(model_id)
    row = insert(embedding_model).values(name=name, fingerprint=fingerprint, dimension=dimension)
    model_id = int(connection.execute(row.returning(embedding_model.c.model_id)).scalar_one())
    for table, column in (("embedding", "vector"), ("profile", "mean")):
        connection.exec_driver_sql(
            f"CREATE INDEX {table}_model_{model_id}_hnsw ON {table}"
            f" USING hnsw (({column}::halfvec({dimension})) halfvec_cosine_ops) WHERE model_id = {model_id}"
        )
    return model_id
