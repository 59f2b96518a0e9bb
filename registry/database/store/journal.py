"""Reading the journal: which operations there were, and what each of them changed, in people's words."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, text

from registry.core.linking.model_constants import ModelConstants


@dataclass(frozen=True)
class Entry:
    """One operation, as the table `operation` has it."""

    operation_id: int
    at: dt.datetime  # when it began
    kind: str
    user_name: str
    command: str
    summary: dict[str, Any]
    erased_by: int | None  # the forgetting that erased what the operation changed, so that it cannot be undone


@dataclass(frozen=True)
class Effects:
    """What some operations changed. Speakers are given by label, such as andaiafm/F0001; "" stands for none."""

    clips: tuple[tuple[str, str, str, int], ...] = ()  # speaker before, speaker after, reason, number of clips
    numbers: tuple[
        tuple[str, str, str], ...
    ] = ()  # label, "given" | "retired" | "alias", speaker that an alias leads to
    names: tuple[tuple[str, str, str], ...] = ()  # speaker, name before, name after
    verdicts: tuple[tuple[str, str, str, str], ...] = ()  # "made" | "ended", kind, speaker, clip or other speaker
    models: tuple[tuple[str, str, str], ...] = ()  # name, role before, role after: "deciding" | "beside"
    constants: tuple[tuple[str, str, str, str], ...] = ()  # model, constant, before, after: a number | "shipped"

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Effects":
        """Read a document that `asdict` and JSON made of effects.

        Documents of earlier versions of this program lack "models", or "constants".
        """
        document = {"models": [], "constants": [], **document}
        return cls(**{f.name: tuple(tuple(row) for row in document[f.name]) for f in fields(cls)})


CONSTANTS = tuple(field.name for field in fields(ModelConstants))
# The label of a speaker right after an operation: its numbers at all broadcasters; null if it has none.
LABEL = """(
    SELECT string_agg(label, ' ' ORDER BY label) FROM (
        SELECT DISTINCT n.broadcaster || '/' || number_label(n.gender, n.number) AS label
        FROM speaker_number n WHERE n.speaker_id = {speaker} AND NOT n.is_alias
        AND n.from_operation <= {at} AND (n.to_operation IS NULL OR n.to_operation > {at})) labels)"""


def _label(speaker: str, at: str) -> str:
    """Write the label of a speaker right after an operation, "" if it has none, for SQL."""
    return f"coalesce({LABEL.format(speaker=speaker, at=at)}, '')"


# ruff: noqa: S608 - the queries are put together from constants of this module
# The queries below compare what the operations closed with what they opened. :ids are the keys of the operations,
# :before is the key before the first of them, :last the key of the last.
# Clips by speaker before, speaker after and reason.
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
# Verdicts made or ended, but not verdicts both made and ended by these operations.
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
# The name of a model, with the beginning of its fingerprint where another model has the same name.
MODEL = """m.name || CASE WHEN EXISTS (
               SELECT FROM embedding_model other WHERE other.name = m.name AND other.model_id <> m.model_id)
               THEN ' (' || left(m.fingerprint, 12) || ')' ELSE '' END"""
# Roles of models before and after. The registry's first model has no row: it decides while no other model does.
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
    """Sum up what some operations, one after the other, changed. There is at least one operation."""
    values = {"ids": list(operation_ids), "before": min(operation_ids) - 1, "last": max(operation_ids)}

    def rows(query: str) -> tuple[tuple[Any, ...], ...]:
        return tuple(tuple(row) for row in connection.execute(text(query), values))

    return Effects(
        clips=rows(CHANGED_CLIPS),
        numbers=rows(CHANGED_NUMBERS),
        names=rows(CHANGED_NAMES),
        verdicts=rows(CHANGED_VERDICTS),
        models=rows(CHANGED_MODELS),
        constants=rows(CHANGED_CONSTANTS),
    )


def effects_after(connection: Connection, operation_id: int) -> Effects:
    """Sum up what all operations after an operation changed."""
    later = connection.execute(
        text("SELECT operation_id FROM operation WHERE operation_id > :operation_id"), {"operation_id": operation_id}
    )
    operation_ids = list(later.scalars())
    return effects(connection, operation_ids) if operation_ids else Effects()


@dataclass(frozen=True)
class Unsure:
    """A decision that was close: the clips of a cluster got one speaker, and another was nearly as probable."""

    label: str  # of the speaker that the clips got
    reason: str
    clips: int
    probability: float | None  # P(same voice) of the cluster and this speaker; None for a new speaker
    runner_up: str  # label of the next best speaker; "" for none
    runner_up_probability: float | None  # P(same voice) of the cluster and the runner-up; None without a runner-up


def unsure_after(connection: Connection, operation_id: int, least: float, most: float) -> list[Unsure]:
    """List the decisions since an operation that were close.

    First come clips that got a new speaker although their runner-up was more probable than not, because the alarm for
    black holes rang. Then come the decisions nearest to a probability of one half.

    Args:
        connection: Where they are read.
        operation_id: The operation since which decisions are listed.
        least: A decision is listed if the probability of its runner-up is above this.
        most: A decision is listed if the probability of its speaker is below this.
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
    """List operations, the newest first.

    Args:
        connection: Where they are read.
        speaker_id: Only operations that changed this speaker's clips, numbers, name or verdicts.
        since: Only operations of this day (UTC) and later.
        limit: How many are listed at most.
    """
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
    """Give an operation; None if there is none of this key."""
    query = text("""
        SELECT operation_id, at, kind, user_name, command, summary, erased_by FROM operation
        WHERE operation_id = :operation_id
    """)
    row = connection.execute(query, {"operation_id": operation_id}).one_or_none()
    return None if row is None else Entry(*row)


def undos(connection: Connection) -> dict[int, int]:
    """Give all undos: undo -> the operation that it took back."""
    query = text("SELECT operation_id, (summary->>'undone')::bigint FROM operation WHERE kind = 'undo'")
    return {row[0]: row[1] for row in connection.execute(query) if row[1] is not None}
