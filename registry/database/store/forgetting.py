"""Forgetting: erasing clips with all that was ever noted of them, and all traces of a speaker, for good."""

import datetime as dt
from collections.abc import Collection, Mapping

from sqlalchemy import Connection, text

CHOSEN = "clip_id = ANY(CAST(:clip_ids AS bigint[]))"
# ruff: noqa: S608 - the statements below are put together from constants of this module
# What is erased of clips -> the statement that erases it. They run in this order, because rows that point at a row go
# before the row. Audio hashes of forgotten recordings are kept, so that a later ingest of the same folder does not
# bring them back. A recording that another clip still carries, such as a clip of a newer night, is not forgotten.
ERASE_CLIPS = {
    "assignments": f"DELETE FROM assignment WHERE {CHOSEN}",
    "verdicts": f"DELETE FROM verdict WHERE {CHOSEN}",
    "hashes_kept": f"""
        INSERT INTO forgotten_audio (audio_hash)
        SELECT audio_hash FROM audio WHERE audio_id IN (SELECT audio_id FROM clip WHERE {CHOSEN})
        AND NOT EXISTS (SELECT FROM clip kept WHERE kept.audio_id = audio.audio_id AND NOT {CHOSEN})
        ON CONFLICT DO NOTHING""",
    "certainties": f"DELETE FROM certainty WHERE {CHOSEN}",
    "former_transcripts": f"DELETE FROM former_transcript WHERE {CHOSEN}",
    "clips": f"DELETE FROM clip WHERE {CHOSEN}",
    "embeddings": """
        DELETE FROM embedding e USING audio a, forgotten_audio f
        WHERE e.audio_id = a.audio_id AND a.audio_hash = f.audio_hash""",
    "audios": "DELETE FROM audio a USING forgotten_audio f WHERE a.audio_hash = f.audio_hash",
}
# The kinds of operations whose command lines name clips.
NAMING_CLIPS = ["confirm", "move", "reject", "replace", "split", "withdraw"]
# Command lines may hold names and paths, but the command lines of ingests hold neither.
HIDE_COMMANDS = """
    UPDATE operation SET command = 'registry ' || kind || ' (forgotten)'
    WHERE kind <> 'ingest' AND operation_id IN (
        SELECT operation_id FROM (
            SELECT from_operation, to_operation FROM assignment WHERE speaker_id = ANY(:speaker_ids)
            UNION ALL SELECT from_operation, to_operation FROM speaker_number WHERE speaker_id = ANY(:speaker_ids)
            UNION ALL SELECT from_operation, to_operation FROM speaker_name WHERE speaker_id = ANY(:speaker_ids)
            UNION ALL SELECT from_operation, to_operation FROM verdict
            WHERE speaker_id = ANY(:speaker_ids) OR other_id = ANY(:speaker_ids)) said
        CROSS JOIN LATERAL (VALUES (from_operation), (to_operation)) AS by (operation_id))
    OR kind = ANY(:naming_clips) AND operation_id IN (
        SELECT operation_id FROM (
            SELECT from_operation, to_operation FROM assignment WHERE clip_id = ANY(:clip_ids)
            UNION ALL SELECT from_operation, to_operation FROM verdict WHERE clip_id = ANY(:clip_ids)) said
        CROSS JOIN LATERAL (VALUES (from_operation), (to_operation)) AS by (operation_id))
"""
# Marks the operations that cannot be undone any more, because a row that an undo would open again, or close, is erased.
# A row that an operation only opened is no hindrance, unless it assigned a clip, which may have another speaker since.
SEAL = """
    UPDATE operation SET erased_by = :operation_id WHERE erased_by IS NULL AND operation_id IN (
        SELECT from_operation FROM assignment WHERE speaker_id = ANY(:speaker_ids)
        UNION ALL SELECT to_operation FROM assignment WHERE speaker_id = ANY(:speaker_ids)
        UNION ALL SELECT to_operation FROM speaker_number WHERE speaker_id = ANY(:speaker_ids)
        UNION ALL SELECT to_operation FROM speaker_name WHERE speaker_id = ANY(:speaker_ids)
        UNION ALL SELECT to_operation FROM verdict
        WHERE speaker_id = ANY(:speaker_ids) OR other_id = ANY(:speaker_ids))
"""
# The speakers that were forgotten: speakers whose number a forgetting retired, and speakers who held such a number
# before a merge and have no number now.
FORGOTTEN = """
    SELECT n.speaker_id FROM speaker_number n JOIN operation o ON o.operation_id = n.from_operation
    WHERE o.kind = 'forget'
    UNION
    SELECT held.speaker_id FROM speaker_number n JOIN operation o ON o.operation_id = n.from_operation
    JOIN speaker_number held USING (broadcaster, gender, number)
    WHERE o.kind = 'forget' AND NOT EXISTS (
        SELECT FROM speaker_number own WHERE own.speaker_id = held.speaker_id AND own.to_operation IS NULL)
"""
# What is erased of speakers besides their clips -> the statement that erases it.
ERASE_TRACES = {
    "former_assignments": "DELETE FROM assignment WHERE speaker_id = ANY(:speaker_ids)",
    "runner_up_entries": """
        UPDATE assignment SET runner_up_id = NULL, runner_up_score = NULL, runner_up_probability = NULL
        WHERE runner_up_id = ANY(:speaker_ids)""",
    "verdicts_on_the_speaker": """
        DELETE FROM verdict WHERE speaker_id = ANY(:speaker_ids) OR other_id = ANY(:speaker_ids)""",
    "names": "DELETE FROM speaker_name WHERE speaker_id = ANY(:speaker_ids)",
    "profiles": "DELETE FROM profile WHERE speaker_id = ANY(:speaker_ids)",
    "judgements": "DELETE FROM judgement WHERE speaker_id = ANY(:speaker_ids)",
}
# A forgotten speaker's number keeps one row, which begins and ends with the forgetting, so that no undo can open it
# again. A number that once led to the speaker as an alias, and that is another speaker's, is not one of its numbers.
RETIRE_NUMBERS = (
    """
    DELETE FROM speaker_number n
    WHERE speaker_id = ANY(:speaker_ids) AND is_alias AND to_operation IS NOT NULL AND EXISTS (
        SELECT FROM speaker_number other WHERE other.speaker_id <> ALL(:speaker_ids)
        AND (other.broadcaster, other.gender, other.number) = (n.broadcaster, n.gender, n.number))
    """,
    """
    DELETE FROM speaker_number n USING speaker_number later
    WHERE n.speaker_id = ANY(:speaker_ids) AND later.speaker_id = n.speaker_id AND later.holding_id > n.holding_id
      AND (later.broadcaster, later.gender, later.number) = (n.broadcaster, n.gender, n.number)
    """,
    """
    UPDATE speaker_number SET from_operation = :operation_id, to_operation = :operation_id, origin = NULL
    WHERE speaker_id = ANY(:speaker_ids)
    """,
)


def erase_clips(connection: Connection, clip_ids: Collection[int]) -> dict[str, int]:
    """Erase clips: paths, transcripts, history, verdicts, and the embeddings of recordings that no other clip carries.

    Returns:
        What was erased -> how many rows.
    """
    values = {"clip_ids": list(clip_ids)}
    return {what: connection.execute(text(statement), values).rowcount for what, statement in ERASE_CLIPS.items()}


def hide_commands(connection: Connection, speaker_ids: Collection[int], clip_ids: Collection[int]) -> int:
    """Hide the command lines about some speakers or clips, and count them.

    This has to be done before the rows are erased that tell which operations were about them.
    """
    values = {"speaker_ids": list(speaker_ids), "clip_ids": list(clip_ids), "naming_clips": NAMING_CLIPS}
    return connection.execute(text(HIDE_COMMANDS), values).rowcount


def erase_traces(connection: Connection, speaker_ids: Collection[int], operation_id: int) -> dict[str, int]:
    """Erase all that the registry noted of speakers besides their clips, and retire their numbers for good.

    Operations that can no longer be undone exactly are marked as erased by the forgetting.

    Args:
        connection: In a transaction.
        speaker_ids: The speakers.
        operation_id: The forgetting.

    Returns:
        What was erased -> how many rows.
    """
    values = {"speaker_ids": list(speaker_ids), "operation_id": operation_id}
    connection.execute(text(SEAL), values)
    counts = {what: connection.execute(text(statement), values).rowcount for what, statement in ERASE_TRACES.items()}
    for statement in RETIRE_NUMBERS:
        connection.execute(text(statement), values)
    return counts


# The speaker of every clip: of a clip that is not present, the last speaker that it had.
LAST_OF = """(
    SELECT DISTINCT ON (clip_id) clip_id, speaker_id FROM assignment
    ORDER BY clip_id, to_operation DESC NULLS FIRST, assignment_id DESC)"""


def clips_last_of(connection: Connection, speaker_ids: Collection[int]) -> list[int]:
    """List the clips of some speakers, also clips that are not present and had one of them last."""
    query = text(f"""
        SELECT clip_id FROM {LAST_OF} last
        WHERE speaker_id = ANY(CAST(:speaker_ids AS bigint[])) ORDER BY clip_id
    """)
    return list(connection.execute(query, {"speaker_ids": list(speaker_ids)}).scalars())


def speakers_last_of(connection: Connection, clip_ids: Collection[int]) -> set[int]:
    """Give the speakers of some clips; of a clip that is not present, the last speaker that it had."""
    query = text(f"SELECT DISTINCT speaker_id FROM {LAST_OF} last WHERE {CHOSEN}")
    return set(connection.execute(query, {"clip_ids": list(clip_ids)}).scalars())


def speakers_with_others(connection: Connection, speaker_ids: Collection[int], clip_ids: Collection[int]) -> set[int]:
    """Tell which of some speakers have clips besides some clips. A clip that is not present is its last speaker's."""
    query = text(f"""
        SELECT DISTINCT speaker_id FROM {LAST_OF} last
        WHERE speaker_id = ANY(CAST(:speaker_ids AS bigint[])) AND NOT {CHOSEN}
    """)
    values = {"speaker_ids": list(speaker_ids), "clip_ids": list(clip_ids)}
    return set(connection.execute(query, values).scalars())


def of_same_sound(connection: Connection, clip_ids: Collection[int]) -> list[int]:
    """List all clips that carry the recordings of some clips, whoever their speaker is; these clips are included."""
    query = text(f"""
        SELECT clip_id FROM clip WHERE audio_id IN (SELECT audio_id FROM clip WHERE {CHOSEN}) ORDER BY clip_id
    """)
    return list(connection.execute(query, {"clip_ids": list(clip_ids)}).scalars())


def left_of_forgotten(connection: Connection, parts: Mapping[str, object]) -> set[int]:
    """Give the forgotten speakers who had a number and of whom an earlier version of this program left traces.

    Args:
        connection: Where they are looked for.
        parts: The number, as `addresses.parts_of` gives it.
    """
    query = text(f"""
        SELECT DISTINCT speaker_id FROM speaker_number n
        WHERE (CAST(:broadcaster AS text) IS NULL OR broadcaster = :broadcaster) AND gender = :gender
          AND number = :number AND speaker_id IN ({FORGOTTEN}) AND speaker_id IN (
              SELECT speaker_id FROM speaker_name UNION ALL SELECT speaker_id FROM assignment
              UNION ALL SELECT unnest(ARRAY[speaker_id, other_id]) FROM verdict)
    """)
    return set(connection.execute(query, parts).scalars())


def clips_before(connection: Connection, date: dt.date) -> list[int]:
    """List the clips of the nights before a date, present or not."""
    query = text("SELECT clip_id FROM clip JOIN clip_group USING (group_id) WHERE date < :date ORDER BY clip_id")
    return list(connection.execute(query, {"date": date}).scalars())


def forgotten(connection: Connection, hashes: Collection[str]) -> set[str]:
    """Tell which of some recordings, by audio hash (hex), were forgotten, so that an ingest leaves them out."""
    query = text("SELECT encode(audio_hash, 'hex') FROM forgotten_audio WHERE audio_hash = ANY(:hashes)")
    return set(connection.execute(query, {"hashes": [bytes.fromhex(h) for h in hashes]}).scalars())
