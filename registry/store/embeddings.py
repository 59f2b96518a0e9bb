"""Audio heard and its embeddings: what is there, what is new, what is needed to decide."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, text

from registry.core.records import Floats
from registry.store.arrays import copy_rows, to_matrix


@dataclass(frozen=True)
class EmbeddedAudio:
    """One audio with its vector, ready to be kept."""

    audio_hash: str  # hex
    duration_s: float
    sample_rate_hz: int
    channels: int
    vector: Floats  # (dimension,)


def embedded_hashes(connection: Connection, model_id: int, hashes: Collection[str]) -> set[str]:
    """Tell which of some audio hashes (hex) have an embedding under a model."""
    query = text("""
        SELECT encode(audio_hash, 'hex') FROM audio JOIN embedding USING (audio_id)
        WHERE model_id = :model_id AND audio_hash = ANY(:hashes)
    """)
    found = connection.execute(query, {"model_id": model_id, "hashes": [bytes.fromhex(h) for h in hashes]})
    return set(found.scalars())


def save_embeddings(connection: Connection, model_id: int, audios: Sequence[EmbeddedAudio]) -> None:
    """Keep audios and their vectors; what is there already stays as it is."""
    columns = {
        "audio_hash": "bytea",
        "duration_s": "float4",
        "sample_rate_hz": "int4",
        "channels": "int2",
        "vector": "vector",
    }
    rows = ((bytes.fromhex(a.audio_hash), a.duration_s, a.sample_rate_hz, a.channels, a.vector) for a in audios)
    copy_rows(connection, "incoming_audio", columns, rows)
    connection.execute(
        text("""
        INSERT INTO audio (audio_hash, duration_s, sample_rate_hz, channels)
        SELECT audio_hash, duration_s, sample_rate_hz, channels FROM incoming_audio
        ORDER BY audio_hash ON CONFLICT DO NOTHING
        """)
    )
    connection.execute(
        text("""
        INSERT INTO embedding (audio_id, model_id, vector)
        SELECT audio_id, :model_id, vector FROM incoming_audio JOIN audio USING (audio_hash)
        ORDER BY audio_hash ON CONFLICT DO NOTHING
        """),
        {"model_id": model_id},
    )


def vectors(connection: Connection, model_id: int, dimension: int, audio_ids: Sequence[int]) -> Floats:
    """Read the embeddings (n, dimension) of some audios, in the order asked for."""
    query = text("""
        SELECT vector_send(vector)
        FROM unnest(CAST(:audio_ids AS bigint[])) WITH ORDINALITY AS asked (audio_id, position)
        JOIN embedding USING (audio_id) WHERE model_id = :model_id ORDER BY position
    """)
    sent = connection.execute(query, {"audio_ids": list(audio_ids), "model_id": model_id})
    return to_matrix(sent.scalars().all(), dimension)


def durations_s(connection: Connection, audio_ids: Sequence[int]) -> Floats:
    """Read the seconds (n,) of some audios, in the order asked for."""
    query = text("""
        SELECT duration_s FROM unnest(CAST(:audio_ids AS bigint[])) WITH ORDINALITY AS asked (audio_id, position)
        JOIN audio USING (audio_id) ORDER BY position
    """)
    rows = connection.execute(query, {"audio_ids": list(audio_ids)}).scalars().all()
    return np.array(rows, dtype=np.float32)
