"""What comparing a model with who is who needs: the profiles of speakers under the model, and their recordings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, text

from registry.core.linking.agreement import Carried
from registry.core.linking.certainty import Members
from registry.core.linking.voices import Voices
from registry.database.store.arrays import to_matrix, transposed
from registry.database.store.models import KnownModel
from registry.database.store.speakers import VOICE, as_voices

READ_TOGETHER = 512  # recordings read at a time, so that memory does not grow with their number


@dataclass(frozen=True)
class Scope:
    """The speakers that are compared with one another."""

    gender: str
    broadcaster: str | None  # the broadcaster at which they have a number; None for all broadcasters


def scopes(connection: Connection, scope: str) -> list[Scope]:
    """List the scopes of a registry: one for each gender, or, with the scope "broadcaster", gender and broadcaster."""
    query = text("""
        SELECT DISTINCT gender, CASE WHEN :scope = 'broadcaster' THEN broadcaster END
        FROM speaker_number WHERE to_operation IS NULL AND NOT is_alias ORDER BY 1, 2
    """)
    return [Scope(*row) for row in connection.execute(query, {"scope": scope})]


def voices(connection: Connection, model: KnownModel, scope: Scope) -> tuple[list[int], Voices]:
    """Give the speakers of a scope: their keys (s,), rising, and their profiles under a model (s)."""
    query = text(f"""
        SELECT p.speaker_id, {VOICE} FROM profile p JOIN speaker s USING (speaker_id)
        WHERE p.model_id = :model_id AND s.gender = :gender AND (CAST(:broadcaster AS text) IS NULL OR EXISTS (
            SELECT FROM speaker_number n
            WHERE n.speaker_id = s.speaker_id AND n.broadcaster = :broadcaster AND n.to_operation IS NULL))
        ORDER BY p.speaker_id
    """)  # noqa: S608 - a constant of ours
    asked = {"model_id": model.model_id, "gender": scope.gender, "broadcaster": scope.broadcaster}
    rows = connection.execute(query, asked).all()
    return [row[0] for row in rows], as_voices([row[1:] for row in rows], model.dimension)


def members(connection: Connection, model: KnownModel, scope: Scope, speaker_ids: Sequence[int]) -> Iterator[Carried]:
    """Read the recordings that the clips of a scope carry, with their embeddings under a model, some at a time.

    Args:
        connection: Where they are read.
        model: The model.
        scope: The scope.
        speaker_ids: Keys of the speakers of the scope, whose places are the rows of the members' speakers.
    """
    query = text("""
        WITH member AS (
            SELECT a.speaker_id, c.audio_id, bool_or(a.builds_profile) AS builds,
                   bool_or(bool_or(a.builds_profile)) OVER (PARTITION BY a.speaker_id) AS any_builds,
                   count(*) FILTER (
                       WHERE CAST(:broadcaster AS text) IS NULL OR g.broadcaster = :broadcaster) AS clips
            FROM assignment a JOIN clip c USING (clip_id) JOIN clip_group g USING (group_id)
            WHERE a.to_operation IS NULL AND g.gender = :gender
            GROUP BY a.speaker_id, c.audio_id)
        SELECT speaker_id, builds OR NOT any_builds, clips, duration_s, coalesce(narrowness, 0), vector_send(vector)
        FROM member JOIN audio USING (audio_id) JOIN embedding USING (audio_id)
        WHERE model_id = :model_id AND clips > 0
    """)
    row_of = {speaker_id: row for row, speaker_id in enumerate(speaker_ids)}
    options = {"stream_results": True, "max_row_buffer": READ_TOGETHER}
    values = {"model_id": model.model_id, "gender": scope.gender, "broadcaster": scope.broadcaster}
    with connection.execute(query, values, execution_options=options) as result:
        for rows in result.partitions(READ_TOGETHER):
            keys, is_in_profile, clips, durations_s, narrowness, vectors = transposed(rows, 6)
            recordings = Members(
                to_matrix(vectors, model.dimension),
                np.array(durations_s, dtype=np.float32),
                np.array(narrowness, dtype=np.float32),
                np.array([row_of[key] for key in keys], dtype=np.int64),
                np.array(is_in_profile, dtype=np.bool_),
            )
            yield Carried(recordings, np.array(clips, dtype=np.int64))
