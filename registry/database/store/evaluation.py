"""What an evaluation asks of the registry: where clips are filed, which speakers they have had, and how sure it was."""

import datetime as dt
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from registry.core.linking.voices import NARROW
from registry.core.measures import STILL
from registry.database.store.journal import LABEL

# Nobody confirmed the clip of the assignment `a`, neither alone nor with all clips that its speaker then had.
NOT_CONFIRMED = """NOT EXISTS (
    SELECT FROM verdict v WHERE v.kind = 'confirmed' AND v.speaker_id = a.speaker_id AND v.to_operation IS NULL
    AND (v.clip_id = a.clip_id OR v.clip_id IS NULL AND v.from_operation > a.from_operation))"""
SOUNDS = ("wide", "narrow")  # narrow: by telephone and the like; wide: all else, also what was not measured
# One of SOUNDS, for a row of `audio`.
SOUND = f"CASE WHEN coalesce(narrowness, 0) < {NARROW} THEN '{SOUNDS[0]}' ELSE '{SOUNDS[1]}' END"
# Nobody said that the speaker of the assignment `a` and its runner-up are different.
NOT_SAID_DIFFERENT = """NOT EXISTS (
    SELECT FROM verdict v WHERE v.kind = 'different' AND v.to_operation IS NULL
    AND v.speaker_id = least(a.speaker_id, a.runner_up_id) AND v.other_id = greatest(a.speaker_id, a.runner_up_id))"""


# ruff: noqa: S608 - the queries are put together from constants
@contextmanager
def looking(engine: Engine) -> Iterator[Connection]:
    """Give a connection that sees the registry as it is at one moment, and that cannot change it."""
    with engine.connect() as connection:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield connection


@dataclass(frozen=True)
class Placement:
    """Where a clip is filed now, on which sound it was heard, and how sure its speaker is."""

    clip_id: int
    speaker_id: int
    broadcaster: str
    gender: str
    date: dt.date
    number: int  # the speaker's, at the broadcaster
    audio_id: int  # the recording, which several clips may carry
    sound: str  # one of SOUNDS
    probability_now: float | None  # P(same voice) of the clip and the rest of its speaker; None if never judged


def placements(connection: Connection, clip_ids: Collection[int]) -> list[Placement]:
    """Tell where some clips are filed, in order of key. Clips that are not present are left out."""
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
    """A speaker that a clip has had, from one operation to another."""

    clip_id: int
    arrived: int  # the operation that brought the clip in
    speaker_id: int
    begins: int  # the operation that gave the clip this speaker
    ends: int  # the operation that took the speaker away again; STILL for what holds now
    matched: float | None  # P(same voice), if the operation that brought the clip in matched it to a known speaker


def tenures(connection: Connection, clip_ids: Collection[int]) -> list[Tenure]:
    """List all speakers that some clips have had."""
    query = text(f"""
        SELECT a.clip_id, c.operation_id, a.speaker_id, a.from_operation, coalesce(a.to_operation, {STILL}),
               CASE WHEN a.reason = 'matched' AND a.from_operation = c.operation_id
                    THEN CAST(a.probability AS float8) END
        FROM assignment a JOIN clip c USING (clip_id)
        WHERE a.clip_id = ANY(CAST(:clip_ids AS bigint[])) ORDER BY a.assignment_id
    """)
    return [Tenure(*row) for row in connection.execute(query, {"clip_ids": list(clip_ids)})]


def clips_by_reason(connection: Connection) -> dict[str, int]:
    """Count the present clips by the reason of their assignment, the most frequent first: reason -> clips."""
    query = text("SELECT reason, count(*) FROM assignment WHERE to_operation IS NULL GROUP BY 1 ORDER BY 2 DESC, 1")
    return {row[0]: row[1] for row in connection.execute(query)}


def clips_by_sound(connection: Connection) -> dict[str, tuple[int, int]]:
    """Count the present clips of each sound, in the order of SOUNDS.

    Returns:
        Sound -> number of clips, and number of clips that have a certainty. A sound without clips is left out.
    """
    query = text(f"""
        SELECT {SOUND}, count(*), count(ct.clip_id)
        FROM assignment a JOIN clip USING (clip_id) JOIN audio USING (audio_id) LEFT JOIN certainty ct USING (clip_id)
        WHERE a.to_operation IS NULL GROUP BY 1
    """)
    found = {row[0]: (row[1], row[2]) for row in connection.execute(query)}
    return {sound: found[sound] for sound in SOUNDS if sound in found}


@dataclass(frozen=True)
class DoubtfulClips:
    """The clips of a speaker on one sound that have a certainty and that nobody confirmed."""

    speaker_id: int
    sound: str  # one of SOUNDS
    clips: int  # how many there are
    wrong: float  # how many of them are expected to be of another voice: the sum of 1 - certainty


def doubts(connection: Connection) -> list[DoubtfulClips]:
    """Add up the doubtful clips of every speaker, in order of key.

    Speakers with a single recording are left out, because it has no rest of its speaker to differ from.
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
    """Count the new speakers that had a runner-up, and how many of them are expected to be the runner-up in truth.

    New speakers of whom a person said that they and the runner-up are different are left out.

    Returns:
        The number of such speakers, and the sum of P(same voice) with their runners-up.
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
    """Two speakers that the registry joined by itself."""

    speaker: str  # label of the speaker that stayed
    joined: str  # label that the other speaker had before
    clips: int  # clips of the other speaker that the first speaker has now
    probability: float  # P(same voice) of the two


def automatic_joins(connection: Connection) -> list[AutomaticJoin]:
    """List the automatic joins whose clips are still with the speaker that stayed, the least probable first."""
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
