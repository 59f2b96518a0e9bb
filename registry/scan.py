"""What lies in the input folders: groups, their pairs of files, and what cannot be one. Reads no audio."""

import datetime as dt
import os
import re
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from registry import settings
from registry.core.records import Gender, Group, Rejected
from registry.errors import InputMissing

GROUP_NAME = re.compile(r"(?P<broadcaster>.+)_(?P<gender>[A-Za-z])(?P<date>\d{8})", re.DOTALL)
EXPECTED = "expected BROADCASTER_F20201105 or BROADCASTER_M20201105"
Kind = Literal["wav", "txt"]


@dataclass(frozen=True)
class SourceFile:
    """A file as the file system shows it, before it is read."""

    path: Path
    size: int  # bytes
    mtime_ns: int


@dataclass(frozen=True)
class Pair:
    """The two files of a clip."""

    name: str
    wav: SourceFile
    txt: SourceFile


@dataclass
class FoundGroup:
    """What lies in the folder or folders of one group."""

    pairs: dict[str, Pair] = field(default_factory=dict)  # by name, in order of name
    rejected: list[Rejected] = field(default_factory=list)


@dataclass(frozen=True)
class Scan:
    """What was found: the groups, by night, and what belongs to none."""

    groups: dict[Group, FoundGroup]
    rejected: tuple[Rejected, ...]

    def all_rejected(self) -> list[Rejected]:
        """List what was left out, inside groups and outside."""
        return [*self.rejected, *(rejected for found in self.groups.values() for rejected in found.rejected)]


def scan(indirs: Sequence[Path]) -> Scan:
    """List the groups in some input folders; a folder may also be a group itself.

    Raises:
        InputMissing: None of the folders can be opened.
    """
    missing = [indir for indir in indirs if not _can_list(indir)]
    if len(missing) == len(indirs):
        raise InputMissing(paths=", ".join(map(str, missing)))
    rejected = [Rejected(str(path), "no-input", "no such folder, or it cannot be opened") for path in missing]
    groups: dict[Group, FoundGroup] = {}
    for folder in _group_folders([indir for indir in indirs if indir not in missing], rejected):
        group = _parse_group(folder, rejected)
        if group is not None:
            _add_folder(groups.setdefault(group, FoundGroup()), folder)
    return Scan({group: groups[group] for group in sorted(groups)}, tuple(rejected))


def _can_list(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)


def _group_folders(indirs: Iterable[Path], rejected: list[Rejected]) -> list[Path]:
    folders: set[Path] = set()
    for indir in indirs:
        here = indir.resolve()
        inside = [here] if _looks_like_group(here) else _folders_in(here, rejected)
        if not inside:
            rejected.append(Rejected(str(indir), "no-groups", f"no group folder in it; {EXPECTED}"))
        folders.update(inside)
    return sorted(folders)


def _looks_like_group(folder: Path) -> bool:
    return GROUP_NAME.fullmatch(folder.name) is not None


def _folders_in(indir: Path, rejected: list[Rejected]) -> list[Path]:
    entries = [entry for entry in sorted(indir.iterdir()) if not entry.name.startswith(".")]
    stray = [entry for entry in entries if not entry.is_dir() and _belongs_in_group(entry)]
    rejected += [Rejected(str(path), "no-group", "not inside a group folder; move it into one") for path in stray]
    return [entry for entry in entries if entry.is_dir()]


def _belongs_in_group(path: Path) -> bool:
    return _kind(path) is not None or _looks_like_group(path)


def _parse_group(folder: Path, rejected: list[Rejected]) -> Group | None:
    """Read broadcaster, gender and night off a folder's name, or say what is wrong with it."""
    match = GROUP_NAME.fullmatch(folder.name)
    if match is None or not _is_text(str(folder)):
        rejected.append(Rejected(str(folder), "bad-group-name", f"not the name of a group; {EXPECTED}"))
        return None
    gender = match["gender"].upper()
    if gender not in ("F", "M"):
        rejected.append(Rejected(str(folder), "bad-gender", f"unknown gender {match['gender']!r}; {EXPECTED}"))
        return None
    if len(os.fsencode(match["broadcaster"])) > settings.MAX_BROADCASTER_BYTES:
        rejected.append(Rejected(str(folder), "bad-group-name", "the broadcaster's name is too long"))
        return None
    try:
        date = dt.datetime.strptime(match["date"], "%Y%m%d").date()  # noqa: DTZ007 - a calendar date
    except ValueError:
        rejected.append(Rejected(str(folder), "bad-date", f"{match['date']} is no date; {EXPECTED}"))
        return None
    return Group(date, match["broadcaster"], cast("Gender", gender))


def _is_text(name: str) -> bool:
    """Tell whether a name can be stored: file systems allow bytes that are no UTF-8, PostgreSQL does not."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _add_folder(found: FoundGroup, folder: Path) -> None:
    """Add a folder to its group, which may have several (_f beside _F); of two clips of one name the first stays."""
    for pair in _pairs(folder, found.rejected):
        first = found.pairs.setdefault(pair.name, pair)
        if first is not pair:
            message = f"another folder of this run has a clip of this name: {first.wav.path}"
            found.rejected.append(Rejected(str(pair.wav.path), "duplicate-name", message))


def _pairs(folder: Path, rejected: list[Rejected]) -> list[Pair]:
    """List a folder's pairs in order of name."""
    files: dict[str, dict[Kind, SourceFile]] = {}
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        rejected.append(Rejected(str(folder), "unreadable", f"{error.strerror}; make the folder readable"))
        return []
    for path in paths:
        kind = _kind(path)
        source = None if kind is None or path.name.startswith(".") else _source(path, rejected)
        if kind is None or source is None:
            continue
        if files.setdefault(path.stem, {}).setdefault(kind, source) is not source:
            rejected.append(Rejected(str(path), "duplicate-name", "another file differs from it in case only"))
    return _complete(files, rejected)


def _kind(path: Path) -> Kind | None:
    suffix = path.suffix.lower().removeprefix(".")
    return cast("Kind", suffix) if suffix in ("wav", "txt") else None


def _source(path: Path, rejected: list[Rejected]) -> SourceFile | None:
    try:
        status = path.stat()
    except OSError as error:
        rejected.append(Rejected(str(path), "unreadable", f"{error.strerror}; make the file readable"))
        return None
    if not stat.S_ISREG(status.st_mode):
        rejected.append(Rejected(str(path), "unreadable", "not a regular file"))
        return None
    if not _is_text(path.name):
        rejected.append(Rejected(str(path), "bad-name", "the file's name is not UTF-8; rename it"))
        return None
    return SourceFile(path, status.st_size, status.st_mtime_ns)


def _complete(files: dict[str, dict[Kind, SourceFile]], rejected: list[Rejected]) -> list[Pair]:
    pairs: list[Pair] = []
    for name, parts in sorted(files.items()):
        if len(parts) == 2:  # noqa: PLR2004 - a pair
            pairs.append(Pair(name, parts["wav"], parts["txt"]))
        elif "wav" in parts:
            rejected.append(Rejected(str(parts["wav"].path), "no-transcript", f"there is no {name}.txt beside it"))
        else:
            rejected.append(Rejected(str(parts["txt"].path), "no-audio", f"there is no {name}.wav beside it"))
    return pairs
