"""Withdrawing clips, and finding what withdrawn clips had, for when the same recordings are ingested again."""

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import Connection, text

from registry.core.records import Group
from registry.database.store.clips import columns_of

# The last speaker of clips, and the operation `by_operation` that took the clip from the speaker; null if the speaker
# has the clip now. The condition chooses among the clips `its`.
LAST_HELD = """(
    SELECT DISTINCT ON (last.clip_id) last.clip_id, last.speaker_id, last.to_operation AS by_operation
    FROM assignment last JOIN clip its USING (clip_id)
    WHERE {condition} ORDER BY last.clip_id, last.to_operation DESC NULLS FIRST, last.assignment_id DESC)"""
# The operations that withdrew clips: withdrawals, replacements, and every undo of an undo of such an operation.
WITHDRAWALS = """(
    WITH RECURSIVE undo AS (
        SELECT operation_id, CAST(summary->>'undone' AS bigint) AS undone FROM operation WHERE kind = 'undo'),
    withdrawing AS (
        SELECT operation_id FROM operation WHERE kind IN ('withdraw', 'replace')
        UNION ALL
        SELECT again.operation_id FROM withdrawing
        JOIN undo back ON back.undone = withdrawing.operation_id JOIN undo again ON again.undone = back.operation_id)
    SELECT operation_id FROM withdrawing)"""
# The heir of a speaker: the speaker itself while it has a number, otherwise the speaker that its last number leads to
# now, because the two were merged. Queries that use HEIR must not name tables of their own `heir_now` or `heir_before`.
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
    """List the present clips of a group, in order of key.

    Args:
        connection: Where they are read.
        group: The group.
        named: Only clips of these names; None for all names.
        but_for: No clips of these names.
    """
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
    """List the names of the groups that some clips are in, in order."""
    query = text("""
        SELECT DISTINCT broadcaster || '_' || gender || to_char(date, 'YYYYMMDD')
        FROM clip JOIN clip_group USING (group_id) WHERE clip_id = ANY(CAST(:clip_ids AS bigint[])) ORDER BY 1
    """)
    return list(connection.execute(query, {"clip_ids": list(clip_ids)}).scalars())


def withdraw(connection: Connection, clip_ids: Collection[int], operation_id: int) -> None:
    """Withdraw clips: close their assignments and the verdicts about them. Speakers keep their numbers and names."""
    for table in ("assignment", "verdict"):
        query = text(f"""
            UPDATE {table} SET to_operation = :operation_id
            WHERE clip_id = ANY(CAST(:clip_ids AS bigint[])) AND to_operation IS NULL
        """)
        connection.execute(query, {"clip_ids": list(clip_ids), "operation_id": operation_id})


def withdrawn_from(connection: Connection, group: Group, hashes: Collection[str]) -> set[tuple[str, str]]:
    """Find the clips of some recordings that were withdrawn from a group.

    Args:
        connection: Where they are looked for.
        group: The group.
        hashes: Audio hashes (hex) of the recordings.

    Returns:
        Name and audio hash (hex) of each such clip.
    """
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
    """Give the heirs of the speakers that some recordings had when they were last withdrawn: recording -> heir."""
    of_audio = "its.audio_id = ANY(CAST(:audio_ids AS bigint[]))"
    query = text(f"""
        SELECT DISTINCT ON (c.audio_id) c.audio_id, {HEIR.format(speaker="gone.speaker_id")} AS speaker_id
        FROM {LAST_HELD.format(condition=of_audio)} gone JOIN clip c USING (clip_id)
        WHERE by_operation IN {WITHDRAWALS} ORDER BY c.audio_id, by_operation DESC, clip_id
    """)
    rows = connection.execute(query, {"audio_ids": list(audio_ids)})
    return {row[0]: row[1] for row in rows if row[1] is not None}


def became(connection: Connection, speaker_ids: Collection[int]) -> dict[int, set[int]]:
    """Give the heirs of some speakers, each with all speakers whose heir it is, itself among them: heir -> speakers."""
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
    """Open the verdicts about withdrawn clips again, for the clips of the same recordings that an operation brought in.

    A verdict is opened only where it agrees with the speaker that the clip got: confirmed for this speaker, or rejected
    for another.
    """
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
