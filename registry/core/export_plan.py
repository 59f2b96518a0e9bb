"""The exported tree as a function of the registry's state, and what to do to a folder to get there."""

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from registry.core.records import Group

SUFFIXES = ("wav", "flac", "ogg", "opus", "mp3", "m4a")  # of sound, as exported: a file keeps that of its source


# Tuples: a tree has hundreds of thousands of them, and these are made the fastest.
class Source(NamedTuple):
    """A file to export, as it was when it was taken in."""

    path: str
    size: int  # bytes
    mtime_ns: int
    sha256: str  # hex
    content: bytes | None = None  # of a file that was replaced since: what it held, for the path leads elsewhere now


class NumberedClip(NamedTuple):
    """A clip with what its place in the tree depends on."""

    group: Group
    number: int
    name: str
    wav: Source
    txt: Source


class PlannedFile(NamedTuple):
    """One file of the tree: where it belongs, below the top, and where its bytes come from."""

    path: str
    group: Group
    source: Source


def plan_tree(clips: Iterable[NumberedClip]) -> list[PlannedFile]:
    """Lay the tree out.

    A clip's running number counts from 0 through its whole group, in order of speaker number, then of name.
    """
    members: dict[Group, list[NumberedClip]] = {}
    for clip in clips:
        members.setdefault(clip.group, []).append(clip)
    return [file for group in sorted(members) for file in _files(group, members[group])]


def _files(group: Group, clips: Iterable[NumberedClip]) -> Iterator[PlannedFile]:
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
    suffix = path[-5:].rpartition(".")[2].lower()
    return suffix if suffix in SUFFIXES else "wav"


_place = attrgetter("number", "name")
_number = attrgetter("number")


def label(gender: str, number: int) -> str:
    """Write a number as folders show it: F, 1 gives F0001."""
    return f"{gender}{number:04d}"


@dataclass(frozen=True, order=True)
class Alias:
    """A retired number and the one that it leads to now."""

    broadcaster: str
    gender: str
    alias: int
    number: int


@dataclass(frozen=True)
class Changes:
    """What to do to a folder so that it holds the tree."""

    write: tuple[PlannedFile, ...]
    unchanged: tuple[PlannedFile, ...]
    foreign: tuple[PlannedFile, ...]  # somebody else's file is in the way; left alone
    remove: tuple[str, ...]  # written by an earlier export, no longer in the tree


def plan_changes(planned: Iterable[PlannedFile], written: Iterable[str], present: Mapping[str, bool]) -> Changes:
    """Compare the tree with the folder.

    Args:
        planned: The tree.
        written: Paths that earlier exports wrote and that this one answers for.
        present: Paths of both that exist in the folder; True where the file is already what it should be.
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
    """Tell a clip's sound from its transcript."""
    return not path.endswith(".txt")


def stem(path: str) -> str:
    """Give what the two files of a clip have in common."""
    return path.rpartition(".")[0]


def folder_of(path: str) -> str:
    """Name the folder at the top of the tree that a file lies in: a broadcaster's night."""
    return path.partition("/")[0]


def alike(folder: str) -> str:
    """Give what is equal for two names that are one on a disk which ignores case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", folder).casefold())


def one_place(wanted: Collection[str], written: Collection[str]) -> dict[str, str]:
    """Find the folders that a disk which ignores case takes for another one.

    Args:
        wanted: The tree's folders.
        written: Folders of earlier exports; of several in one place, one that is there already keeps it.

    Returns:
        Folder -> the one that has its place, for those that are not in a place of their own.
    """
    owners: dict[str, str] = {}
    for folder in sorted({*wanted, *written}, key=lambda name: (name not in wanted, name not in written, name)):
        owners.setdefault(alike(folder), folder)
    folders = {*wanted, *written}
    return {folder: owners[alike(folder)] for folder in folders if owners[alike(folder)] != folder}
