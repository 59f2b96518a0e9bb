"""All present clips of a gender with their speakers, for operations that look at the whole registry."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class HeldClip:
    """A present clip and its speaker."""

    clip_id: int
    audio_id: int  # the recording
    speaker_id: int


def held_clips(connection: Connection, gender: str) -> list[HeldClip]:
    """List the present clips of a gender's speakers, in order of key."""
    query = text("""
        SELECT clip_id, audio_id, a.speaker_id
        FROM assignment a JOIN clip USING (clip_id) JOIN speaker s USING (speaker_id)
        WHERE a.to_operation IS NULL AND s.gender = :gender ORDER BY clip_id
    """)
    return [HeldClip(*row) for row in connection.execute(query, {"gender": gender})]


def settled_speakers(connection: Connection) -> set[int]:
    """Give the speakers about whom, or about a clip of whom, a person decided anything: their clips stay together."""
    query = text("""
        SELECT speaker_id FROM verdict WHERE to_operation IS NULL
        UNION SELECT other_id FROM verdict WHERE to_operation IS NULL AND other_id IS NOT NULL
        UNION SELECT a.speaker_id FROM verdict v JOIN assignment a USING (clip_id)
        WHERE v.to_operation IS NULL AND a.to_operation IS NULL
        UNION SELECT speaker_id FROM speaker_name WHERE to_operation IS NULL
    """)
    return set(connection.execute(query).scalars())


def audio_of_speakers(held: Sequence[HeldClip], speaker_ids: set[int]) -> dict[int, int]:
    """Find the recordings of some speakers.

    Args:
        held: Present clips.
        speaker_ids: The speakers.

    Returns:
        Recording -> the speaker that has a clip of it; of several such speakers, the lowest key.
    """
    found: dict[int, int] = {}
    for clip in held:
        if clip.speaker_id in speaker_ids:
            found[clip.audio_id] = min(clip.speaker_id, found.get(clip.audio_id, clip.speaker_id))
    return found
