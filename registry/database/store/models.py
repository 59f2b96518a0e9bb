"""The embedding models that the registry knows: the deciding model, and models kept up beside it."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from registry import settings
from registry.core.linking.model_constants import ModelConstants
from registry.core.linking.probability_rule import ProbabilityRule
from registry.database.store import calibrations
from registry.database.store.tables import embedding_model, registry

Role = Literal["deciding", "beside"]


@dataclass(frozen=True)
class Foundation:
    """What decisions of the registry rest on: the deciding model, whom a voice is compared with, and the rule."""

    model_id: int  # the deciding model
    name: str  # of the model
    fingerprint: str  # of the model's weights and code: SHA-256, hex
    dimension: int  # length of the model's embeddings
    scope: str  # "registry" or "broadcaster": whose speakers a voice is compared with
    false_merge_rate: float  # accepted share of automatic joins that put two voices together
    constants: ModelConstants | None = None  # measured for the model; None if the model was not calibrated

    @property
    def rule(self) -> ProbabilityRule:
        """The constants by which it is decided who is who."""
        return settings.linking_rule(self.false_merge_rate, self.constants)


def foundation(connection: Connection) -> Foundation | None:
    """Give what decisions of the registry rest on; None before the first ingest."""
    query = select(
        embedding_model.c.model_id,
        embedding_model.c.name,
        embedding_model.c.fingerprint,
        embedding_model.c.dimension,
        registry.c.scope,
        registry.c.false_merge_rate,
    ).join(embedding_model, embedding_model.c.model_id == func.deciding_model())
    row = connection.execute(query).one_or_none()
    return None if row is None else Foundation(*row, calibrations.standing(connection, row.model_id))


def lay_foundation(connection: Connection, name: str, fingerprint: str, dimension: int, scope: str) -> Foundation:
    """Record the model and the scope of a new registry. If another process was first, what that one recorded stays."""
    model_id = add_model(connection, name, fingerprint, dimension)
    row = upsert(registry).values(only_row=True, model_id=model_id, scope=scope)
    connection.execute(row.on_conflict_do_nothing())
    laid = foundation(connection)
    assert laid is not None  # noqa: S101 - the row above or another's is there
    return laid


@dataclass(frozen=True)
class KnownModel:
    """A model that has embedded something for this registry."""

    model_id: int
    name: str
    fingerprint: str
    dimension: int
    role: Role | None  # None for a model whose reembed was never finished, or was undone


def find(connection: Connection, name: str) -> KnownModel | None:
    """Find a model by name; None if no model has it.

    Of several models of one name, the newest that was given a role comes first, then the registry's first model, then
    the newest model.
    """
    query = text("""
        SELECT m.model_id, m.name, m.fingerprint, m.dimension,
               CASE WHEN m.model_id = deciding_model() THEN 'deciding'
                    WHEN m.model_id = first.model_id THEN 'beside' ELSE r.role END
        FROM embedding_model m CROSS JOIN registry first
        LEFT JOIN model_role r ON r.model_id = m.model_id AND r.to_operation IS NULL
        WHERE m.name = :name
        ORDER BY r.role_id IS NULL, m.model_id <> first.model_id, m.model_id DESC LIMIT 1
    """)
    row = connection.execute(query, {"name": name}).one_or_none()
    return None if row is None else KnownModel(*row)


def put_beside(connection: Connection, model_id: int, operation_id: int) -> None:
    """Note that a model is kept up beside the deciding model.

    The registry's first model needs no note: it is kept up beside the deciding model wherever it does not decide.
    """
    query = text("""
        INSERT INTO model_role (model_id, role, from_operation)
        SELECT :model_id, 'beside', :operation_id FROM registry first
        WHERE first.model_id <> :model_id AND NOT EXISTS (
            SELECT FROM model_role WHERE model_id = :model_id AND to_operation IS NULL)
    """)
    connection.execute(query, {"model_id": model_id, "operation_id": operation_id})


def decide_by(connection: Connection, model_id: int, operation_id: int) -> None:
    """Make a model the deciding one. The model that decided until now is kept up beside it."""
    values = {"model_id": model_id, "operation_id": operation_id}
    closed = connection.execute(
        text("""
        UPDATE model_role SET to_operation = :operation_id
        WHERE to_operation IS NULL AND (role = 'deciding' OR model_id = :model_id) RETURNING model_id
        """),
        values,
    )
    others = [other_id for other_id in closed.scalars() if other_id != model_id]
    connection.execute(
        text("""
        INSERT INTO model_role (model_id, role, from_operation)
        SELECT other_id, 'beside', :operation_id FROM unnest(CAST(:others AS smallint[])) AS other_id
        UNION ALL SELECT :model_id, 'deciding', :operation_id FROM registry first WHERE first.model_id <> :model_id
        """),
        values | {"others": others},
    )


def name_of(connection: Connection, model_id: int) -> str:
    """Give the name under which a model was first used."""
    query = select(embedding_model.c.name).where(embedding_model.c.model_id == model_id)
    return str(connection.execute(query).scalar_one())


@dataclass(frozen=True)
class Kept:
    """A model kept up beside the deciding one."""

    name: str
    audios: int  # recordings that it has embedded


def beside(connection: Connection) -> list[Kept]:
    """List the models beside the deciding one, oldest first."""
    query = text("""
        SELECT m.name, (SELECT count(*) FROM embedding e WHERE e.model_id = m.model_id)
        FROM embedding_model m
        WHERE m.model_id <> deciding_model() AND (
            m.model_id = (SELECT model_id FROM registry)
            OR EXISTS (SELECT FROM model_role r WHERE r.model_id = m.model_id AND r.to_operation IS NULL))
        ORDER BY m.model_id
    """)
    return [Kept(*row) for row in connection.execute(query)]


def set_false_merge_rate(connection: Connection, rate: float) -> None:
    """Change the accepted rate of false merges, from the next decision on."""
    connection.execute(update(registry).values(false_merge_rate=rate))


def add_model(connection: Connection, name: str, fingerprint: str, dimension: int) -> int:
    """Record a model, make a vector index of its dimension, and give its key. A known model is only looked up."""
    connection.execute(text("LOCK TABLE embedding_model IN SHARE ROW EXCLUSIVE MODE"))
    known = select(embedding_model.c.model_id).where(embedding_model.c.fingerprint == fingerprint)
    model_id = connection.execute(known).scalar_one_or_none()
    if model_id is not None:
        return int(model_id)
    row = insert(embedding_model).values(name=name, fingerprint=fingerprint, dimension=dimension)
    model_id = int(connection.execute(row.returning(embedding_model.c.model_id)).scalar_one())
    connection.exec_driver_sql(
        f"CREATE INDEX profile_model_{model_id}_hnsw ON profile"
        f" USING hnsw ((mean::halfvec({dimension})) halfvec_cosine_ops) WHERE model_id = {model_id}"
    )
    return model_id
