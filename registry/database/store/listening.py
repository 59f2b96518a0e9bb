"""Which files a person should listen to: a few clips that are typical of a speaker, or the least certain clips."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Literal

from sqlalchemy import Connection, text

FILES = 2  # files of each speaker: a single one may be odd
LONG_S = 5.0  # duration in seconds beyond which a longer clip says no more about a voice
# How the clips of a speaker are ordered, the first to listen to first.
ORDERS = {
    "typical": f"least(duration_s, {LONG_S}) * coalesce(probability, 0.5) DESC",
    "doubtful": "coalesce(probability, 0.5)",
}


def files(
    connection: Connection, clips_of: Mapping[int, Collection[int]], which: Literal["typical", "doubtful"] = "typical"
) -> dict[int, tuple[str, ...]]:
    """Choose a few files for each key, the first to listen to first.

    Args:
        connection: Where they are read.
        clips_of: Key of any kind -> the clips to choose from.
        which: What is chosen: clips that are typical, long and certain, or clips that are doubtful, the least certain.

    Returns:
        Key -> paths or URLs of .wav files, where they were last seen.
    """
    pairs = [(key, clip_id) for key, clip_ids in clips_of.items() for clip_id in clip_ids]
    query = text(f"""
        SELECT key, wav_path FROM (
            SELECT key, wav_path, row_number() OVER (PARTITION BY key ORDER BY {ORDERS[which]}, clip_id) AS rank
            FROM unnest(CAST(:keys AS bigint[]), CAST(:clip_ids AS bigint[])) AS asked (key, clip_id)
            JOIN clip USING (clip_id) JOIN audio USING (audio_id) LEFT JOIN certainty USING (clip_id)) ranked
        WHERE rank <= {FILES} ORDER BY key, rank
    """)  # noqa: S608 - constants of this module
    values = {"keys": [key for key, _ in pairs], "clip_ids": [clip_id for _, clip_id in pairs]}
    found: defaultdict[int, list[str]] = defaultdict(list)
    for key, path in connection.execute(query, values):
        found[key].append(path)
    return {key: tuple(found[key]) for key in clips_of}


def files_of_speakers(
    connection: Connection, speaker_ids: Collection[int], which: Literal["typical", "doubtful"] = "typical"
) -> dict[int, tuple[str, ...]]:
    """Choose a few files of each of some speakers, as `files` does: speaker -> paths or URLs."""
    query = text("""
        SELECT speaker_id, array_agg(clip_id) FROM assignment
        WHERE to_operation IS NULL AND speaker_id = ANY(CAST(:speaker_ids AS bigint[])) GROUP BY speaker_id
    """)
    clips_of = {row[0]: row[1] for row in connection.execute(query, {"speaker_ids": list(speaker_ids)})}
    return files(connection, {speaker_id: clips_of.get(speaker_id, []) for speaker_id in speaker_ids}, which)
