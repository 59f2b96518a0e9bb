"""The rows that people's corrections close and open: assignments, numbers, names and verdicts."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Literal

from sqlalchemy import Connection, insert, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from registry.core.merging import Holding
from registry.database.store.tables import speaker_number, verdict

Kind = Literal["confirmed", "rejected", "different", "same"]


def clips_of(connection: Connection, speaker_id: int) -> list[int]:
    """List the keys of a speaker's present clips, in order."""
    query = text("SELECT clip_id FROM assignment WHERE speaker_id = :speaker_id AND to_operation IS NULL ORDER BY 1")
    return list(connection.execute(query, {"speaker_id": speaker_id}).scalars())


def speakers_of(connection: Connection, clip_ids: Collection[int]) -> dict[int, int]:
    """Tell the speaker of each clip that is present: clip -> speaker."""
    query = text("""
        SELECT clip_id, speaker_id FROM assignment
        WHERE clip_id = ANY(CAST(:clip_ids AS bigint[])) AND to_operation IS NULL
    """)
    return {row[0]: row[1] for row in connection.execute(query, {"clip_ids": list(clip_ids)})}


def reassign(
    connection: Connection,
    clip_ids: Collection[int],
    speaker_id: int,
    reason: str,
    operation_id: int,
    probability: float | None = None,
) -> None:
    """Give clips another speaker, and give this speaker a number at each of their broadcasters where it has none.

    A clip that did not build its speaker's profile does not build the new speaker's, unless a person moved or confirmed
    the clip.

    Args:
        connection: In a transaction.
        clip_ids: The clips.
        speaker_id: The speaker that they get.
        reason: Why, as the column `assignment.reason` has it.
        operation_id: The operation that does it.
        probability: P(same voice), where it was computed.
    """
    values = {
        "clip_ids": list(clip_ids),
        "speaker_id": speaker_id,
        "reason": reason,
        "operation_id": operation_id,
        "probability": probability,
    }
    connection.execute(
        text("""
        UPDATE assignment SET to_operation = :operation_id
        WHERE clip_id = ANY(CAST(:clip_ids AS bigint[])) AND to_operation IS NULL
        """),
        values,
    )
    connection.execute(
        text("""
        INSERT INTO assignment (clip_id, speaker_id, reason, probability, builds_profile, from_operation)
        SELECT clip_id, :speaker_id, :reason, CAST(:probability AS real),
               :reason IN ('moved', 'confirmed') OR coalesce(was.builds_profile, true), :operation_id
        FROM unnest(CAST(:clip_ids AS bigint[])) AS moved (clip_id)
        LEFT JOIN (
            SELECT DISTINCT ON (clip_id) clip_id, builds_profile FROM assignment
            WHERE to_operation = :operation_id ORDER BY clip_id, assignment_id DESC) was USING (clip_id)
        ORDER BY clip_id
        """),
        values,
    )
    _number_where_missing(connection, speaker_id, operation_id)


def _number_where_missing(connection: Connection, speaker_id: int, operation_id: int) -> None:
    """Give a speaker the next free number at every broadcaster where it has clips and no number."""
    connection.execute(
        text("""
        INSERT INTO speaker_number (broadcaster, gender, number, speaker_id, from_operation)
        SELECT place.broadcaster, s.gender, 1 + coalesce((
                   SELECT max(number) FROM speaker_number n
                   WHERE n.broadcaster = place.broadcaster AND n.gender = s.gender), 0),
               s.speaker_id, :operation_id
        FROM (SELECT DISTINCT g.broadcaster
              FROM assignment a JOIN clip c USING (clip_id) JOIN clip_group g USING (group_id)
              WHERE a.speaker_id = :speaker_id AND a.to_operation IS NULL) place
        JOIN speaker s ON s.speaker_id = :speaker_id
        WHERE NOT EXISTS (
            SELECT FROM speaker_number n WHERE n.speaker_id = :speaker_id AND n.broadcaster = place.broadcaster
            AND n.to_operation IS NULL AND NOT n.is_alias)
        """),
        {"speaker_id": speaker_id, "operation_id": operation_id},
    )


def holdings(connection: Connection, speaker_ids: Collection[int]) -> list[Holding]:
    """List the numbers that lead to some speakers now."""
    query = text("""
        SELECT broadcaster, gender, number, speaker_id, is_alias FROM speaker_number
        WHERE speaker_id = ANY(CAST(:speaker_ids AS bigint[])) AND to_operation IS NULL
    """)
    return [Holding(*row) for row in connection.execute(query, {"speaker_ids": list(speaker_ids)})]


def replace_holdings(
    connection: Connection, before: Collection[Holding], after: Collection[Holding], operation_id: int
) -> None:
    """Close the holdings that will not stay as they are, and open the holdings that are new.

    Args:
        connection: In a transaction.
        before: The holdings as they are.
        after: The holdings as they will be.
        operation_id: The operation that does it.
    """
    table = speaker_number.c
    for holding in set(before) - set(after):
        close = update(speaker_number).where(
            table.broadcaster == holding.broadcaster,
            table.gender == holding.gender,
            table.number == holding.number,
            table.to_operation.is_(None),
        )
        connection.execute(close.values(to_operation=operation_id))
    opened = [asdict(holding) | {"from_operation": operation_id} for holding in sorted(set(after) - set(before))]
    if opened:
        connection.execute(insert(speaker_number), opened)


def close_name(connection: Connection, speaker_id: int, operation_id: int) -> tuple[str, str] | None:
    """End a speaker's name; give the name and the notes that it had, or None if it had no name."""
    query = text("""
        UPDATE speaker_name SET to_operation = :operation_id
        WHERE speaker_id = :speaker_id AND to_operation IS NULL RETURNING name, notes
    """)
    row = connection.execute(query, {"speaker_id": speaker_id, "operation_id": operation_id}).one_or_none()
    return None if row is None else (row[0], row[1])


def name_of(connection: Connection, speaker_id: int) -> tuple[str, str]:
    """Give a speaker's name and notes; both are "" if it has no name."""
    query = text("SELECT name, notes FROM speaker_name WHERE speaker_id = :speaker_id AND to_operation IS NULL")
    row = connection.execute(query, {"speaker_id": speaker_id}).one_or_none()
    return ("", "") if row is None else (row[0], row[1])


def names(connection: Connection, speaker_ids: Collection[int]) -> dict[int, str]:
    """Give the names of some speakers: speaker -> name. Speakers without a name are left out."""
    query = text("""
        SELECT speaker_id, name FROM speaker_name
        WHERE to_operation IS NULL AND speaker_id = ANY(CAST(:speaker_ids AS bigint[]))
    """)
    return {row[0]: row[1] for row in connection.execute(query, {"speaker_ids": list(speaker_ids)})}


def open_name(connection: Connection, speaker_id: int, name: str, notes: str, operation_id: int) -> None:
    """Name a speaker that has no name."""
    query = text("""
        INSERT INTO speaker_name (speaker_id, name, notes, from_operation)
        VALUES (:speaker_id, :name, :notes, :operation_id)
    """)
    values = {"speaker_id": speaker_id, "name": name, "notes": notes, "operation_id": operation_id}
    connection.execute(query, values)


@dataclass(frozen=True)
class ClipLine:
    """What a person recognises a clip by."""

    clip_id: int
    audio_id: int  # the recording
    group: str  # such as andaiafm_F20201105
    name: str  # file name without its ending
    duration_s: float
    transcript: str
    file: str  # path or URL of the .wav file, where it was last seen


def clip_lines(connection: Connection, clip_ids: Collection[int]) -> list[ClipLine]:
    """Describe some clips, in order of night, broadcaster and name."""
    query = text("""
        SELECT clip_id, audio_id, broadcaster || '_' || gender || to_char(date, 'YYYYMMDD'), name, duration_s,
               transcript, wav_path
        FROM clip JOIN clip_group USING (group_id) JOIN audio USING (audio_id)
        WHERE clip_id = ANY(CAST(:clip_ids AS bigint[])) ORDER BY date, broadcaster, name
    """)
    return [ClipLine(*row) for row in connection.execute(query, {"clip_ids": list(clip_ids)})]


def genders_of(connection: Connection, clip_ids: Collection[int]) -> set[str]:
    """Tell the genders of the groups that some clips are in."""
    query = text("""
        SELECT DISTINCT gender FROM clip JOIN clip_group USING (group_id)
        WHERE clip_id = ANY(CAST(:clip_ids AS bigint[]))
    """)
    return set(connection.execute(query, {"clip_ids": list(clip_ids)}).scalars())


@dataclass(frozen=True)
class Verdict:
    """What a person decided about a speaker, in the words of the table `verdict`."""

    kind: Kind
    speaker_id: int
    clip_id: int | None = None  # the clip that was confirmed or rejected; None where a whole speaker was confirmed
    other_id: int | None = None  # the other speaker, of "different" and "same"

    @property
    def subject_id(self) -> int:
        """The key of the clip or the other speaker, 0 for neither: it tells verdicts of one kind on a speaker apart."""
        return self.clip_id or self.other_id or 0


def verdicts_on(connection: Connection, speaker_id: int) -> list[Verdict]:
    """List the verdicts about a speaker that hold now."""
    query = text("""
        SELECT kind, speaker_id, clip_id, other_id FROM verdict
        WHERE to_operation IS NULL AND :speaker_id IN (speaker_id, other_id) ORDER BY verdict_id
    """)
    return [Verdict(*row) for row in connection.execute(query, {"speaker_id": speaker_id})]


def verdicts_on_clips(connection: Connection, clip_ids: Collection[int]) -> list[Verdict]:
    """List the verdicts about some clips that hold now."""
    query = text("""
        SELECT kind, speaker_id, clip_id, other_id FROM verdict
        WHERE to_operation IS NULL AND clip_id = ANY(CAST(:clip_ids AS bigint[])) ORDER BY verdict_id
    """)
    return [Verdict(*row) for row in connection.execute(query, {"clip_ids": list(clip_ids)})]


def operation_of(connection: Connection, said: Verdict) -> int:
    """Give the operation that opened a verdict that holds now."""
    query = text("""
        SELECT from_operation FROM verdict WHERE to_operation IS NULL
          AND kind = :kind AND speaker_id = :speaker_id AND subject_id = :subject_id
    """)
    values = {"kind": said.kind, "speaker_id": said.speaker_id, "subject_id": said.subject_id}
    return int(connection.execute(query, values).scalar_one())


def replace_verdicts(
    connection: Connection, before: Collection[Verdict], after: Collection[Verdict], operation_id: int
) -> None:
    """Close the verdicts that will no longer hold, and open the verdicts that are new.

    A new verdict that holds already stays as it is.

    Args:
        connection: In a transaction.
        before: Verdicts as they are.
        after: The same verdicts as they will be.
        operation_id: The operation that does it.
    """
    table = verdict.c
    for gone in set(before) - set(after):
        close = update(verdict).where(
            table.kind == gone.kind,
            table.speaker_id == gone.speaker_id,
            table.subject_id == gone.subject_id,
            table.to_operation.is_(None),
        )
        connection.execute(close.values(to_operation=operation_id))
    for new in sorted(set(after) - set(before), key=lambda v: (v.kind, v.speaker_id, v.subject_id)):
        values = asdict(new) | {"subject_id": new.subject_id, "from_operation": operation_id}
        connection.execute(upsert(verdict).values(values).on_conflict_do_nothing())
