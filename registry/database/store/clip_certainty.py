"""The certainty of clips: whose has to be computed again, what it is computed from, and keeping the result."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, text

from registry.core.linking.certainty import Cohort, Members
from registry.core.linking.voices import Voices
from registry.core.records import Floats
from registry.database.store.arrays import copy_rows, to_matrix, transposed
from registry.database.store.models import Foundation
from registry.database.store.speakers import VOICE, as_voices

AGAIN_AT = 1.1  # growth of a profile from which a speaker is judged again: a host of thousands of clips not every night


@dataclass(frozen=True)
class Unjudged:
    """Recordings of speakers of a gender that are to be judged."""

    members: Members  # (n) the recordings, each with the row of its speaker
    audio_ids: list[int]  # (n,) keys of the recordings
    speaker_ids: list[int]  # (s,) keys of the speakers, rising
    speakers: Voices  # (s) profiles of the speakers


def outdated(connection: Connection, foundation: Foundation, speaker_ids: Collection[int]) -> dict[int, int]:
    """Find among some speakers the speakers that have to be judged again, because their profile has changed much.

    Returns:
        Speaker -> number of recordings that its profile is the mean of.
    """
    query = text("""
        SELECT p.speaker_id, p.audios FROM profile p LEFT JOIN judgement j USING (speaker_id)
        WHERE p.model_id = :model_id AND p.speaker_id = ANY(CAST(:speaker_ids AS bigint[]))
          AND (j.audios IS NULL OR p.audios >= j.audios * CAST(:again_at AS float8))
        ORDER BY p.speaker_id
    """)
    values = {"model_id": foundation.model_id, "speaker_ids": list(speaker_ids), "again_at": AGAIN_AT}
    return {row[0]: row[1] for row in connection.execute(query, values)}


def never_judged(connection: Connection, foundation: Foundation) -> dict[int, int]:
    """Find all speakers that were never judged, or not since another model decides.

    Returns:
        Speaker -> number of recordings that its profile is the mean of.
    """
    query = text("""
        SELECT speaker_id, audios FROM profile p WHERE model_id = :model_id AND NOT EXISTS (
            SELECT FROM judgement j WHERE j.speaker_id = p.speaker_id) ORDER BY speaker_id
    """)
    return {row[0]: row[1] for row in connection.execute(query, {"model_id": foundation.model_id})}


def drop_judgements(connection: Connection) -> None:
    """Mark all speakers as never judged."""
    connection.execute(text("DELETE FROM judgement"))


def unjudged(
    connection: Connection, foundation: Foundation, gender: str, whole: Sequence[int], operation_id: int | None
) -> Unjudged:
    """Read the recordings of a gender that are to be judged.

    Args:
        connection: Where they are read.
        foundation: What the registry is built on.
        gender: The gender of the speakers.
        whole: Speakers of whom all recordings are read. Speakers of the other gender are left out.
        operation_id: An operation of which the recordings that it gave to any speaker are read too; None for none.
    """
    query = text("""
        WITH chosen AS (
            SELECT a.speaker_id, c.audio_id FROM assignment a JOIN clip c USING (clip_id)
            WHERE a.to_operation IS NULL AND a.speaker_id = ANY(CAST(:whole AS bigint[]))
            UNION SELECT a.speaker_id, c.audio_id FROM assignment a JOIN clip c USING (clip_id)
            WHERE a.to_operation IS NULL AND a.from_operation = :operation_id)
        SELECT speaker_id, audio_id, duration_s, coalesce(narrowness, 0), vector_send(vector),
               (SELECT bool_or(a.builds_profile) FROM clip c JOIN assignment a USING (clip_id)
                WHERE c.audio_id = chosen.audio_id AND a.speaker_id = chosen.speaker_id AND a.to_operation IS NULL)
               OR NOT EXISTS (SELECT FROM assignment a
                              WHERE a.speaker_id = chosen.speaker_id AND a.to_operation IS NULL AND a.builds_profile)
        FROM chosen JOIN speaker s USING (speaker_id) JOIN audio USING (audio_id) JOIN embedding USING (audio_id)
        WHERE model_id = :model_id AND s.gender = :gender
        ORDER BY speaker_id, audio_id
    """)
    values = {"whole": list(whole), "operation_id": operation_id, "gender": gender, "model_id": foundation.model_id}
    rows = connection.execute(query, values).all()
    keys, audio_ids, durations_s, narrowness, vectors, is_in_profile = transposed(rows, 6)
    speaker_ids, own = np.unique(np.array(keys, dtype=np.int64), return_inverse=True)
    members = Members(
        to_matrix(vectors, foundation.dimension),
        np.array(durations_s, dtype=np.float32),
        np.array(narrowness, dtype=np.float32),
        own,
        np.array(is_in_profile, dtype=np.bool_),
    )
    return Unjudged(members, list(audio_ids), speaker_ids.tolist(), _profiles(connection, foundation, speaker_ids))


def _profiles(connection: Connection, foundation: Foundation, speaker_ids: Collection[int]) -> Voices:
    """Read the profiles of some speakers under the deciding model, in order of key."""
    query = text(f"""
        SELECT {VOICE} FROM profile p
        WHERE p.model_id = :model_id AND p.speaker_id = ANY(CAST(:speaker_ids AS bigint[])) ORDER BY p.speaker_id
    """)  # noqa: S608 - a constant of ours
    values = {"model_id": foundation.model_id, "speaker_ids": [int(key) for key in speaker_ids]}
    return as_voices(connection.execute(query, values).all(), foundation.dimension)


def cohort(connection: Connection, foundation: Foundation, gender: str, most: int, strangers: Voices) -> Cohort:
    """Read the cohort of a gender: the profiles of a sample of its speakers, and strangers.

    Speakers are taken at equal steps of their keys, so that the cost does not grow with the number of speakers. A
    registry with up to `most` keys has all its speakers in the sample.

    Args:
        connection: Where they are read.
        foundation: What the registry is built on.
        gender: The gender of the speakers.
        most: Number of keys, of speakers of both genders, up to which all speakers are taken.
        strangers: Clips of the other gender, as `strangers` reads them.
    """
    query = text(f"""
        WITH span AS (SELECT max(speaker_id) AS last, greatest(1, max(speaker_id) / :most) AS step FROM speaker)
        SELECT step, {VOICE}
        FROM span CROSS JOIN generate_series(1, last, step) AS taken (speaker_id)
        JOIN speaker s ON s.speaker_id = taken.speaker_id
        JOIN profile p ON p.speaker_id = taken.speaker_id AND p.model_id = :model_id
        WHERE s.gender = :gender ORDER BY p.speaker_id
    """)  # noqa: S608 - a constant of ours
    rows = connection.execute(query, {"model_id": foundation.model_id, "gender": gender, "most": most}).all()
    return Cohort(as_voices([row[1:] for row in rows], foundation.dimension), rows[0][0] if rows else 1, strangers)


def save(connection: Connection, judged: Unjudged, probabilities: Floats, whole: Collection[int]) -> None:
    """Keep the certainty of recordings, and note which speakers were judged.

    A recording that is all there is of its speaker has the certainty that it is of none of the other speakers: 1 less
    P(same voice) of its cluster and the runner-up.

    Args:
        connection: In a transaction.
        judged: The recordings (n).
        probabilities: P(same voice) of each recording and the rest of its speaker (n,); NaN without a rest.
        whole: Speakers of whom all recordings were judged.
    """
    rows = (
        (judged.speaker_ids[own], audio_id, float(probability))
        for own, audio_id, probability in zip(judged.members.own, judged.audio_ids, probabilities, strict=True)
    )
    copy_rows(connection, "incoming_certainty", {"speaker_id": "int8", "audio_id": "int8", "p": "float4"}, rows)
    connection.execute(
        text("""
        INSERT INTO certainty (clip_id, probability)
        SELECT c.clip_id, CASE WHEN p = 'NaN' THEN 1 - coalesce(a.runner_up_probability, 0) ELSE p END
        FROM incoming_certainty incoming JOIN clip c USING (audio_id)
        JOIN assignment a ON a.clip_id = c.clip_id AND a.speaker_id = incoming.speaker_id AND a.to_operation IS NULL
        ORDER BY c.clip_id
        ON CONFLICT (clip_id) DO UPDATE SET probability = EXCLUDED.probability
        """)
    )
    connection.execute(
        text("""
        INSERT INTO judgement (speaker_id, audios)
        SELECT speaker_id, audios FROM profile
        WHERE model_id = deciding_model() AND speaker_id = ANY(CAST(:whole AS bigint[]))
        ON CONFLICT (speaker_id) DO UPDATE SET audios = EXCLUDED.audios
        """),
        {"whole": list(whole)},
    )
