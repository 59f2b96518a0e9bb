"""What lies in the input folders: groups, their pairs of files, and what cannot be one. Reads no audio."""

import datetime as dt
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from registry import settings
from registry.core.records import Gender, Group, Rejected
from registry.errors import InputMissing
from registry.remote import AnyPath, RemotePath

GROUP_NAME = re.compile(r"(?P<broadcaster>.+)_(?P<gender>[A-Za-z])(?P<date>[0-9]{8})", re.DOTALL)
EXPECTED = "expected BROADCASTER_F20201105 or BROADCASTER_M20201105"
FIRST_YEAR = 1900  # a recording from before is a slip of the keyboard: 0202 for 2020
Kind = Literal["wav", "txt"]


@dataclass(frozen=True)
class SourceFile:
    """A file as the file system shows it, before it is read."""

    path: AnyPath
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


def scan(indirs: Sequence[AnyPath]) -> Scan:
    """List the groups in some input folders; a folder may also be a group itself.

    Raises:
        InputMissing: None of the folders can be opened.
        RemoteMissing: What reads such a URL is not installed.
    """
    missing = {indir: fault for indir in indirs if (fault := _fault_of_folder(indir)) is not None}
    if all(indir in missing for indir in indirs):
        raise InputMissing(paths=", ".join(map(_named_with_cause, missing, missing.values())))
    rejected = [Rejected(str(path), "no-input", fault) for path, fault in missing.items()]
    groups: dict[Group, FoundGroup] = {}
    for folder in _group_folders([indir for indir in indirs if indir not in missing], rejected):
        group = _parse_group(folder, rejected)
        if group is not None:
            _add_folder(groups.setdefault(group, FoundGroup()), folder)
    return Scan({group: groups[group] for group in sorted(groups)}, tuple(rejected))


def _fault_of_folder(folder: AnyPath) -> str | None:
    if isinstance(folder, Path):
        can_list = _is_folder(folder) and os.access(folder, os.R_OK | os.X_OK)
        return None if can_list else "no such folder, or it cannot be opened"
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        return error.strerror
    return None


def _named_with_cause(folder: AnyPath, fault: str) -> str:
    return str(folder) if isinstance(folder, Path) else f"{folder} ({fault})"


def _is_folder(path: AnyPath) -> bool:
    # os.path: Path.is_dir() raises where a part of the way is closed or too long.
    return os.path.isdir(path) if isinstance(path, Path) else path.is_dir()  # noqa: PTH112


def _group_folders(indirs: Iterable[AnyPath], rejected: list[Rejected]) -> list[AnyPath]:
    folders: set[AnyPath] = set()
    for indir in indirs:
        here = _without_links(indir)
        inside = [here] if _looks_like_group(here) else _folders_in(here, rejected)
        if not inside:
            rejected.append(Rejected(str(indir), "no-groups", f"no group folder in it; {EXPECTED}"))
        folders.update(inside)
    return sorted(folders, key=lambda folder: str(folder).split("/"))


def _without_links(indir: AnyPath) -> AnyPath:
    """Give a folder one path however it is reached; a link to a group keeps the name of the link."""
    if isinstance(indir, RemotePath):
        return indir
    return indir.parent.resolve() / indir.name if _looks_like_group(indir) else indir.resolve()


def _looks_like_group(folder: AnyPath) -> bool:
    return GROUP_NAME.fullmatch(folder.name) is not None


def _folders_in(indir: AnyPath, rejected: list[Rejected]) -> list[AnyPath]:
    entries = [entry for entry in _entries(indir, rejected) if not entry.name.startswith(".")]
    folders = [entry for entry in entries if _is_folder(entry)]
    for stray in sorted(set(entries) - set(folders), key=_name):
        if _looks_like_group(stray):
            rejected.append(Rejected(str(stray), "unreadable", "named as a group, but no folder to be opened"))
        elif _kind(stray) is not None:
            rejected.append(Rejected(str(stray), "no-group", "not inside a group folder; move it into one"))
    return folders


def _entries(folder: AnyPath, rejected: list[Rejected]) -> list[AnyPath]:
    try:
        return sorted(folder.iterdir(), key=_name)
    except OSError as error:
        rejected.append(Rejected(str(folder), "unreadable", f"{error.strerror}; make the folder readable"))
        return []


def _name(path: AnyPath) -> str:
    return path.name


def _parse_group(folder: AnyPath, rejected: list[Rejected]) -> Group | None:
    """Read broadcaster, gender and night off a folder's name, or say what is wrong with it."""
    match = GROUP_NAME.fullmatch(folder.name)
    if not _is_text(str(folder)):
        rejected.append(Rejected(str(folder), "bad-name", "the folder's path is not UTF-8; rename it"))
        return None
    if match is None:
        rejected.append(Rejected(str(folder), "bad-group-name", f"not the name of a group; {EXPECTED}"))
        return None
    gender = match["gender"].upper()
    if gender not in ("F", "M"):
        rejected.append(Rejected(str(folder), "bad-gender", f"unknown gender {match['gender']!r}; {EXPECTED}"))
        return None
    if len(os.fsencode(match["broadcaster"])) > settings.MAX_BROADCASTER_BYTES:
        rejected.append(Rejected(str(folder), "bad-group-name", "the broadcaster's name is too long"))
        return None
    date = _date(match["date"])
    if date is None:
        message = f"{match['date']} is no date of a recording; {EXPECTED}"
        rejected.append(Rejected(str(folder), "bad-date", message))
        return None
    return Group(date, match["broadcaster"], cast("Gender", gender))


def _date(digits: str) -> dt.date | None:
    try:
        date = dt.datetime.strptime(digits, "%Y%m%d").date()  # noqa: DTZ007 - a calendar date
    except ValueError:
        return None
    return date if date.year >= FIRST_YEAR else None


def _is_text(name: str) -> bool:
    """Tell whether a name can be stored: file systems allow bytes that are no UTF-8, PostgreSQL does not."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _add_folder(found: FoundGroup, folder: AnyPath) -> None:
    """Add a folder to its group, which may have several (_f beside _F); of two clips of one name the first stays."""
    for pair in _pairs(folder, found.rejected):
        first = found.pairs.setdefault(pair.name, pair)
        if first is not pair:
            message = f"another folder of this run has a clip of this name: {first.wav.path}"
            found.rejected.append(Rejected(str(pair.wav.path), "duplicate-name", message))


def _pairs(folder: AnyPath, rejected: list[Rejected]) -> list[Pair]:
    """List a folder's pairs in order of name."""
    files: dict[str, dict[Kind, SourceFile | None]] = {}  # None for a file that is there and of no use
    for path in _entries(folder, rejected):
        if path.name.startswith("."):
            continue
        kind = _kind(path)
        if kind is None:
            rejected += _overlooked(path)
        elif kind in files.setdefault(path.stem, {}):
            message = "another file differs from it in case only"
            rejected.append(Rejected(str(path), "duplicate-name", message))
        else:
            files[path.stem][kind] = _source(path, rejected)
    return list(_complete(files, rejected))


def _overlooked(path: AnyPath) -> list[Rejected]:
    """Name a folder inside a group: clips in it would be missed without a word."""
    if _is_folder(path):
        return [Rejected(str(path), "folder", "a folder inside a group is not looked into; move its clips up")]
    return []


def _kind(path: AnyPath) -> Kind | None:
    suffix = path.suffix.lower().removeprefix(".")
    return cast("Kind", suffix) if suffix in ("wav", "txt") else None


def _source(path: AnyPath, rejected: list[Rejected]) -> SourceFile | None:
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


def _complete(files: dict[str, dict[Kind, SourceFile | None]], rejected: list[Rejected]) -> Iterator[Pair]:
    for name, parts in sorted(files.items()):
        wav, txt = parts.get("wav"), parts.get("txt")
        if wav and txt:
            yield Pair(name, wav, txt)
        elif wav and "txt" not in parts:
            rejected.append(Rejected(str(wav.path), "no-transcript", f"there is no {name}.txt beside it"))
        elif txt and "wav" not in parts:
            rejected.append(Rejected(str(txt.path), "no-audio", f"there is no {name}.wav beside it"))
