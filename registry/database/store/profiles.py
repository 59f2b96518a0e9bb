"""Profiles under a model that is embedding the registry's recordings while another model decides.

A profile under such a model is exact or missing. Before an embedding of one of its recordings comes in, it is dropped.
When all embeddings are in, the missing profiles are computed.
"""

from collections.abc import Collection

from sqlalchemy import Connection, text

from registry.database.store.speakers import PROFILES


def drop(connection: Connection, model_id: int, hashes: Collection[str]) -> None:
    """Drop the profiles, under a model, of the speakers of some recordings, by audio hash (hex)."""
    query = text("""
        DELETE FROM profile p USING audio au, clip c, assignment a
        WHERE au.audio_hash = ANY(:hashes) AND c.audio_id = au.audio_id AND a.clip_id = c.clip_id
          AND a.to_operation IS NULL AND p.speaker_id = a.speaker_id AND p.model_id = :model_id
    """)
    connection.execute(query, {"model_id": model_id, "hashes": [bytes.fromhex(h) for h in hashes]})


def follow_narrowness(connection: Connection, hashes: Collection[str]) -> None:
    """Recompute the narrowness of the profiles, under every model, of the speakers of some recordings.

    Speakers whose narrowness changes are marked as never judged.

    Args:
        connection: In a transaction.
        hashes: Audio hashes (hex) of the recordings, whose narrowness was just measured.
    """
    carried = """AND a.speaker_id IN (
        SELECT a.speaker_id FROM audio JOIN clip USING (audio_id) JOIN assignment a USING (clip_id)
        WHERE audio_hash = ANY(:hashes) AND a.to_operation IS NULL)"""
    query = text(f"""
        WITH changed AS (
            UPDATE profile p SET narrowness = made.narrowness FROM ({PROFILES.format(condition=carried)}) made
            WHERE p.speaker_id = made.speaker_id AND p.model_id = made.model_id AND p.narrowness <> made.narrowness
            RETURNING p.speaker_id)
        DELETE FROM judgement j USING changed WHERE j.speaker_id = changed.speaker_id
    """)  # noqa: S608 - constants of ours
    connection.execute(query, {"hashes": [bytes.fromhex(one) for one in hashes]})


def complete(connection: Connection, model_id: int) -> None:
    """Compute the profiles, under a model, that are missing."""
    missing = """AND NOT EXISTS (
        SELECT FROM profile p WHERE p.speaker_id = a.speaker_id AND p.model_id = :model_id)"""
    query = text(f"""
        INSERT INTO profile (speaker_id, model_id, mean, audios, duration_s, inverse_s, narrowness)
        SELECT speaker_id, model_id, mean, audios, duration_s, inverse_s, narrowness
        FROM ({PROFILES.format(condition=missing)}) made WHERE model_id = :model_id
    """)  # noqa: S608 - constants of ours
    connection.execute(query, {"model_id": model_id})
