"""Strangers: recordings of the other gender, in which no voice of a gender is heard."""

from collections.abc import Collection

import numpy as np
from sqlalchemy import Connection, text

from registry.core.linking.voices import Voices, clips_as_voices
from registry.core.records import GENDERS
from registry.core.vectors import unit
from registry.database.store.arrays import to_matrix
from registry.database.store.models import Foundation, KnownModel

# Most recordings of one speaker: not so many that strangers are mostly of one host, and not so few that the sound of a
# few speakers with many recordings is lost among many speakers with few.
OF_EACH = 20
READ = 4  # how many times the wanted number of recordings is read at most; of all read, some are taken at equal steps

# Some recordings of each speaker of the gender :other. In a large registry, speakers are taken at equal steps of key.
STORED = """
    WITH span AS (SELECT max(speaker_id) AS last, greatest(1, max(speaker_id) / :most) AS step FROM speaker),
    taken AS (
        SELECT s.speaker_id FROM span CROSS JOIN generate_series(1, last, step) AS place (speaker_id)
        JOIN speaker s USING (speaker_id)
        WHERE s.gender = :other AND EXISTS (
            SELECT FROM assignment a WHERE a.speaker_id = s.speaker_id AND a.to_operation IS NULL)),
    share AS (SELECT greatest(1, least(:of_each, :read * :most / greatest(1, count(*)))) AS of_each FROM taken)
    SELECT own.audio_hash, duration_s, coalesce(narrowness, 0), vector_send(vector)
    FROM taken CROSS JOIN share CROSS JOIN LATERAL (
        SELECT DISTINCT audio_hash, audio_id
        FROM assignment a JOIN clip USING (clip_id) JOIN audio USING (audio_id)
        WHERE a.speaker_id = taken.speaker_id AND a.to_operation IS NULL
        ORDER BY audio_hash LIMIT share.of_each) own
    JOIN audio USING (audio_id) JOIN embedding USING (audio_id)
    WHERE model_id = :model_id
"""
# Recordings with the audio hashes :hashes.
COMING = """
    SELECT audio_hash, duration_s, coalesce(narrowness, 0), vector_send(vector)
    FROM audio JOIN embedding USING (audio_id) WHERE model_id = :model_id AND audio_hash = ANY(:hashes)
"""


def strangers(
    connection: Connection, model: Foundation | KnownModel, gender: str, most: int, coming: Collection[str] = ()
) -> Voices:
    """Read recordings of the other gender, each as a set of its own, in order of their audio hashes.

    They are of the whole registry, whatever its scope, and not many of them are of one speaker.

    Args:
        connection: Where they are read.
        model: The model whose embeddings are read.
        gender: The gender whose strangers are wanted.
        most: How many are wanted at most; of more, some are taken at equal steps.
        coming: Audio hashes (hex) of more recordings of the other gender, embedded and not assigned to a speaker yet.
    """
    [other] = (one for one in GENDERS if one != gender)
    values = {"model_id": model.model_id, "other": other, "most": most, "of_each": OF_EACH, "read": READ}
    found = list(connection.execute(text(STORED), values))
    if coming:
        hashes = [bytes.fromhex(audio_hash) for audio_hash in coming]
        found += connection.execute(text(COMING), {"model_id": model.model_id, "hashes": hashes})
    known = sorted({row[0]: row[1:] for row in found}.items())
    chosen = [row for _, row in known[:: max(1, -(-len(known) // most))]]
    units = unit(to_matrix([vector for _, _, vector in chosen], model.dimension))
    durations_s, narrowness = np.array([row[:2] for row in chosen], dtype=np.float32).reshape(-1, 2).T
    return clips_as_voices(units, durations_s, narrowness)
