"""The exported tree as a function of the registry's state, and what to do to a folder to get there."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from registry.core.records import Group


@dataclass(frozen=True)
class Source:
    """A file to export, as it was when it was taken in."""

    path: str
    size: int  # bytes
    mtime_ns: int
    sha256: str  # hex
    content: bytes | None = None  # of a file that was replaced since: what it held, for the path leads elsewhere now


@dataclass(frozen=True)
class NumberedClip:
    """A clip with what its place in the tree depends on."""

    group: Group
    number: int
    name: str
    wav: Source
    txt: Source


@dataclass(frozen=True)
class PlannedFile:
    """One file of the tree: where it belongs, below the top, and where its bytes come from."""

    path: str
    group: Group
    source: Source


def plan_tree(clips: Iterable[NumberedClip]) -> list[PlannedFile]:
    """Lay the tree out.

    A clip's running number counts from 0 through its whole group, in order of speaker number, then of name.
    """
    ordered = sorted(clips, key=_place)
    planned: list[PlannedFile] = []
    for group, members in groupby(ordered, key=lambda clip: clip.group):
        for running, clip in enumerate(members):
            stem = _stem(group, clip.number, running)
            planned.append(PlannedFile(f"{stem}.wav", group, clip.wav))
            planned.append(PlannedFile(f"{stem}.txt", group, clip.txt))
    return planned


def _place(clip: NumberedClip) -> tuple[dt.date, str, str, int, str]:
    group = clip.group  # spelt out: groups compare themselves slowly
    return group.date, group.broadcaster, group.gender, clip.number, clip.name


def _stem(group: Group, number: int, running: int) -> str:
    night = f"{group.broadcaster}{group.date:%Y%m%d}"
    speaker = label(group.gender, number)
    return f"{night}/{night}-{speaker}/{night}{speaker}_{running:06d}"


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
