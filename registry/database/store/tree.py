"""What an export asks of the registry: the clips of the tree with their numbers and files, and the aliases."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Connection, text

from registry.core.export_plan import Alias, NumberedClip, Source
from registry.core.records import Group


@dataclass(frozen=True)
class Extent:
    """The groups that an export is about. None sets no limit."""

    broadcaster: str | None = None
    first_date: dt.date | None = None  # the first night
    last_date: dt.date | None = None  # the last night

    @property
    def is_whole(self) -> bool:
        """Whether these are all groups of the registry."""
        return self == WHOLE_TREE

    def holds(self, broadcaster: str, date: dt.date) -> bool:
        """Tell whether a broadcaster's night is in the extent."""
        return (
            self.broadcaster in (None, broadcaster)
            and (self.first_date is None or self.first_date <= date)
            and (self.last_date is None or date <= self.last_date)
        )


WHOLE_TREE = Extent()


def _holds(row: str) -> str:
    """Write the condition that a row holds now, or held right after the operation :as_of."""
    return f"""CASE WHEN CAST(:as_of AS bigint) IS NULL THEN {row}.to_operation IS NULL
        ELSE {row}.from_operation <= :as_of AND ({row}.to_operation IS NULL OR {row}.to_operation > :as_of) END"""


def numbered_clips(connection: Connection, extent: Extent, as_of: int | None = None) -> list[NumberedClip]:
    """List the clips of an extent with their speakers' numbers and their files.

    Args:
        connection: Where they are read.
        extent: The extent.
        as_of: The operation right after which they are listed; None for now.
    """
    query = text(f"""
        SELECT g.date, g.broadcaster, g.gender, n.number, c.name,
               c.wav_path, c.wav_size, c.wav_mtime_ns, encode(c.wav_sha256, 'hex'),
               c.txt_path, coalesce(length(f.txt_content), c.txt_size), c.txt_mtime_ns,
               encode(coalesce(f.txt_sha256, c.txt_sha256), 'hex'), f.txt_content
        FROM clip c
        JOIN clip_group g USING (group_id)
        JOIN assignment a ON a.clip_id = c.clip_id AND {_holds("a")}
        JOIN speaker_number n ON n.speaker_id = a.speaker_id AND n.broadcaster = g.broadcaster
            AND NOT n.is_alias AND {_holds("n")}
        LEFT JOIN LATERAL (
            SELECT txt_sha256, txt_content FROM former_transcript former
            WHERE former.clip_id = c.clip_id AND former.to_operation > CAST(:as_of AS bigint)
            ORDER BY former.to_operation LIMIT 1) f ON true
        WHERE (CAST(:broadcaster AS text) IS NULL OR g.broadcaster = :broadcaster)
          AND (CAST(:first_date AS date) IS NULL OR g.date >= :first_date)
          AND (CAST(:last_date AS date) IS NULL OR g.date <= :last_date)
    """)  # noqa: S608 - conditions of this module
    asked = {
        "broadcaster": extent.broadcaster,
        "first_date": extent.first_date,
        "last_date": extent.last_date,
        "as_of": as_of,
    }
    rows = connection.execute(query, asked)
    group = cache(Group)  # makes one object for all clips of a group
    return [
        NumberedClip(group(date, broadcaster, gender), number, name, Source(*files[:4]), Source(*files[4:]))
        for date, broadcaster, gender, number, name, *files in rows
    ]


def input_folders(connection: Connection, among: Collection[str]) -> list[str]:
    """Tell which of some folders are input folders: a clip's group lies directly in them. They are listed in order."""
    query = text("""
        SELECT folder FROM unnest(CAST(:among AS text[])) AS folder WHERE EXISTS (
            SELECT FROM clip WHERE regexp_replace(wav_path, '/[^/]*/[^/]*$', '') = rtrim(folder, '/'))
        ORDER BY 1
    """)
    return list(connection.execute(query, {"among": list(among)}).scalars())


def aliases(connection: Connection, as_of: int | None = None) -> list[Alias]:
    """List the retired numbers with the numbers that they lead to, now or right after the operation `as_of`."""
    query = text(f"""
        SELECT alias.broadcaster, alias.gender, alias.number, n.number
        FROM speaker_number alias
        JOIN speaker_number n ON n.speaker_id = alias.speaker_id AND n.broadcaster = alias.broadcaster
            AND NOT n.is_alias AND {_holds("n")}
        WHERE alias.is_alias AND {_holds("alias")}
    """)  # noqa: S608 - conditions of this module
    return [Alias(*row) for row in connection.execute(query, {"as_of": as_of})]


def operation_at(connection: Connection, date: dt.date) -> int:
    """Give the last operation that began on a date (UTC) or before; 0 if there is none."""
    query = text("""
        SELECT coalesce(max(operation_id), 0) FROM operation
        WHERE at < (CAST(:date AS date) + 1)::timestamp AT TIME ZONE 'UTC'
    """)
    return int(connection.execute(query, {"date": date}).scalar_one())


def knows_any(connection: Connection, hashes: Collection[str]) -> bool:
    """Tell whether any of some files, by hash (SHA-256, hex), is of a stored clip, present or not.

    A registry that has forgotten clips cannot know, and says yes.
    """
    query = text("""
        SELECT EXISTS (SELECT FROM forgotten_audio) OR EXISTS (
            SELECT FROM clip WHERE wav_sha256 = ANY(:hashes) OR txt_sha256 = ANY(:hashes))
    """)
    return bool(connection.execute(query, {"hashes": [bytes.fromhex(h) for h in hashes]}).scalar_one())


def broadcasters(connection: Connection) -> list[str]:
    """List all broadcasters of which a group was ever ingested, in order."""
    return list(connection.execute(text("SELECT DISTINCT broadcaster FROM clip_group ORDER BY 1")).scalars())
