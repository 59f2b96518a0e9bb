"""Taking operations back: closing the rows that an operation opened, and opening again the rows that it closed."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from registry.database.store.tables import metadata


@dataclass(frozen=True)
class TemporalTable:
    """A table whose rows hold from one operation to another. A row that holds now has no `to_operation`.

    A row that an undo opens again is a copy of the row that it stands for, and names it in the column `origin`. A row
    and its copies are one line.
    """

    name: str
    identity: str  # the column with the key of a row
    key: tuple[str, ...]  # columns, never null, of whose values at most one row holds at a time

    @property
    def copied(self) -> str:
        """The columns that a copy takes over, listed for SQL."""
        own = {self.identity, "origin", "from_operation", "to_operation"}
        return ", ".join(column.name for column in metadata.tables[self.name].columns if column.name not in own)

    def has_key_of(self, one: str, other: str) -> str:
        """Write the condition that two rows, given by their names in SQL, have the same values in the columns `key`."""
        return " AND ".join(f"{one}.{column} = {other}.{column}" for column in self.key)

    def line(self, row: str) -> str:
        """Write the key of a row's line: the key of the first row, the same for the row and its copies."""
        return f"coalesce({row}.origin, {row}.{self.identity})"


OUT_OF_REACH = 2**30  # greater than every number of a speaker

# In this order rows can be opened again: a speaker's number before the assignments of its clips.
TEMPORAL_TABLES = (
    TemporalTable("model_role", "role_id", ("model_id",)),
    TemporalTable("calibration", "calibration_id", ("model_id",)),
    TemporalTable("speaker_number", "holding_id", ("broadcaster", "gender", "number")),
    TemporalTable("speaker_name", "naming_id", ("speaker_id",)),
    TemporalTable("verdict", "verdict_id", ("kind", "speaker_id", "subject_id")),
    TemporalTable("assignment", "assignment_id", ("clip_id",)),
)


def operations_in_the_way(connection: Connection, operation_id: int) -> set[int]:
    """Give the operations that keep an operation from being taken back; none if it can be.

    An operation can be taken back while everything that it changed is as it left it. Otherwise these are the operations
    that opened or closed the rows in question. The operation itself and earlier operations may be among them.
    """
    found: set[int] = set()
    for table in TEMPORAL_TABLES:
        query = text(f"""
            WITH opened AS (SELECT * FROM {table.name} WHERE from_operation = :operation_id),
            closed AS (SELECT * FROM {table.name} WHERE to_operation = :operation_id),
            moved_on AS (
                SELECT o.* FROM opened o WHERE NOT EXISTS (
                    SELECT FROM {table.name} now
                    WHERE {table.has_key_of("now", "o")} AND {table.line("now")} = {table.line("o")}
                      AND now.to_operation IS NULL)
                UNION ALL
                SELECT c.* FROM closed c
                WHERE NOT EXISTS (SELECT FROM opened o WHERE {table.has_key_of("o", "c")}) AND EXISTS (
                    SELECT FROM {table.name} now WHERE {table.has_key_of("now", "c")} AND now.to_operation IS NULL))
            SELECT DISTINCT touched.operation_id
            FROM moved_on m JOIN {table.name} t ON {table.has_key_of("t", "m")}
            CROSS JOIN LATERAL (VALUES (t.from_operation), (t.to_operation)) AS touched (operation_id)
            WHERE touched.operation_id IS NOT NULL
        """)  # noqa: S608 - names of this module
        found.update(connection.execute(query, {"operation_id": operation_id}).scalars())
    return (
        found
        | _operations_that_renumbered(connection, operation_id)
        | _operations_that_switched(connection, operation_id)
    )


def _operations_that_renumbered(connection: Connection, operation_id: int) -> set[int]:
    """Give the operations that gave a speaker a number at a broadcaster where this operation took its number away."""
    query = text("""
        SELECT t.from_operation FROM speaker_number closed
        JOIN speaker_number now ON now.speaker_id = closed.speaker_id AND now.broadcaster = closed.broadcaster
            AND now.to_operation IS NULL AND NOT now.is_alias
        JOIN speaker_number t ON coalesce(t.origin, t.holding_id) = coalesce(now.origin, now.holding_id)
        WHERE closed.to_operation = :operation_id AND NOT closed.is_alias AND NOT EXISTS (
            SELECT FROM speaker_number opened WHERE opened.from_operation = :operation_id
            AND coalesce(opened.origin, opened.holding_id) = coalesce(now.origin, now.holding_id))
    """)
    return set(connection.execute(query, {"operation_id": operation_id}).scalars())


def _operations_that_switched(connection: Connection, operation_id: int) -> set[int]:
    """Give the operations that made another model the deciding one, if this operation ended that a model was."""
    query = text("""
        SELECT t.from_operation FROM model_role closed
        JOIN model_role now ON now.role = 'deciding' AND now.to_operation IS NULL AND now.model_id <> closed.model_id
        JOIN model_role t ON coalesce(t.origin, t.role_id) = coalesce(now.origin, now.role_id)
        WHERE closed.to_operation = :operation_id AND closed.role = 'deciding' AND NOT EXISTS (
            SELECT FROM model_role opened WHERE opened.from_operation = :operation_id
            AND coalesce(opened.origin, opened.role_id) = coalesce(now.origin, now.role_id))
    """)
    return set(connection.execute(query, {"operation_id": operation_id}).scalars())


def take_back(connection: Connection, operation_id: int, by_operation: int) -> None:
    """Close the rows that an operation opened, and open again the rows that it closed.

    Args:
        connection: In a transaction.
        operation_id: The operation that is taken back.
        by_operation: The operation that takes it back.
    """
    numbers = {"operation_id": operation_id, "by_operation": by_operation}
    for table in reversed(TEMPORAL_TABLES):
        close = text(f"""
            UPDATE {table.name} now SET to_operation = :by_operation FROM {table.name} opened
            WHERE opened.from_operation = :operation_id AND now.to_operation IS NULL
              AND {table.has_key_of("now", "opened")} AND {table.line("now")} = {table.line("opened")}
        """)  # noqa: S608 - names of this module
        connection.execute(close, numbers)
    for table in TEMPORAL_TABLES:
        open_again = text(f"""
            INSERT INTO {table.name} ({table.copied}, origin, from_operation)
            SELECT {table.copied}, {table.line("closed")}, :by_operation
            FROM {table.name} closed WHERE to_operation = :operation_id ORDER BY {table.identity}
        """)  # noqa: S608 - names of this module
        connection.execute(open_again, numbers)


def speakers_touched(connection: Connection, operation_id: int) -> set[int]:
    """Give the speakers that gained or lost clips by an operation, so that their profiles have to be recomputed."""
    query = text("SELECT DISTINCT speaker_id FROM assignment WHERE :operation_id IN (from_operation, to_operation)")
    return set(connection.execute(query, {"operation_id": operation_id}).scalars())


def changed_model(connection: Connection, operation_id: int) -> bool:
    """Tell whether an operation changed the role of a model."""
    query = text("SELECT EXISTS (SELECT FROM model_role WHERE :operation_id IN (from_operation, to_operation))")
    return bool(connection.execute(query, {"operation_id": operation_id}).scalar_one())


def changed_constants(connection: Connection, operation_id: int) -> bool:
    """Tell whether an operation changed the constants of a model."""
    query = text("SELECT EXISTS (SELECT FROM calibration WHERE :operation_id IN (from_operation, to_operation))")
    return bool(connection.execute(query, {"operation_id": operation_id}).scalar_one())


def drop_passing(connection: Connection, operation_id: int) -> None:
    """Delete the rows that an operation of several steps opened in one step and closed in another.

    Such rows never held, and nobody saw the numbers in them. So the numbers that the operation gave and that hold move
    down into the gaps that these numbers leave.
    """
    passing = _speakers_in_passing(connection, operation_id)
    for table in TEMPORAL_TABLES:
        query = text(f"DELETE FROM {table.name} WHERE from_operation = :operation_id AND to_operation = :operation_id")  # noqa: S608 - a name of this module
        connection.execute(query, {"operation_id": operation_id})
    _leave_what_came_back(connection, operation_id)
    _drop_empty_profiles(connection, passing)
    unseen = text("""
        DELETE FROM speaker_number n WHERE n.from_operation = :operation_id AND n.is_alias AND NOT EXISTS (
            SELECT FROM speaker_number earlier WHERE earlier.broadcaster = n.broadcaster
            AND earlier.gender = n.gender AND earlier.number = n.number AND earlier.from_operation < :operation_id)
    """)
    connection.execute(unseen, {"operation_id": operation_id})
    _close_gaps(connection, operation_id)


def _speakers_in_passing(connection: Connection, operation_id: int) -> list[int]:
    """Give the speakers to whom an operation gave a clip that it took away again. Some may have other clips."""
    query = text("""
        SELECT DISTINCT speaker_id FROM assignment
        WHERE from_operation = :operation_id AND to_operation = :operation_id
    """)
    return list(connection.execute(query, {"operation_id": operation_id}).scalars())


def _leave_what_came_back(connection: Connection, operation_id: int) -> None:
    """Undo the two changes where an operation took a clip from a speaker and gave it back to the same speaker."""
    query = text("""
        DELETE FROM assignment now USING assignment before
        WHERE now.from_operation = :operation_id AND now.to_operation IS NULL
          AND before.to_operation = :operation_id AND before.clip_id = now.clip_id
          AND before.speaker_id = now.speaker_id AND before.builds_profile = now.builds_profile
        RETURNING before.assignment_id
    """)
    kept = list(connection.execute(query, {"operation_id": operation_id}).scalars())
    reopen = text("UPDATE assignment SET to_operation = NULL WHERE assignment_id = ANY(CAST(:kept AS bigint[]))")
    connection.execute(reopen, {"kept": kept})


def _drop_empty_profiles(connection: Connection, speaker_ids: Sequence[int]) -> None:
    """Drop the profile and the judgement of each of some speakers that has no clips."""
    for table in ("profile", "judgement"):
        query = text(f"""
            DELETE FROM {table} computed WHERE speaker_id = ANY(CAST(:speaker_ids AS bigint[])) AND NOT EXISTS (
                SELECT FROM assignment a WHERE a.speaker_id = computed.speaker_id AND a.to_operation IS NULL)
        """)  # noqa: S608 - a name of this module
        connection.execute(query, {"speaker_ids": list(speaker_ids)})


def _close_gaps(connection: Connection, operation_id: int) -> None:
    """Lower the numbers that an operation was the first to give, so that they follow the earlier ones without gaps.

    Their order stays.
    """
    given = """
        WITH before AS (
            SELECT place.*, (
                SELECT number FROM speaker_number n
                WHERE n.broadcaster = place.broadcaster AND n.gender = place.gender AND from_operation < :operation_id
                ORDER BY number DESC LIMIT 1) AS last
            FROM (SELECT DISTINCT broadcaster, gender FROM speaker_number
                  WHERE from_operation = :operation_id) place),
        given AS (
            SELECT n.holding_id, n.number, coalesce(before.last, 0) + row_number() OVER (
                       PARTITION BY n.broadcaster, n.gender ORDER BY n.number) AS wanted
            FROM speaker_number n JOIN before USING (broadcaster, gender)
            WHERE n.from_operation = :operation_id AND n.number > coalesce(before.last, 0))
    """
    # First up to numbers that nobody has, then down: a number may be wanted for one row while another row has it.
    move = f"""
        {given}, moved AS (
            UPDATE speaker_number n SET number = given.wanted + :out_of_reach FROM given
            WHERE n.holding_id = given.holding_id AND given.wanted <> given.number RETURNING n.holding_id)
        SELECT holding_id FROM moved
    """  # noqa: S608 - a constant of this function
    values = {"operation_id": operation_id, "out_of_reach": OUT_OF_REACH}
    moved = list(connection.execute(text(move), values).scalars())
    down = text("UPDATE speaker_number SET number = number - :out_of_reach WHERE holding_id = ANY(:moved)")
    connection.execute(down, {"out_of_reach": OUT_OF_REACH, "moved": moved})


def changed_anything(connection: Connection, operation_id: int) -> bool:
    """Tell whether an operation opened or closed any row."""
    queries = (
        f"SELECT FROM {table.name} WHERE :operation_id IN (from_operation, to_operation)" for table in TEMPORAL_TABLES
    )
    condition = " OR ".join(f"EXISTS ({query})" for query in queries)
    return bool(connection.execute(text(f"SELECT {condition}"), {"operation_id": operation_id}).scalar_one())


# The operations on rows that do not fit together after the operation :by_operation took another one back. `line` is the
# line of a row, see TemporalTable.
# main: the numbers that name folders now.
# present: the present clips.
# numberless: present clips whose speaker has no number at their broadcaster.
# twice: present clips of the same group and name as a clip that :by_operation brought back.
# headless: aliases at a broadcaster where their speaker has no number.
# risen: speakers with a number although a verdict says that they are the same as another speaker.
# unheard: verdicts on clips that are not present, or whose speaker contradicts the verdict.
# nobody: speakers with a verdict or a name and without a number.
# touched: the operations that opened or closed such rows, or the numbers in question.
HANGING = """
    WITH main AS (SELECT * FROM speaker_number WHERE to_operation IS NULL AND NOT is_alias),
    present AS (
        SELECT a.*, c.group_id, c.name, g.broadcaster
        FROM assignment a JOIN clip c USING (clip_id) JOIN clip_group g USING (group_id)
        WHERE a.to_operation IS NULL),
    numberless AS (
        SELECT coalesce(p.origin, p.assignment_id) AS line, p.speaker_id, p.broadcaster FROM present p
        WHERE NOT EXISTS (SELECT FROM main m WHERE m.speaker_id = p.speaker_id AND m.broadcaster = p.broadcaster)),
    twice AS (
        SELECT coalesce(other.origin, other.assignment_id) AS line
        FROM present p JOIN present other USING (group_id, name)
        WHERE p.from_operation = :by_operation AND p.clip_id <> other.clip_id),
    headless AS (
        SELECT coalesce(n.origin, n.holding_id) AS line, n.speaker_id, n.broadcaster FROM speaker_number n
        WHERE n.to_operation IS NULL AND n.is_alias AND NOT EXISTS (
            SELECT FROM main m WHERE m.speaker_id = n.speaker_id AND m.broadcaster = n.broadcaster)),
    risen AS (
        SELECT coalesce(v.origin, v.verdict_id) AS line, coalesce(m.origin, m.holding_id) AS number_line
        FROM verdict v JOIN main m ON m.speaker_id = v.other_id
        WHERE v.to_operation IS NULL AND v.kind = 'same'),
    unheard AS (
        SELECT coalesce(v.origin, v.verdict_id) AS line, v.clip_id FROM verdict v
        LEFT JOIN present p USING (clip_id)
        WHERE v.to_operation IS NULL AND v.clip_id IS NOT NULL
          AND (p.speaker_id IS NULL OR (v.kind = 'confirmed') <> (p.speaker_id = v.speaker_id))),
    nobody AS (
        SELECT said.line, said.naming_line, said.speaker_id FROM (
            SELECT coalesce(origin, verdict_id) AS line, CAST(NULL AS bigint) AS naming_line, speaker_id
            FROM verdict WHERE to_operation IS NULL
            UNION ALL SELECT coalesce(origin, verdict_id), NULL, other_id
            FROM verdict WHERE to_operation IS NULL AND kind = 'different'
            UNION ALL SELECT NULL, coalesce(origin, naming_id), speaker_id
            FROM speaker_name WHERE to_operation IS NULL) said
        WHERE NOT EXISTS (SELECT FROM main m WHERE m.speaker_id = said.speaker_id)),
    touched AS (
        SELECT from_operation, to_operation FROM assignment
        WHERE coalesce(origin, assignment_id) IN (SELECT line FROM numberless UNION SELECT line FROM twice)
           OR clip_id IN (SELECT clip_id FROM unheard)
        UNION ALL SELECT from_operation, to_operation FROM speaker_number n
        WHERE coalesce(origin, holding_id) IN (SELECT line FROM headless UNION SELECT number_line FROM risen)
           OR NOT is_alias AND (
               (speaker_id, broadcaster) IN (SELECT speaker_id, broadcaster FROM numberless
                                             UNION SELECT speaker_id, broadcaster FROM headless)
               OR speaker_id IN (SELECT speaker_id FROM nobody))
        UNION ALL SELECT from_operation, to_operation FROM verdict
        WHERE coalesce(origin, verdict_id) IN (
            SELECT line FROM risen UNION SELECT line FROM unheard UNION SELECT line FROM nobody)
        UNION ALL SELECT from_operation, to_operation FROM speaker_name
        WHERE coalesce(origin, naming_id) IN (SELECT naming_line FROM nobody))
    SELECT from_operation FROM touched UNION SELECT to_operation FROM touched WHERE to_operation IS NOT NULL
"""


def operations_left_hanging(connection: Connection, by_operation: int) -> set[int]:
    """Give the operations on rows that do not fit together after an operation took another back; none if all fit."""
    return set(connection.execute(text(HANGING), {"by_operation": by_operation}).scalars())
