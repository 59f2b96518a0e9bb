"""Clips that were taken out again, and what is kept of them for when the same sound comes back."""

from collections.abc import Collection

from sqlalchemy import Connection, text

from registry.core.records import Group

# What a clip had before it was taken out: its last assignment, ended by such an operation and not opened again.
WITHDRAWN = """(
    SELECT DISTINCT ON (last.clip_id) last.clip_id, last.speaker_id, last.to_operation AS by_operation
    FROM assignment last JOIN clip its USING (clip_id)
    WHERE {condition} ORDER BY last.clip_id, last.to_operation DESC NULLS FIRST, last.assignment_id DESC)"""
IS_WITHDRAWN = """
    EXISTS (SELECT FROM operation o WHERE o.operation_id = by_operation AND o.kind IN ('withdraw', 'replace'))"""
# Who a speaker is by now: whoever its numbers lead to, for it may have been merged in the meantime.
HEIR = """(
    SELECT now.speaker_id FROM speaker_number held
    JOIN speaker_number now USING (broadcaster, gender, number)
    WHERE held.speaker_id = {speaker} AND now.to_operation IS NULL
    ORDER BY now.is_alias, held.holding_id DESC LIMIT 1)"""
# ruff: noqa: S608 - the statements below are put together from constants of this module


def clips_of_group(
    connection: Connection, group: Group, *, named: Collection[str] | None = None, but_for: Collection[str] = ()
) -> list[int]:
    """List the clips that a group has now: all, or those of some names, or all but those of some names."""
    query = text("""
        SELECT c.clip_id FROM clip c JOIN clip_group g USING (group_id)
        JOIN assignment a ON a.clip_id = c.clip_id AND a.to_operation IS NULL
        WHERE g.broadcaster = :broadcaster AND g.gender = :gender AND g.date = :date
          AND (CAST(:named AS text[]) IS NULL OR c.name = ANY(:named)) AND c.name <> ALL(:but_for)
        ORDER BY c.clip_id
    """)
    values = {**vars(group), "named": None if named is None else list(named), "but_for": list(but_for)}
    return list(connection.execute(query, values).scalars())


def withdraw(connection: Connection, clip_ids: Collection[int], operation_id: int) -> None:
    """Take clips out, with what people said about them; the speakers keep their numbers and names."""
    for table in ("assignment", "verdict"):
        query = text(f"""
            UPDATE {table} SET to_operation = :operation_id
            WHERE clip_id = ANY(CAST(:clip_ids AS bigint[])) AND to_operation IS NULL
        """)
        connection.execute(query, {"clip_ids": list(clip_ids), "operation_id": operation_id})


def withdrawn_from(connection: Connection, group: Group, hashes: Collection[str]) -> set[tuple[str, str]]:
    """Tell which of some audios (hex) were taken out of a group: name and audio hash of each such clip."""
    of_group = """its.audio_id IN (SELECT audio_id FROM audio WHERE audio_hash = ANY(:hashes)) AND its.group_id = (
        SELECT group_id FROM clip_group
        WHERE broadcaster = :broadcaster AND gender = :gender AND date = :date)"""
    query = text(f"""
        SELECT c.name, encode(audio_hash, 'hex')
        FROM {WITHDRAWN.format(condition=of_group)} gone JOIN clip c USING (clip_id) JOIN audio USING (audio_id)
        WHERE {IS_WITHDRAWN}
    """)
    rows = connection.execute(query, {**vars(group), "hashes": [bytes.fromhex(h) for h in hashes]})
    return {(row[0], row[1]) for row in rows}


def last_speakers(connection: Connection, audio_ids: Collection[int]) -> dict[int, int]:
    """Tell whose some audios were when they were last taken out, by what that speaker is now."""
    of_audio = "its.audio_id = ANY(CAST(:audio_ids AS bigint[]))"
    query = text(f"""
        SELECT DISTINCT ON (c.audio_id) c.audio_id, {HEIR.format(speaker="gone.speaker_id")} AS speaker_id
        FROM {WITHDRAWN.format(condition=of_audio)} gone JOIN clip c USING (clip_id)
        WHERE {IS_WITHDRAWN} ORDER BY c.audio_id, by_operation DESC, clip_id
    """)
    rows = connection.execute(query, {"audio_ids": list(audio_ids)})
    return {row[0]: row[1] for row in rows if row[1] is not None}


def restore_verdicts(connection: Connection, operation_id: int) -> None:
    """Let what people said about clips that were taken out hold for clips of the same audio that now came in."""
    of_audio = "its.audio_id IN (SELECT audio_id FROM came)"
    query = text(f"""
        WITH came AS (
            SELECT c.clip_id, c.audio_id, a.speaker_id FROM assignment a JOIN clip c USING (clip_id)
            WHERE a.from_operation = :operation_id AND a.to_operation IS NULL),
        said AS (
            SELECT c.audio_id, v.kind, {HEIR.format(speaker="v.speaker_id")} AS speaker_id
            FROM {WITHDRAWN.format(condition=of_audio)} gone JOIN clip c USING (clip_id)
            JOIN verdict v ON v.clip_id = gone.clip_id AND v.to_operation = by_operation
            WHERE {IS_WITHDRAWN})
        INSERT INTO verdict (kind, speaker_id, subject_id, clip_id, from_operation)
        SELECT DISTINCT said.kind, said.speaker_id, came.clip_id, came.clip_id, :operation_id
        FROM came JOIN said USING (audio_id)
        WHERE (said.kind = 'confirmed') = (said.speaker_id = came.speaker_id)
        ON CONFLICT (kind, speaker_id, subject_id) WHERE to_operation IS NULL DO NOTHING
    """)
    connection.execute(query, {"operation_id": operation_id})
