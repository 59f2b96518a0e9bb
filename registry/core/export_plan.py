"""The exported tree as a function of the registry's state, and what to change in a folder to make it that tree."""

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from registry.core.records import Group

SUFFIXES = ("wav", "flac", "ogg", "opus", "mp3", "m4a")  # endings of audio files: an exported file keeps its source's


# The classes below are named tuples, because they are made the fastest: a tree has hundreds of thousands of each.
class Source(NamedTuple):
    """A file to export, as it was when it was ingested."""

    path: str
    size: int  # bytes
    mtime_ns: int  # modification time, nanoseconds since 1970
    sha256: str  # of its bytes, hex
    content: bytes | None = None  # its bytes, where the file at `path` has been replaced since; else None


class NumberedClip(NamedTuple):
    """A clip with all that its place in the tree depends on."""

    group: Group
    number: int  # its speaker's, at the group's broadcaster
    name: str  # file name without its ending
    wav: Source
    txt: Source


class PlannedFile(NamedTuple):
    """One file of the tree: where it belongs, and where its bytes come from."""

    path: str  # below the top of the tree
    group: Group
    source: Source


def plan_tree(clips: Iterable[NumberedClip]) -> list[PlannedFile]:
    """List the files of the tree.

    A clip's file is numbered from 0 through its whole group, in order of speaker number, then of clip name.
    """
    members: dict[Group, list[NumberedClip]] = {}
    for clip in clips:
        members.setdefault(clip.group, []).append(clip)
    return [file for group in sorted(members) for file in _files(group, members[group])]


def _files(group: Group, clips: Iterable[NumberedClip]) -> Iterator[PlannedFile]:
    """List the files of one group."""
    night, running = f"{group.broadcaster}{group.date:%Y%m%d}", 0
    for number, spoken in groupby(sorted(clips, key=_place), key=_number):
        speaker = label(group.gender, number)
        stem = f"{night}/{night}-{speaker}/{night}{speaker}"
        for clip in spoken:
            place = f"{stem}_{running:06d}"
            yield PlannedFile(f"{place}.{_suffix(clip.wav.path)}", group, clip.wav)
            yield PlannedFile(f"{place}.txt", group, clip.txt)
            running += 1


def _suffix(path: str) -> str:
    """Give the ending of an audio file's path, in lower case; "wav" where it is not the ending of an audio file."""
    suffix = path[-5:].rpartition(".")[2].lower()
    return suffix if suffix in SUFFIXES else "wav"


_place = attrgetter("number", "name")
_number = attrgetter("number")


def label(gender: str, number: int) -> str:
    """Write a speaker's number as folders show it: F and 1 give F0001."""
    return f"{gender}{number:04d}"


@dataclass(frozen=True, order=True)
class Alias:
    """A retired number of a speaker, and the speaker's number now."""

    broadcaster: str
    gender: str
    alias: int  # the retired number
    number: int  # the number that it leads to


@dataclass(frozen=True)
class Changes:
    """What to change in a folder so that it holds the tree."""

    write: tuple[PlannedFile, ...]  # files that are missing or not as they should be
    unchanged: tuple[PlannedFile, ...]  # files that are as they should be
    foreign: tuple[PlannedFile, ...]  # files in whose place somebody else's file is, which is left alone
    remove: tuple[str, ...]  # paths of files that an earlier export wrote and that are no longer in the tree


def plan_changes(planned: Iterable[PlannedFile], written: Iterable[str], present: Mapping[str, bool]) -> Changes:
    """Compare the tree with a folder.

    Args:
        planned: The files of the tree.
        written: Paths that earlier exports wrote, as far as this export may change them.
        present: The planned and the written paths that exist in the folder -> whether the file is as it should be.
    """
    ours = set(written)
    wanted = {file.path: file for file in planned}
    unchanged = [file for file in wanted.values() if file.path in ours and present.get(file.path, False)]
    foreign = [file for file in wanted.values() if file.path in present and file.path not in ours]
    settled = {file.path for file in (*unchanged, *foreign)}
    return Changes(
        write=tuple(file for file in wanted.values() if file.path not in settled),
        unchanged=tuple(unchanged),
        foreign=tuple(foreign),
        remove=tuple(sorted(path for path in ours - wanted.keys() if path in present)),
    )


def is_sound(path: str) -> bool:
    """Tell whether an exported file is a clip's audio file, not its transcript."""
    return not path.endswith(".txt")


def stem(path: str) -> str:
    """Give a path without its ending: the part that the two files of a clip have in common."""
    return path.rpartition(".")[0]


def folder_of(path: str) -> str:
    """Give the folder at the top of the tree that a file lies in: the folder of a broadcaster's night."""
    return path.partition("/")[0]


def alike(folder: str) -> str:
    """Give a form that is equal for two folder names if a disk that ignores case takes them for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", folder).casefold())


def one_place(wanted: Collection[str], written: Collection[str]) -> dict[str, str]:
    """Find the folders that a disk which ignores case takes for another folder.

    Of several folders that are one on such a disk, one owns the place: a folder of the tree before any other, among
    these a folder that an earlier export wrote, and then the first by name.

    Args:
        wanted: The folders of the tree.
        written: The folders that earlier exports wrote.

    Returns:
        Folder -> the folder that owns its place, for all folders that do not own their place.
    """
    owners: dict[str, str] = {}
    for folder in sorted({*wanted, *written}, key=lambda name: (name not in wanted, name not in written, name)):
        owners.setdefault(alike(folder), folder)
    folders = {*wanted, *written}
    return {folder: owners[alike(folder)] for folder in folders if owners[alike(folder)] != folder}
