"""Labels of the user: a CSV file that tells the true speakers of some clips."""

import csv
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from registry.core.records import Rejected
from registry.core.rejections import Fault
from registry.errors import LabelsUnreadable

if TYPE_CHECKING:
    from _csv import Reader  # the type of csv.reader(), which has no public name

COLUMNS = ("clip", "speaker")
DELIMITERS = ",;\t"
NO_HEADER = "its first line does not name the columns clip and speaker"


@dataclass(frozen=True)
class Label:
    """A row: what a clip is called, and who speaks in it."""

    line: int  # of the file, where the row ends
    clip: str
    speaker: str

    def rejected(self, fault: Fault, **facts: object) -> Rejected:
        """Say why the row cannot be used."""
        return fault.of(self.clip, line=self.line, **facts)


def read_labels(path: Path) -> list[Label]:
    """Read the rows that have a speaker; other columns than clip and speaker are passed over.

    Columns are parted by comma, semicolon or tab.

    Raises:
        LabelsUnreadable: The file is missing, no text in UTF-8, no CSV, lacks a column, or labels no clip.
    """
    try:
        if stat.S_ISCHR(path.stat().st_mode):
            raise LabelsUnreadable(path=path, cause="it is a device")  # which may have no end
        with path.open(encoding="utf-8-sig", newline="") as file:
            labels = list(_labels(path, file))
    except OSError as error:
        raise LabelsUnreadable(path=path, cause=error.strerror) from error
    except UnicodeDecodeError as error:
        raise LabelsUnreadable(path=path, cause="it is not UTF-8") from error
    except csv.Error as error:
        raise LabelsUnreadable(path=path, cause=error) from error
    if not labels:
        raise LabelsUnreadable(path=path, cause="no row has a speaker")
    return labels


def _labels(path: Path, lines: Iterable[str]) -> Iterator[Label]:
    rows = iter(lines)
    header = next(rows, "")
    delimiter, names = _columns(path, header)
    reader = csv.reader(rows, delimiter=delimiter, skipinitialspace=True, strict=True)
    places = [names.index(column) for column in COLUMNS]
    for row in _rows(path, reader):
        clip, speaker = (row[place].strip() if place < len(row) else "" for place in places)
        if speaker:
            yield Label(1 + reader.line_num, clip, speaker)


def _rows(path: Path, reader: "Reader") -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:  # a quote left open, say, which would else swallow the rest of the file
        raise LabelsUnreadable(path=path, cause=f"line {1 + reader.line_num}: {error}") from error


def _columns(path: Path, header: str) -> tuple[str, list[str]]:
    """Tell the delimiter and the columns: it is the one by which the header names both that are needed, once."""
    for delimiter in DELIMITERS:
        cells = next(csv.reader([header], delimiter=delimiter, skipinitialspace=True), [])
        names = [cell.strip().lower() for cell in cells]
        if all(names.count(column) == 1 for column in COLUMNS):
            return delimiter, names
    raise LabelsUnreadable(path=path, cause=NO_HEADER)


def true_speakers(
    labels: Sequence[Label], clips: Mapping[str, Sequence[int]], faults: Mapping[str, str]
) -> tuple[dict[int, str], list[Rejected]]:
    """Tell the true speaker of each clip that the labels name, and which rows say nothing about any.

    A clip of which two rows say that it is of different speakers is left out, and both rows are named.

    Args:
        labels: The rows.
        clips: What clips are called -> their keys; several where one audio is in several clips.
        faults: What else was called a clip -> why it is none.
    """
    rejected = [
        label.rejected(Fault.UNKNOWN_CLIP, cause=faults[label.clip]) for label in labels if label.clip in faults
    ]
    said: dict[int, list[Label]] = defaultdict(list)
    for label in labels:
        for clip_id in clips.get(label.clip, ()):
            said[clip_id].append(label)
    contradicted = {key: rows for key, rows in said.items() if len({row.speaker for row in rows}) > 1}
    for row, others in sorted(_contradictions(contradicted.values()).items(), key=lambda pair: pair[0].line):
        listed = " and ".join(f"{other.speaker!r} (line {other.line})" for other in others)
        rejected.append(row.rejected(Fault.CONTRADICTED, speaker=row.speaker, others=listed))
    truth = {clip_id: rows[0].speaker for clip_id, rows in said.items() if clip_id not in contradicted}
    return truth, rejected


def _contradictions(contradicted: Iterable[Sequence[Label]]) -> dict[Label, list[Label]]:
    """List for each row those that say otherwise of the same clip."""
    found: dict[Label, list[Label]] = {}
    for rows in contradicted:
        for row in rows:
            found.setdefault(row, [other for other in rows if other.speaker != row.speaker])
    return found
