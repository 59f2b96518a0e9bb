"""Recordings and their embeddings: storing them, reading them, and finding recordings that a model has yet to embed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter

import numpy as np
from sqlalchemy import Connection, text

from registry.core.records import EmbeddedSound, Floats, Sound
from registry.database.store.arrays import copy_rows, to_matrix, types_of
from registry.database.store.tables import audio

SOUND = tuple(field.name for field in fields(Sound))  # columns of `audio` that are fields of the class `Sound`


def embedded_hashes(connection: Connection, model_id: int, hashes: Collection[str]) -> set[str]:
    """Tell which of some recordings, by audio hash (hex), have an embedding under a model."""
    query = text("""
        SELECT encode(audio_hash, 'hex') FROM audio JOIN embedding USING (audio_id)
        WHERE model_id = :model_id AND audio_hash = ANY(:hashes)
    """)
    found = connection.execute(query, {"model_id": model_id, "hashes": [bytes.fromhex(h) for h in hashes]})
    return set(found.scalars())


def save_embeddings(connection: Connection, model_id: int, sounds: Sequence[EmbeddedSound]) -> None:
    """Store recordings and their embeddings under a model.

    Recordings and embeddings that are stored already stay as they are. Recordings that were forgotten are left out. The
    caller must hold the registry's lock, so that no recording is forgotten meanwhile.
    """
    _copy_sounds(connection, sounds)
    columns = ", ".join(SOUND)
    connection.execute(
        text(f"""
        INSERT INTO audio ({columns}) SELECT {columns} FROM incoming_audio i
        WHERE NOT EXISTS (SELECT FROM forgotten_audio f WHERE f.audio_hash = i.audio_hash)
        ORDER BY audio_hash ON CONFLICT DO NOTHING
        """)  # noqa: S608 - names of columns
    )
    _add_vectors(connection, model_id)


def add_vectors(connection: Connection, model_id: int, sounds: Sequence[EmbeddedSound]) -> None:
    """Store embeddings, under a model, of stored recordings. Recordings that were forgotten meanwhile are left out."""
    _copy_sounds(connection, sounds)
    _add_vectors(connection, model_id)


def _copy_sounds(connection: Connection, sounds: Sequence[EmbeddedSound]) -> None:
    """Write recordings and their embeddings into the temporary table `incoming_audio`."""
    columns = types_of(audio, SOUND) | {"vector": "vector"}
    facts = attrgetter(*SOUND)
    rows = ((*facts(embedded.sound), embedded.vector) for embedded in sounds)
    copy_rows(connection, "incoming_audio", columns, rows)


def _add_vectors(connection: Connection, model_id: int) -> None:
    """Store the embeddings in `incoming_audio` whose recordings are stored."""
    connection.execute(
        text("""
        INSERT INTO embedding (audio_id, model_id, vector)
        SELECT audio_id, :model_id, vector FROM incoming_audio JOIN audio USING (audio_hash)
        ORDER BY audio_hash ON CONFLICT DO NOTHING
        """),
        {"model_id": model_id},
    )


# The recordings left to read for a model: recordings that it has not embedded, and for the deciding model also
# recordings whose narrowness an earlier version did not measure. Recordings of clips that are not present are left too,
# because the undo of their ingest may be undone.
LEFT = """
    FROM audio LEFT JOIN embedding e ON e.audio_id = audio.audio_id AND e.model_id = :model_id
    WHERE audio.audio_id > :after
      AND (e.audio_id IS NULL OR narrowness IS NULL AND :model_id = (SELECT deciding_model()))
      AND EXISTS (SELECT FROM clip c WHERE c.audio_id = audio.audio_id)
"""


@dataclass(frozen=True)
class LeftAudio:
    """A recording that is left to embed or to measure, and the files that hold it."""

    audio_id: int
    audio_hash: str  # hex
    is_embedded: bool  # whether the model has embedded it already, so that only its narrowness is to be measured
    is_heard: bool  # whether a present clip carries it
    sources: tuple[tuple[str, str], ...]  # path and SHA-256 (hex) of each .wav file, present clips first


def count_left(connection: Connection, model_id: int) -> int:
    """Count the recordings that are left to embed or to measure for a model."""
    query = text(f"SELECT count(*) {LEFT}")
    return int(connection.execute(query, {"model_id": model_id, "after": 0}).scalar_one())


def next_left(connection: Connection, model_id: int, after: int, most: int) -> list[LeftAudio]:
    """List the next recordings that are left to embed or to measure for a model, in order of key.

    Args:
        connection: Where they are read.
        model_id: The model.
        after: The key after which the list begins.
        most: How many are listed at most.
    """
    query = text(f"""
        SELECT unread.audio_id, encode(audio_hash, 'hex'), is_embedded, bool_or(a.clip_id IS NOT NULL),
               array_agg(ARRAY[c.wav_path, encode(c.wav_sha256, 'hex')] ORDER BY a.clip_id IS NULL, c.clip_id DESC)
        FROM (SELECT audio.audio_id, audio_hash, e.audio_id IS NOT NULL AS is_embedded {LEFT}
              ORDER BY audio.audio_id LIMIT :most) unread
        JOIN clip c USING (audio_id)
        LEFT JOIN assignment a ON a.clip_id = c.clip_id AND a.to_operation IS NULL
        GROUP BY unread.audio_id, audio_hash, is_embedded ORDER BY unread.audio_id
    """)  # noqa: S608 - a constant of this module
    rows = connection.execute(query, {"model_id": model_id, "after": after, "most": most})
    return [LeftAudio(row[0], row[1], row[2], row[3], tuple((path, sha256) for path, sha256 in row[4])) for row in rows]


def measure(connection: Connection, narrowness: Mapping[str, float]) -> list[str]:
    """Keep the narrowness of some recordings. A recording that has a narrowness keeps it.

    Args:
        connection: In a transaction.
        narrowness: Audio hash (hex) -> narrowness.

    Returns:
        The audio hashes (hex) of the recordings that had none.
    """
    query = text("""
        UPDATE audio SET narrowness = measured.narrowness
        FROM unnest(CAST(:hashes AS bytea[]), CAST(:narrowness AS real[])) AS measured (audio_hash, narrowness)
        WHERE audio.audio_hash = measured.audio_hash AND audio.narrowness IS NULL
        RETURNING encode(audio.audio_hash, 'hex')
    """)
    values = {"hashes": [bytes.fromhex(one) for one in narrowness], "narrowness": list(narrowness.values())}
    return list(connection.execute(query, values).scalars())


def clips_without(connection: Connection, model_id: int, from_operation: int | None = None) -> int:
    """Count the present clips that have no embedding under a model, all or only clips that one operation assigned."""
    query = text("""
        SELECT count(*) FROM assignment a JOIN clip c USING (clip_id)
        WHERE a.to_operation IS NULL
          AND (CAST(:from_operation AS bigint) IS NULL OR a.from_operation = :from_operation)
          AND NOT EXISTS (SELECT FROM embedding e WHERE e.audio_id = c.audio_id AND e.model_id = :model_id)
    """)
    values = {"model_id": model_id, "from_operation": from_operation}
    return int(connection.execute(query, values).scalar_one())


def vectors(connection: Connection, model_id: int, dimension: int, audio_ids: Sequence[int]) -> Floats:
    """Read the embeddings of some recordings under a model (n, dimension), in the order of `audio_ids`."""
    query = text("""
        SELECT vector_send(vector)
        FROM unnest(CAST(:audio_ids AS bigint[])) WITH ORDINALITY AS asked (audio_id, position)
        JOIN embedding USING (audio_id) WHERE model_id = :model_id ORDER BY position
    """)
    sent = connection.execute(query, {"audio_ids": list(audio_ids), "model_id": model_id})
    return to_matrix(sent.scalars().all(), dimension)


def sounds(connection: Connection, audio_ids: Sequence[int]) -> tuple[Floats, Floats]:
    """Read the durations in seconds (n,) and the narrowness (n,) of some recordings, in the order of `audio_ids`.

    A narrowness that was never measured is taken for 0, a studio.
    """
    query = text("""
        SELECT duration_s, coalesce(narrowness, 0)
        FROM unnest(CAST(:audio_ids AS bigint[])) WITH ORDINALITY AS asked (audio_id, position)
        JOIN audio USING (audio_id) ORDER BY position
    """)
    rows = connection.execute(query, {"audio_ids": list(audio_ids)}).all()
    durations_s, narrowness = np.array([tuple(row) for row in rows], dtype=np.float32).reshape(-1, 2).T
    return durations_s, narrowness
