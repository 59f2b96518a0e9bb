"""What lies in the input folders: groups, their pairs of files, and what cannot be one. Reads no audio."""

import datetime as dt
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, cast

from registry import settings
from registry.core.names import meant, one_form
from registry.core.records import Gender, Group, Rejected
from registry.core.rejections import shortened
from registry.errors import InputMissing
from registry.files.pinned import LinkOut, look, remedy_of
from registry.input.formats import AUDIO_SUFFIXES, suffix_of
from registry.input.group_folders import EXPECTED, GROUP_NAME, entries, group_folders, is_folder
from registry.input.remote import AnyPath, RemotePath

FIRST_YEAR = 1900  # a recording from before is a slip of the keyboard: 0202 for 2020
MOST_ENDINGS = 10  # of files that are no part of a clip are told
Kind = Literal["audio", "txt"]
ENDINGS = ", ".join(f".{suffix}" for suffix in AUDIO_SUFFIXES)


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
    wav: SourceFile  # or audio of another kind
    txt: SourceFile


@dataclass
class FoundGroup:
    """What lies in the folder or folders of one group."""

    pairs: dict[str, Pair] = field(default_factory=dict)  # by name, in order of name
    rejected: list[Rejected] = field(default_factory=list)
    overlooked: Counter[str] = field(default_factory=Counter)  # files that are no part of a clip, by their endings


@dataclass(frozen=True)
class Scan:
    """What was found: the groups, by night, and what belongs to none."""

    groups: dict[Group, FoundGroup]
    rejected: tuple[Rejected, ...]

    def all_rejected(self) -> list[Rejected]:
        """List what was left out, inside groups and outside."""
        return [*self.rejected, *(rejected for found in self.groups.values() for rejected in found.rejected)]


def scan(indirs: Sequence[AnyPath], *, as_named: bool = False) -> Scan:
    """List the groups in some input folders, and in folders inside them; a folder may also be a group itself.

    Args:
        indirs: The folders.
        as_named: Take broadcasters' names that look garbled for what they are.

    Raises:
        InputMissing: None of the folders can be opened.
        RemoteMissing: What reads such a URL is not installed.
    """
    missing = {indir: fault for indir in indirs if (fault := _fault_of_folder(indir)) is not None}
    if all(indir in missing for indir in indirs):
        raise InputMissing(paths=", ".join(map(_named_with_cause, missing, missing.values())))
    rejected = [Rejected(str(path), "no-input", fault) for path, fault in missing.items()]
    groups: dict[Group, FoundGroup] = {}
    for folder in group_folders([indir for indir in indirs if indir not in missing], rejected):
        group = _parse_group(folder, rejected, as_named=as_named)
        if group is not None:
            _add_folder(groups.setdefault(group, FoundGroup()), folder)
    return Scan({group: groups[group] for group in sorted(groups)}, tuple(rejected))


def _fault_of_folder(folder: AnyPath) -> str | None:
    if isinstance(folder, Path):
        can_list = is_folder(folder) and os.access(folder, os.R_OK | os.X_OK)
        return None if can_list else "no such folder, or it cannot be opened"
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        return error.strerror
    return None


def _named_with_cause(folder: AnyPath, fault: str) -> str:
    return str(folder) if isinstance(folder, Path) else f"{folder} ({fault})"


def _parse_group(folder: AnyPath, rejected: list[Rejected], *, as_named: bool) -> Group | None:
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
    broadcaster = one_form(match["broadcaster"])
    fault = _fault_of_broadcaster(broadcaster, as_named=as_named)
    if fault is not None:
        rejected.append(replace(fault, path=str(folder)))
        return None
    date = _date(match["date"])
    if date is None:
        message = f"{match['date']} is no date of a recording; {EXPECTED}"
        rejected.append(Rejected(str(folder), "bad-date", message))
        return None
    return Group(date, broadcaster, cast("Gender", gender))


def _fault_of_broadcaster(broadcaster: str, *, as_named: bool) -> Rejected | None:
    if len(os.fsencode(broadcaster)) > settings.MAX_BROADCASTER_BYTES:
        return Rejected(broadcaster, "bad-group-name", "the broadcaster's name is too long")
    mended = None if as_named else meant(broadcaster)
    if mended is None:
        return None
    message = f"did you mean {mended}? Rename the folder; if the broadcaster is really called so, add --as-named"
    return Rejected(broadcaster, "garbled-name", message)


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
    here = _look_into(folder)
    for pair in here.pairs.values():
        first = found.pairs.setdefault(pair.name, pair)
        if first is not pair:
            message = f"another folder of this run has a clip of this name: {first.wav.path}"
            here.rejected.append(Rejected(str(pair.wav.path), "duplicate-name", message))
    if here.overlooked and not here.pairs and not here.rejected:
        message = f"none of its files is audio that can be read ({listed(here.overlooked)}); convert them to flac"
        here.rejected.append(Rejected(str(folder), "no-clips", message))
    found.rejected += here.rejected
    found.overlooked += here.overlooked


def listed(endings: Mapping[str, int]) -> str:
    """Write how many files there are of each ending, the most frequent first."""
    shown = sorted(endings.items(), key=lambda one: (-one[1], one[0]))
    more = [f"and {len(shown) - MOST_ENDINGS} more endings"] if len(shown) > MOST_ENDINGS else []
    return ", ".join([f"{shortened(ending)} {count}" for ending, count in shown[:MOST_ENDINGS]] + more)


def _look_into(folder: AnyPath) -> FoundGroup:
    """List a folder's pairs in order of name."""
    found = FoundGroup()
    files: dict[str, dict[Kind, SourceFile | None]] = {}  # None for a file that is there and of no use
    for path in sorted(entries(folder, found.rejected), key=_preference):
        if path.name.startswith("."):
            continue
        kind, name = _kind(path), one_form(path.stem)
        if kind is None:
            _overlook(path, found)
        elif kind in files.setdefault(name, {}):
            found.rejected.append(_second(path, files[name][kind]))
        else:
            files[name][kind] = _source(path, found.rejected)
    found.pairs = {pair.name: pair for pair in _complete(files, found.rejected)}
    return found


def _preference(path: AnyPath) -> tuple[int, str]:
    """Put first, of two audio files of one name, the one that is the clip."""
    suffix = suffix_of(path.name)
    return AUDIO_SUFFIXES.index(suffix) if suffix in AUDIO_SUFFIXES else 0, path.name


def _second(path: AnyPath, first: SourceFile | None) -> Rejected:
    if first is None or suffix_of(first.path.name) == suffix_of(path.name):
        message = "another file differs from it only in case, or in how marks are put on letters"
    else:
        message = f"a clip has one audio file, and {first.path.name} is there; remove one of the two"
    return Rejected(str(path), "duplicate-name", message)


def _overlook(path: AnyPath, found: FoundGroup) -> None:
    """Name a folder inside a group, since clips in it would be missed without a word; count all else."""
    if is_folder(path):
        message = "a folder inside a group is not looked into; move its clips up"
        found.rejected.append(Rejected(str(path), "folder", message))
    else:
        found.overlooked[path.suffix.lower() or "without ending"] += 1


def _kind(path: AnyPath) -> Kind | None:
    suffix = suffix_of(path.name)
    return "audio" if suffix in AUDIO_SUFFIXES else "txt" if suffix == "txt" else None


def _source(path: AnyPath, rejected: list[Rejected]) -> SourceFile | None:
    try:
        status = path.stat() if isinstance(path, RemotePath) else look(path)
    except OSError as error:
        rejected.append(unreadable(path, error))
        return None
    if not _is_text(path.name):
        rejected.append(Rejected(str(path), "bad-name", "the file's name is not UTF-8; rename it"))
        return None
    if len(os.fsencode(str(path))) > settings.MAX_PATH_BYTES:
        message = f"its path is longer than {settings.MAX_PATH_BYTES} bytes; move the folder up"
        rejected.append(Rejected(str(path), "bad-name", message))
        return None
    return SourceFile(path, status.st_size, status.st_mtime_ns)


def unreadable(path: AnyPath, error: OSError) -> Rejected:
    """Say why a file cannot be read."""
    reason = "link" if isinstance(error, LinkOut) else "unreadable"
    return Rejected(str(path), reason, f"{error.strerror}; {remedy_of(error)}")


def _complete(files: dict[str, dict[Kind, SourceFile | None]], rejected: list[Rejected]) -> Iterator[Pair]:
    for name, parts in sorted(files.items()):
        wav, txt = parts.get("audio"), parts.get("txt")
        if wav and txt:
            yield Pair(name, wav, txt)
        elif wav and "txt" not in parts:
            rejected.append(Rejected(str(wav.path), "no-transcript", f"there is no {name}.txt beside it"))
        elif txt and "audio" not in parts:
            rejected.append(Rejected(str(txt.path), "no-audio", f"there is no {name} beside it that ends in {ENDINGS}"))
