"""What the exporter needs to know of every clip."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, text

from registry.core.export_plan import NumberedClip, Source
from registry.core.records import Group


@dataclass(frozen=True)
class Extent:
    """Which groups an export answers for; None means all."""

    broadcaster: str | None = None
    first_date: dt.date | None = None
    last_date: dt.date | None = None

    def holds(self, broadcaster: str, date: dt.date) -> bool:
        """Tell whether a night of a broadcaster is in it."""
        return (
            self.broadcaster in (None, broadcaster)
            and (self.first_date is None or self.first_date <= date)
            and (self.last_date is None or date <= self.last_date)
        )


def numbered_clips(connection: Connection, extent: Extent) -> list[NumberedClip]:
    """List the clips of an extent with their speakers' numbers and their files."""
    query = text("""
        SELECT g.date, g.broadcaster, g.gender, n.number, c.name,
               c.wav_path, c.wav_size, c.wav_mtime_ns, encode(c.wav_sha256, 'hex'),
               c.txt_path, c.txt_size, c.txt_mtime_ns, encode(c.txt_sha256, 'hex')
        FROM clip c
        JOIN clip_group g USING (group_id)
        JOIN assignment a ON a.clip_id = c.clip_id AND a.to_operation IS NULL
        JOIN speaker_number n ON n.speaker_id = a.speaker_id AND n.broadcaster = g.broadcaster
        WHERE (CAST(:broadcaster AS text) IS NULL OR g.broadcaster = :broadcaster)
          AND (CAST(:first_date AS date) IS NULL OR g.date >= :first_date)
          AND (CAST(:last_date AS date) IS NULL OR g.date <= :last_date)
    """)
    rows = connection.execute(query, vars(extent))
    return [
        NumberedClip(Group(date, broadcaster, gender), number, name, Source(*files[:4]), Source(*files[4:]))
        for date, broadcaster, gender, number, name, *files in rows
    ]


def source_folders(connection: Connection) -> list[str]:
    """List the folders that clips were taken from."""
    query = text("SELECT DISTINCT regexp_replace(wav_path, '/[^/]*$', '') FROM clip ORDER BY 1")
    return list(connection.execute(query).scalars())
