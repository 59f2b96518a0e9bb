"""The journal read back: operations, and what each of them changed."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, text

from registry.core.linking.model_constants import ModelConstants


@dataclass(frozen=True)
class Entry:
    """One operation."""

    operation_id: int
    at: dt.datetime
    kind: str
    user_name: str
    command: str
    summary: dict[str, Any]
    erased_by: int | None  # the forgetting that erased what it changed; it cannot be undone then


@dataclass(frozen=True)
class Effects:
    """What operations changed, in the words of people: labels are BROADCASTER/F0001, "" stands for none."""

    clips: tuple[tuple[str, str, str, int], ...] = ()  # from, to, reason, how many
    numbers: tuple[tuple[str, str, str], ...] = ()  # label, "given" | "retired" | "alias", of whom
    names: tuple[tuple[str, str, str], ...] = ()  # label, before, after
    verdicts: tuple[tuple[str, str, str, str], ...] = ()  # "made" | "ended", kind, label, clip or other label
    models: tuple[tuple[str, str, str], ...] = ()  # name, role before, role after: "deciding" | "beside"
    constants: tuple[tuple[str, str, str, str], ...] = ()  # model, constant, before, after: a number | "shipped"

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Effects":
        """Read what `asdict` and JSON made of it, also before models, or their constants, could change."""
        document = {"models": [], "constants": [], **document}
        return cls(**{f.name: tuple(tuple(row) for row in document[f.name]) for f in fields(cls)})


CONSTANTS = tuple(field.name for field in fields(ModelConstants))
LABEL = """(
    SELECT string_agg(label, ' ' ORDER BY label) FROM (
        SELECT DISTINCT n.broadcaster || '/' || number_label(n.gender, n.number) AS label
        FROM speaker_number n WHERE n.speaker_id = {speaker} AND NOT n.is_alias
        AND n.from_operation <= {at} AND (n.to_operation IS NULL OR n.to_operation > {at})) labels)"""


def _label(speaker: str, at: str) -> str:
    return f"coalesce({LABEL.format(speaker=speaker, at=at)}, '')"


# ruff: noqa: S608 - the queries are put together from constants of this module
# Whose clips went where: what ended with the operations against what began with them.
CHANGED_CLIPS = f"""
    WITH was AS (SELECT * FROM assignment WHERE to_operation = ANY(:ids) AND from_operation <= :before),
    now AS (SELECT * FROM assignment WHERE from_operation = ANY(:ids)
            AND (to_operation IS NULL OR to_operation > :last)),
    moved AS (
        SELECT was.speaker_id AS was_id, now.speaker_id AS now_id, now.reason, count(*) AS clips
        FROM was FULL JOIN now USING (clip_id) GROUP BY 1, 2, 3)
    SELECT {_label("was_id", ":before")} AS was, {_label("now_id", ":last")} AS now,
           coalesce(reason, ''), sum(clips)::int
    FROM moved GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
# Numbers given, retired, or made aliases.
CHANGED_NUMBERS = f"""
    WITH now AS (SELECT * FROM speaker_number WHERE from_operation = ANY(:ids)
                 AND (to_operation IS NULL OR to_operation > :last)),
    was AS (SELECT * FROM speaker_number WHERE to_operation = ANY(:ids) AND from_operation <= :before)
    SELECT broadcaster || '/' || number_label(gender, number) AS label,
           CASE WHEN now.number IS NULL THEN 'retired' WHEN now.is_alias THEN 'alias' ELSE 'given' END,
           CASE WHEN now.is_alias THEN {_label("now.speaker_id", ":last")} ELSE '' END
    FROM now FULL JOIN was USING (broadcaster, gender, number)
    WHERE now.is_alias IS DISTINCT FROM was.is_alias OR now.is_alias ORDER BY 1
"""
# Names before and after.
CHANGED_NAMES = f"""
    WITH now AS (SELECT * FROM speaker_name WHERE from_operation = ANY(:ids)
                 AND (to_operation IS NULL OR to_operation > :last)),
    was AS (SELECT * FROM speaker_name WHERE to_operation = ANY(:ids) AND from_operation <= :before)
    SELECT CASE WHEN now.speaker_id IS NULL THEN {_label("was.speaker_id", ":before")}
                ELSE {_label("now.speaker_id", ":last")} END,
           coalesce(was.name, ''), coalesce(now.name, '')
    FROM now FULL JOIN was USING (speaker_id) ORDER BY 1
"""
# Verdicts made or ended, but not those made and ended by the same operations.
CHANGED_VERDICTS = f"""
    SELECT CASE WHEN v.to_operation = ANY(:ids) THEN 'ended' ELSE 'made' END, v.kind,
           {_label("v.speaker_id", ":last")},
           coalesce((SELECT g.broadcaster || '_' || g.gender || to_char(g.date, 'YYYYMMDD') || '/' || c.name
                     FROM clip c JOIN clip_group g USING (group_id) WHERE c.clip_id = v.clip_id),
                    nullif({_label("v.other_id", ":before")}, ''), {_label("v.other_id", ":last")})
    FROM verdict v
    WHERE (v.from_operation = ANY(:ids)) <> (v.to_operation IS NOT NULL AND v.to_operation = ANY(:ids))
    ORDER BY 1, 2, 3, 4
"""
# A model by name; of two of one name, which.
MODEL = """m.name || CASE WHEN EXISTS (
               SELECT FROM embedding_model other WHERE other.name = m.name AND other.model_id <> m.model_id)
               THEN ' (' || left(m.fingerprint, 12) || ')' ELSE '' END"""
# Models before and after, the registry's first too, which decides while no other does.
CHANGED_MODELS = f"""
    WITH was AS (SELECT * FROM model_role WHERE from_operation <= :before
                 AND (to_operation IS NULL OR to_operation > :before)),
    now AS (SELECT * FROM model_role WHERE from_operation <= :last
            AND (to_operation IS NULL OR to_operation > :last)),
    roles AS (
        SELECT model_id, coalesce(was.role, '') AS before, coalesce(now.role, '') AS after
        FROM was FULL JOIN now USING (model_id)
        UNION ALL
        SELECT model_id, CASE WHEN EXISTS (SELECT FROM was WHERE role = 'deciding') THEN 'beside' ELSE 'deciding' END,
               CASE WHEN EXISTS (SELECT FROM now WHERE role = 'deciding') THEN 'beside' ELSE 'deciding' END
        FROM registry)
    SELECT {MODEL}, before, after
    FROM roles JOIN embedding_model m USING (model_id) WHERE before <> after ORDER BY m.model_id
"""
# Constants of models before and after, in the order of their columns.
CHANGED_CONSTANTS = f"""
    WITH now AS (SELECT * FROM calibration WHERE from_operation = ANY(:ids)
                 AND (to_operation IS NULL OR to_operation > :last)),
    was AS (SELECT * FROM calibration WHERE to_operation = ANY(:ids) AND from_operation <= :before)
    SELECT {MODEL}, constant, coalesce(round(before::numeric, 4)::text, 'shipped'),
           coalesce(round(after::numeric, 4)::text, 'shipped')
    FROM was FULL JOIN now USING (model_id) JOIN embedding_model m USING (model_id) CROSS JOIN LATERAL (VALUES
        {", ".join(f"({place}, '{name}', was.{name}, now.{name})" for place, name in enumerate(CONSTANTS))}
    ) AS changed (place, constant, before, after)
    WHERE before IS DISTINCT FROM after ORDER BY m.model_id, place
"""


def effects(connection: Connection, operation_ids: Sequence[int]) -> Effects:
    """Sum up what some operations, one after the other, changed."""
    values = {"ids": list(operation_ids), "before": min(operation_ids) - 1, "last": max(operation_ids)}
    queries = (CHANGED_CLIPS, CHANGED_NUMBERS, CHANGED_NAMES, CHANGED_VERDICTS, CHANGED_MODELS, CHANGED_CONSTANTS)
    found = (connection.execute(text(query), values) for query in queries)
    return Effects(*(tuple(tuple(row) for row in rows) for rows in found))


def effects_after(connection: Connection, operation_id: int) -> Effects:
    """Sum up what all operations after one changed."""
    later = connection.execute(
        text("SELECT operation_id FROM operation WHERE operation_id > :operation_id"), {"operation_id": operation_id}
    )
    operation_ids = list(later.scalars())
    return effects(connection, operation_ids) if operation_ids else Effects()


@dataclass(frozen=True)
class Unsure:
    """A decision that was close."""

    label: str  # the speaker it was given
    reason: str
    clips: int
    probability: float | None  # P(same voice) with that speaker, none for a new one
    runner_up: str  # the next best speaker
    runner_up_probability: float | None


def unsure_after(connection: Connection, operation_id: int, least: float, most: float) -> list[Unsure]:
    """List the decisions since an operation that were neither sure nor out of the question.

    Those come first that would have been joined but for a speaker that would have grown too fast, then the closest.
    """
    query = text(f"""
        SELECT {_label("a.speaker_id", ":last")}, a.reason, count(*)::int, a.probability,
               {_label("a.runner_up_id", ":last")}, a.runner_up_probability
        FROM assignment a
        WHERE a.from_operation > :operation_id AND a.to_operation IS NULL
          AND (a.probability < :most OR a.runner_up_probability > :least)
        GROUP BY a.speaker_id, a.reason, a.probability, a.runner_up_id, a.runner_up_probability
        ORDER BY coalesce(a.probability IS NULL AND a.runner_up_probability > 0.5, FALSE) DESC,
                 abs(coalesce(a.probability, 1 - a.runner_up_probability) - 0.5), 1, 5
    """)
    values = {"operation_id": operation_id, "last": 2**62, "least": least, "most": most}
    return [Unsure(*row) for row in connection.execute(query, values)]


def entries(
    connection: Connection, speaker_id: int | None = None, *, since: dt.date | None = None, limit: int | None = None
) -> list[Entry]:
    """List the operations, newest first: of a speaker those that touched it, of a day (UTC) on, so many at most."""
    query = text("""
        SELECT operation_id, at, kind, user_name, command, summary, erased_by FROM operation o
        WHERE (CAST(:since AS date) IS NULL OR (at AT TIME ZONE 'UTC')::date >= :since)
        AND (CAST(:speaker_id AS bigint) IS NULL OR EXISTS (
            SELECT FROM assignment WHERE speaker_id = :speaker_id
            AND o.operation_id IN (from_operation, to_operation)) OR EXISTS (
            SELECT FROM speaker_number WHERE speaker_id = :speaker_id
            AND o.operation_id IN (from_operation, to_operation)) OR EXISTS (
            SELECT FROM speaker_name WHERE speaker_id = :speaker_id
            AND o.operation_id IN (from_operation, to_operation)) OR EXISTS (
            SELECT FROM verdict WHERE :speaker_id IN (speaker_id, other_id)
            AND o.operation_id IN (from_operation, to_operation)))
        ORDER BY operation_id DESC LIMIT CAST(:most AS bigint)
    """)
    values = {"speaker_id": speaker_id, "since": since, "most": limit}
    return [Entry(*row) for row in connection.execute(query, values)]


def entry(connection: Connection, operation_id: int) -> Entry | None:
    """Give one operation."""
    query = text("""
        SELECT operation_id, at, kind, user_name, command, summary, erased_by FROM operation
        WHERE operation_id = :operation_id
    """)
    row = connection.execute(query, {"operation_id": operation_id}).one_or_none()
    return None if row is None else Entry(*row)


def undos(connection: Connection) -> dict[int, int]:
    """List every undo with the operation that it took back."""
    query = text("SELECT operation_id, (summary->>'undone')::bigint FROM operation WHERE kind = 'undo'")
    return {row[0]: row[1] for row in connection.execute(query) if row[1] is not None}
