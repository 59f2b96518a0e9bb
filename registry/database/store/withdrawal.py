"""Clips that were taken out again, and what is kept of them for when the same sound comes back."""

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import Connection, text

from registry.core.records import Group
from registry.database.store.clips import columns_of

# What a clip had before it was taken out: its last assignment, and the operation that ended it, none while it stands.
# The condition chooses among clips, called `its`.
LAST_HELD = """(
    SELECT DISTINCT ON (last.clip_id) last.clip_id, last.speaker_id, last.to_operation AS by_operation
    FROM assignment last JOIN clip its USING (clip_id)
    WHERE {condition} ORDER BY last.clip_id, last.to_operation DESC NULLS FIRST, last.assignment_id DESC)"""
# The operations that take clips out: withdrawals, replacements, and what does such a one again by undoing its undo.
WITHDRAWALS = """(
    WITH RECURSIVE undo AS (
        SELECT operation_id, CAST(summary->>'undone' AS bigint) AS undone FROM operation WHERE kind = 'undo'),
    withdrawing AS (
        SELECT operation_id FROM operation WHERE kind IN ('withdraw', 'replace')
        UNION ALL
        SELECT again.operation_id FROM withdrawing
        JOIN undo back ON back.undone = withdrawing.operation_id JOIN undo again ON again.undone = back.operation_id)
    SELECT operation_id FROM withdrawing)"""
# Who a speaker is by now: itself while it has a number, else whoever its numbers lead to, for it may have been merged.
# No query that asks for one may call its own tables `heir_now` or `heir_before`.
HEIR = """coalesce(
    (SELECT heir_now.speaker_id FROM speaker_number heir_now
     WHERE heir_now.speaker_id = {speaker} AND heir_now.to_operation IS NULL AND NOT heir_now.is_alias LIMIT 1),
    (SELECT heir_now.speaker_id FROM speaker_number heir_before
     JOIN speaker_number heir_now USING (broadcaster, gender, number)
     WHERE heir_before.speaker_id = {speaker} AND NOT heir_before.is_alias AND heir_now.to_operation IS NULL
     ORDER BY heir_before.holding_id DESC LIMIT 1))"""
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
    values = columns_of(group) | {"named": None if named is None else list(named), "but_for": list(but_for)}
    return list(connection.execute(query, values).scalars())


def groups_of(connection: Connection, clip_ids: Collection[int]) -> list[str]:
    """Name the groups that some clips are in."""
    query = text("""
        SELECT DISTINCT broadcaster || '_' || gender || to_char(date, 'YYYYMMDD')
        FROM clip JOIN clip_group USING (group_id) WHERE clip_id = ANY(CAST(:clip_ids AS bigint[])) ORDER BY 1
    """)
    return list(connection.execute(query, {"clip_ids": list(clip_ids)}).scalars())


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
        FROM {LAST_HELD.format(condition=of_group)} gone JOIN clip c USING (clip_id) JOIN audio USING (audio_id)
        WHERE by_operation IN {WITHDRAWALS}
    """)
    values = columns_of(group) | {"hashes": [bytes.fromhex(audio_hash) for audio_hash in hashes]}
    rows = connection.execute(query, values)
    return {(row[0], row[1]) for row in rows}


def last_speakers(connection: Connection, audio_ids: Collection[int]) -> dict[int, int]:
    """Tell whose some audios were when they were last taken out, by what that speaker is now."""
    of_audio = "its.audio_id = ANY(CAST(:audio_ids AS bigint[]))"
    query = text(f"""
        SELECT DISTINCT ON (c.audio_id) c.audio_id, {HEIR.format(speaker="gone.speaker_id")} AS speaker_id
        FROM {LAST_HELD.format(condition=of_audio)} gone JOIN clip c USING (clip_id)
        WHERE by_operation IN {WITHDRAWALS} ORDER BY c.audio_id, by_operation DESC, clip_id
    """)
    rows = connection.execute(query, {"audio_ids": list(audio_ids)})
    return {row[0]: row[1] for row in rows if row[1] is not None}


def became(connection: Connection, speaker_ids: Collection[int]) -> dict[int, set[int]]:
    """Tell, of each speaker that some speakers are by now, all that became it when they were merged, and itself."""
    query = text(f"""
        WITH heir AS (
            SELECT DISTINCT coalesce({HEIR.format(speaker="asked.speaker_id")}, asked.speaker_id) AS speaker_id
            FROM unnest(CAST(:speaker_ids AS bigint[])) AS asked (speaker_id))
        SELECT heir.speaker_id, held.speaker_id FROM heir
        JOIN speaker_number now ON now.speaker_id = heir.speaker_id AND now.to_operation IS NULL
        JOIN speaker_number held USING (broadcaster, gender, number)
        WHERE {HEIR.format(speaker="held.speaker_id")} = heir.speaker_id
        UNION SELECT speaker_id, speaker_id FROM heir
        UNION SELECT coalesce({HEIR.format(speaker="asked.speaker_id")}, asked.speaker_id), asked.speaker_id
        FROM unnest(CAST(:speaker_ids AS bigint[])) AS asked (speaker_id)
    """)
    persons = defaultdict[int, set[int]](set)
    for heir_id, speaker_id in connection.execute(query, {"speaker_ids": list(speaker_ids)}):
        persons[heir_id].add(speaker_id)
    return dict(persons)


def restore_verdicts(connection: Connection, operation_id: int) -> None:
    """Let what people said about clips that were taken out hold for clips of the same audio that now came in."""
    of_audio = "its.audio_id IN (SELECT audio_id FROM came)"
    query = text(f"""
        WITH came AS (
            SELECT c.clip_id, c.audio_id, a.speaker_id FROM assignment a JOIN clip c USING (clip_id)
            WHERE a.from_operation = :operation_id AND a.to_operation IS NULL),
        said AS (
            SELECT c.audio_id, v.kind, {HEIR.format(speaker="v.speaker_id")} AS speaker_id
            FROM {LAST_HELD.format(condition=of_audio)} gone JOIN clip c USING (clip_id)
            JOIN verdict v ON v.clip_id = gone.clip_id AND v.to_operation = by_operation
            WHERE by_operation IN {WITHDRAWALS})
        INSERT INTO verdict (kind, speaker_id, subject_id, clip_id, from_operation)
        SELECT DISTINCT said.kind, said.speaker_id, came.clip_id, came.clip_id, :operation_id
        FROM came JOIN said USING (audio_id)
        WHERE (said.kind = 'confirmed') = (said.speaker_id = came.speaker_id)
        ON CONFLICT (kind, speaker_id, subject_id) WHERE to_operation IS NULL DO NOTHING
    """)
    connection.execute(query, {"operation_id": operation_id})
