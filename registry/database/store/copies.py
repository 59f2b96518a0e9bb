"""What the registry knows of the files of an exported tree: where other copies are, and whether they are forgotten."""

from collections.abc import Collection

from sqlalchemy import Connection, text

from registry.core.export_plan import Source


def _as_bytes(hashes: Collection[str]) -> list[bytes]:
    return [bytes.fromhex(digest) for digest in hashes]


def transcripts(connection: Connection, hashes: Collection[str]) -> dict[str, bytes]:
    """Give the transcripts that the registry keeps, present or replaced, by hash (SHA-256, hex)."""
    query = text("""
        SELECT encode(txt_sha256, 'hex'), txt_content FROM clip
        WHERE txt_sha256 = ANY(:hashes) AND txt_content IS NOT NULL
        UNION SELECT encode(txt_sha256, 'hex'), txt_content FROM former_transcript WHERE txt_sha256 = ANY(:hashes)
    """)
    return {row[0]: bytes(row[1]) for row in connection.execute(query, {"hashes": _as_bytes(hashes)})}


def sources(connection: Connection, hashes: Collection[str]) -> dict[str, list[Source]]:
    """List the files of input folders by hash (SHA-256, hex), also files of clips that are not present.

    Every hash that the registry knows has an entry.
    """
    query = text("""
        SELECT wav_path, wav_size, wav_mtime_ns, encode(wav_sha256, 'hex') FROM clip WHERE wav_sha256 = ANY(:hashes)
        UNION
        SELECT txt_path, txt_size, txt_mtime_ns, encode(txt_sha256, 'hex') FROM clip WHERE txt_sha256 = ANY(:hashes)
    """)
    found: dict[str, list[Source]] = {}
    for row in connection.execute(query, {"hashes": _as_bytes(hashes)}):
        found.setdefault(row[3], []).append(Source(*row))
    return found


def forgotten_sounds(connection: Connection, audio_hashes: Collection[str]) -> set[str]:
    """Tell which recordings (audio hash, hex) were forgotten, so that no copy of them may be kept."""
    query = text("SELECT encode(audio_hash, 'hex') FROM forgotten_audio WHERE audio_hash = ANY(:hashes)")
    return set(connection.execute(query, {"hashes": _as_bytes(audio_hashes)}).scalars())


def has_forgotten(connection: Connection) -> bool:
    """Tell whether anything was ever forgotten."""
    return bool(connection.execute(text("SELECT EXISTS (SELECT FROM forgotten_audio)")).scalar_one())


def sounds_there(connection: Connection, audio_hashes: Collection[str]) -> set[str]:
    """Tell which recordings (audio hash, hex) are carried by a present clip."""
    query = text("""
        SELECT encode(audio_hash, 'hex') FROM audio au WHERE audio_hash = ANY(:hashes) AND EXISTS (
            SELECT FROM clip c JOIN assignment a ON a.clip_id = c.clip_id AND a.to_operation IS NULL
            WHERE c.audio_id = au.audio_id)
    """)
    return set(connection.execute(query, {"hashes": _as_bytes(audio_hashes)}).scalars())


def known_beginnings(connection: Connection, beginnings: Collection[str]) -> set[str]:
    """Tell which of some beginnings, 16 digits of hex, begin the hash of the .wav file of a clip, present or not."""
    query = text("""
        SELECT DISTINCT encode(substring(wav_sha256 FOR 8), 'hex') FROM clip
        WHERE substring(wav_sha256 FOR 8) = ANY(:beginnings)
    """)
    return set(connection.execute(query, {"beginnings": _as_bytes(beginnings)}).scalars())
