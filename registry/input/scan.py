"""What lies in the input folders: groups, their pairs of files, and what cannot be one. Reads no audio."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from registry import settings
from registry.core.names import meant, one_form
from registry.core.records import GENDERS, Gender, Group, Rejected
from registry.core.rejections import Fault
from registry.core.rejections_in_brief import shortened
from registry.errors import InputMissing
from registry.files.pinned import LinkOut, look, remedy_of
from registry.input.formats import AUDIO_SUFFIXES, suffix_of
from registry.input.group_folders import GROUP_NAME, date_of, entries, group_folders, is_folder
from registry.input.remote import AnyPath, RemotePath

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
    rejected = [Fault.NO_INPUT.of(path, cause=fault) for path, fault in missing.items()]
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
        rejected.append(Fault.FOLDER_NOT_UTF8.of(folder))
        return None
    if match is None:
        rejected.append(Fault.NO_GROUP_NAME.of(folder))
        return None
    gender = match["gender"].upper()
    if gender not in GENDERS:
        rejected.append(Fault.BAD_GENDER.of(folder, gender=match["gender"]))
        return None
    broadcaster = one_form(match["broadcaster"])
    fault = _fault_of_broadcaster(folder, broadcaster, as_named=as_named)
    if fault is not None:
        rejected.append(fault)
        return None
    date = date_of(match["date"])
    if date is None:
        rejected.append(Fault.BAD_DATE.of(folder, date=match["date"]))
        return None
    return Group(date, broadcaster, cast("Gender", gender))


def _fault_of_broadcaster(folder: AnyPath, broadcaster: str, *, as_named: bool) -> Rejected | None:
    if len(os.fsencode(broadcaster)) > settings.MAX_BROADCASTER_BYTES:
        return Fault.LONG_BROADCASTER.of(folder)
    mended = None if as_named else meant(broadcaster)
    return None if mended is None else Fault.GARBLED_NAME.of(folder, meant=mended)


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
            here.rejected.append(Fault.NAME_IN_OTHER_FOLDER.of(pair.wav.path, first=first.wav.path))
    if here.overlooked and not here.pairs and not here.rejected:
        here.rejected.append(Fault.NO_CLIPS.of(folder, endings=listed(here.overlooked)))
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
        return Fault.NAME_ALIKE.of(path)
    return Fault.SECOND_AUDIO.of(path, first=first.path.name)


def _overlook(path: AnyPath, found: FoundGroup) -> None:
    """Name a folder inside a group, since clips in it would be missed without a word; count all else."""
    if is_folder(path):
        found.rejected.append(Fault.FOLDER_INSIDE_GROUP.of(path))
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
        rejected.append(Fault.FILE_NOT_UTF8.of(path))
        return None
    if len(os.fsencode(str(path))) > settings.MAX_PATH_BYTES:
        rejected.append(Fault.LONG_PATH.of(path, most_bytes=settings.MAX_PATH_BYTES))
        return None
    return SourceFile(path, status.st_size, status.st_mtime_ns)


def unreadable(path: AnyPath, error: OSError) -> Rejected:
    """Say why a file cannot be read."""
    fault = Fault.LINK_OUT if isinstance(error, LinkOut) else Fault.UNREADABLE
    return fault.of(path, cause=error.strerror, remedy=remedy_of(error))


def _complete(files: dict[str, dict[Kind, SourceFile | None]], rejected: list[Rejected]) -> Iterator[Pair]:
    for name, parts in sorted(files.items()):
        wav, txt = parts.get("audio"), parts.get("txt")
        if wav and txt:
            yield Pair(name, wav, txt)
        elif wav and "txt" not in parts:
            rejected.append(Fault.NO_TRANSCRIPT.of(wav.path, name=name))
        elif txt and "audio" not in parts:
            rejected.append(Fault.NO_AUDIO.of(txt.path, name=name, endings=ENDINGS))
