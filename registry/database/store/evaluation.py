"""What an evaluation asks: which clips are meant, where they are filed, and how sure the registry was."""

import datetime as dt
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from registry.core.linking.voices import NARROW
from registry.core.measures import STILL
from registry.database.store.journal import LABEL

NOW = "c JOIN assignment a ON a.clip_id = c.clip_id AND a.to_operation IS NULL"
# A person listened: to the clip, or to all that the speaker then was.
NOT_CONFIRMED = """NOT EXISTS (
    SELECT FROM verdict v WHERE v.kind = 'confirmed' AND v.speaker_id = a.speaker_id AND v.to_operation IS NULL
    AND (v.clip_id = a.clip_id OR v.clip_id IS NULL AND v.from_operation > a.from_operation))"""
SOUNDS = ("wide", "narrow")  # narrow is telephone and the like; what was not measured counts as wide, a studio's
SOUND = f"CASE WHEN coalesce(narrowness, 0) < {NARROW} THEN '{SOUNDS[0]}' ELSE '{SOUNDS[1]}' END"
NOT_SAID_DIFFERENT = """NOT EXISTS (
    SELECT FROM verdict v WHERE v.kind = 'different' AND v.to_operation IS NULL
    AND v.speaker_id = least(a.speaker_id, a.runner_up_id) AND v.other_id = greatest(a.speaker_id, a.runner_up_id))"""


# ruff: noqa: S608 - the queries are put together from constants
@contextmanager
def looking(engine: Engine) -> Iterator[Connection]:
    """Look at one state of the registry, without being able to change it."""
    with engine.connect() as connection:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield connection


@dataclass(frozen=True)
class Placement:
    """Where a clip is filed now, how it is heard, and how sure that is."""

    clip_id: int
    speaker_id: int
    broadcaster: str
    gender: str
    date: dt.date
    number: int
    audio_id: int  # the recording, which several clips may carry
    sound: str  # one of SOUNDS
    probability_now: float | None  # P(same voice) of it and the rest of its speaker; None if that was never judged


def placements(connection: Connection, clip_ids: Collection[int]) -> list[Placement]:
    """Tell where some clips are filed, in order of key."""
    query = text(f"""
        SELECT a.clip_id, a.speaker_id, g.broadcaster, g.gender, g.date, n.number, audio_id, {SOUND},
               CAST(ct.probability AS float8)
        FROM assignment a JOIN clip c USING (clip_id) JOIN clip_group g USING (group_id) JOIN audio USING (audio_id)
        LEFT JOIN certainty ct USING (clip_id)
        JOIN speaker_number n ON n.speaker_id = a.speaker_id AND n.broadcaster = g.broadcaster
            AND n.to_operation IS NULL AND NOT n.is_alias
        WHERE a.to_operation IS NULL AND a.clip_id = ANY(CAST(:clip_ids AS bigint[])) ORDER BY a.clip_id
    """)
    return [Placement(*row) for row in connection.execute(query, {"clip_ids": list(clip_ids)})]


@dataclass(frozen=True)
class Tenure:
    """A clip's speaker from one operation to another."""

    clip_id: int
    arrived: int  # the operation that brought the clip in
    speaker_id: int
    begins: int
    ends: int  # STILL for what holds now
    matched: float | None  # P(same voice) if the operation that brought it in matched it to a known speaker


def tenures(connection: Connection, clip_ids: Collection[int]) -> list[Tenure]:
    """List all speakers that some clips ever had."""
    query = text(f"""
        SELECT a.clip_id, c.operation_id, a.speaker_id, a.from_operation, coalesce(a.to_operation, {STILL}),
               CASE WHEN a.reason = 'matched' AND a.from_operation = c.operation_id
                    THEN CAST(a.probability AS float8) END
        FROM assignment a JOIN clip c USING (clip_id)
        WHERE a.clip_id = ANY(CAST(:clip_ids AS bigint[])) ORDER BY a.assignment_id
    """)
    return [Tenure(*row) for row in connection.execute(query, {"clip_ids": list(clip_ids)})]


def clips_by_reason(connection: Connection) -> dict[str, int]:
    """Count the clips that have their speaker for each reason, the most frequent first."""
    query = text("SELECT reason, count(*) FROM assignment WHERE to_operation IS NULL GROUP BY 1 ORDER BY 2 DESC, 1")
    return {row[0]: row[1] for row in connection.execute(query)}


def clips_by_sound(connection: Connection) -> dict[str, tuple[int, int]]:
    """Count the clips of each of SOUNDS that is there, in their order: all, and those that have a certainty."""
    query = text(f"""
        SELECT {SOUND}, count(*), count(ct.clip_id)
        FROM assignment a JOIN clip USING (clip_id) JOIN audio USING (audio_id) LEFT JOIN certainty ct USING (clip_id)
        WHERE a.to_operation IS NULL GROUP BY 1
    """)
    found = {row[0]: (row[1], row[2]) for row in connection.execute(query)}
    return {sound: found[sound] for sound in SOUNDS if sound in found}


@dataclass(frozen=True)
class DoubtfulClips:
    """A speaker's clips of a sound that have a certainty and that nobody confirmed."""

    speaker_id: int
    sound: str  # one of SOUNDS
    clips: int
    wrong: float  # how many of them are expected to be another voice


def doubts(connection: Connection) -> list[DoubtfulClips]:
    """Add up what is in doubt of every speaker, in order of key.

    Speakers of a single recording are left out: there is nothing that it could be another voice than.
    """
    query = text(f"""
        SELECT a.speaker_id, {SOUND}, count(*), sum(1 - CAST(ct.probability AS float8))
        FROM assignment a JOIN clip USING (clip_id) JOIN audio USING (audio_id) JOIN certainty ct USING (clip_id)
        WHERE a.to_operation IS NULL AND {NOT_CONFIRMED} AND a.speaker_id IN (
            SELECT several.speaker_id FROM assignment several JOIN clip USING (clip_id)
            WHERE several.to_operation IS NULL GROUP BY 1 HAVING min(audio_id) < max(audio_id))
        GROUP BY 1, 2 ORDER BY 1, 2
    """)
    return [DoubtfulClips(*row) for row in connection.execute(query)]


def doubtful_newcomers(connection: Connection) -> tuple[int, float]:
    """Count the decisions that a voice is new though somebody came near, and how many are expected to be wrong.

    Those that a person decided on are left out.
    """
    query = text(f"""
        SELECT count(*), coalesce(sum(probability), 0) FROM (
            SELECT CAST(max(a.runner_up_probability) AS float8) AS probability FROM assignment a
            WHERE a.to_operation IS NULL AND a.reason = 'new' AND a.runner_up_probability IS NOT NULL
              AND {NOT_SAID_DIFFERENT}
            GROUP BY a.from_operation, a.speaker_id) decision
    """)
    row = connection.execute(query).one()
    return row[0], row[1]


@dataclass(frozen=True)
class AutomaticJoin:
    """Two speakers of which the registry made one."""

    speaker: str  # label of the one that stayed
    joined: str  # label of the other, as it was
    clips: int  # of the other, that are with the first now
    probability: float  # P(same voice)


def automatic_joins(connection: Connection) -> list[AutomaticJoin]:
    """List the joins whose clips are still where they were put, the least likely first."""
    query = text(f"""
        SELECT coalesce({LABEL.format(speaker="kept_id", at=STILL)}, ''),
               coalesce({LABEL.format(speaker="gone_id", at="operation_id - 1")}, ''), clips, probability
        FROM (SELECT a.speaker_id AS kept_id, was.speaker_id AS gone_id, made.from_operation AS operation_id,
                     count(*) AS clips, CAST(a.probability AS float8) AS probability
              FROM assignment a
              JOIN assignment made ON made.assignment_id = coalesce(a.origin, a.assignment_id)
              JOIN assignment was ON was.clip_id = a.clip_id AND was.to_operation = made.from_operation
              WHERE a.to_operation IS NULL AND a.reason = 'joined' AND a.probability IS NOT NULL
              GROUP BY 1, 2, 3, a.probability) joined
        ORDER BY probability, 1, 2
    """)
    return [AutomaticJoin(*row) for row in connection.execute(query)]
