"""Where the folders of groups are: in an input folder, or in folders of nights inside it."""

import datetime as dt
import os
import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

from registry.core.names import one_form
from registry.core.records import GENDERS, Gender, Group, Rejected
from registry.core.rejections import Fault
from registry.files.ownership import may_lead
from registry.input.formats import AUDIO_SUFFIXES, suffix_of
from registry.input.remote import AnyPath, RemotePath

GROUP_NAME = re.compile(r"(?P<broadcaster>.+)_(?P<gender>[A-Za-z])(?P<date>[0-9]{8})", re.DOTALL)
FIRST_YEAR = 1900  # a recording from before is a slip of the keyboard: 0202 for 2020
DEPTH = 3  # a folder of years, of months, of nights; deeper is somebody else's


def group_folders(indirs: Iterable[AnyPath], rejected: list[Rejected]) -> list[AnyPath]:
    """List the folders that are named as groups, each once; what should hold some and does not is added to rejected."""
    folders: set[AnyPath] = set()
    for indir in indirs:
        here, rejected_before = _without_links(indir), len(rejected)
        inside = [here] if looks_like_group(here) else _groups_in(here, rejected, {here}, DEPTH)
        is_told = any(one.reason in ("bad-group-name", "link") for one in rejected[rejected_before:])
        if not inside and not is_told:
            rejected.append(Fault.NO_GROUPS.of(indir))
        folders.update(inside)
    return sorted(folders, key=lambda folder: str(folder).split("/"))


def _without_links(indir: AnyPath) -> AnyPath:
    """Give a folder one path however it is reached; a link to a group keeps the name of the link."""
    if isinstance(indir, RemotePath):
        return indir
    return indir.parent.resolve() / indir.name if looks_like_group(indir) else indir.resolve()


def looks_like_group(folder: AnyPath) -> bool:
    """Tell a group's folder, and what should be one, by its name."""
    return GROUP_NAME.fullmatch(folder.name) is not None


def group_called(name: str) -> Group | None:
    """Read the name of a group; None if it is none."""
    match = GROUP_NAME.fullmatch(one_form(name))
    date = match and date_of(match["date"])
    if not (match and date and match["gender"].upper() in GENDERS):
        return None
    return Group(date, match["broadcaster"], cast("Gender", match["gender"].upper()))


def date_of(digits: str) -> dt.date | None:
    """Read the date of a night, 20201105; None if it is none, or none of a recording."""
    try:
        date = dt.datetime.strptime(digits, "%Y%m%d").date()  # noqa: DTZ007 - a calendar date
    except ValueError:
        return None
    return date if date.year >= FIRST_YEAR else None


def _groups_in(folder: AnyPath, rejected: list[Rejected], seen: set[AnyPath], depth: int) -> list[AnyPath]:
    """Look for groups in a folder and, where a folder in it is none, in that one, unless a link led there before."""
    found: list[AnyPath] = []
    for inside in map(_without_links, _folders_in(folder, rejected)):
        if looks_like_group(inside):
            found.append(inside)
        elif inside not in seen:
            seen.add(inside)
            found += _groups_below(inside, rejected, seen, depth)
    return found


def _groups_below(folder: AnyPath, rejected: list[Rejected], seen: set[AnyPath], depth: int) -> list[AnyPath]:
    """Look for groups in a folder that is none; where there are none, that is all that is said of it."""
    below: list[Rejected] = []
    found = _groups_in(folder, below, seen, depth - 1) if depth else []
    if found or any(one.reason in ("unreadable", "link") for one in below):
        rejected += below
    else:
        rejected.append(Fault.NO_GROUP_BELOW.of(folder))
    return found


def _folders_in(indir: AnyPath, rejected: list[Rejected]) -> list[AnyPath]:
    listed = [entry for entry in entries(indir, rejected) if not entry.name.startswith(".")]
    folders = [entry for entry in listed if is_folder(entry)]
    for stray in sorted(set(listed) - set(folders), key=_name):
        if looks_like_group(stray):
            rejected.append(Fault.NO_FOLDER.of(stray))
        elif suffix_of(stray.name) in (*AUDIO_SUFFIXES, "txt"):
            rejected.append(Fault.OUTSIDE_GROUP.of(stray))
    return [folder for folder in folders if _is_followed(folder, rejected)]


def _is_followed(folder: AnyPath, rejected: list[Rejected]) -> bool:
    """Tell whether a folder that was found is looked into; a link that may not lead there is added to rejected."""
    if isinstance(folder, RemotePath) or not folder.is_symlink():
        return True
    owner = folder.stat().st_uid
    foreign = next((link for link in _links_followed(folder) if not may_lead(link.lstat().st_uid, owner)), None)
    if foreign is not None:
        link = shlex.quote(str(foreign))
        rejected.append(Fault.LINK_OF_OTHERS.of(folder, user_id=os.geteuid(), link=link))
    return foreign is None


def _links_followed(link: Path) -> Iterator[Path]:
    """List a link, whose folder is reached without links, and those on the way from there to where it leads."""
    here, parts = link.parent, [link.name]  # the next part is the last
    while parts:
        part = parts.pop()
        here = here.parent if part == ".." else here / part
        if here.is_symlink():
            yield here
            parts += reversed(here.readlink().parts)
            here = here.parent


def is_folder(path: AnyPath) -> bool:
    """Tell a folder; what cannot be reached is none."""
    # os.path: Path.is_dir() raises where a part of the way is closed or too long.
    return os.path.isdir(path) if isinstance(path, Path) else path.is_dir()  # noqa: PTH112


def entries(folder: AnyPath, rejected: list[Rejected]) -> list[AnyPath]:
    """List what is in a folder in order of name; one that cannot be opened is added to rejected."""
    try:
        return sorted(folder.iterdir(), key=_name)
    except OSError as error:
        rejected.append(Fault.CLOSED_FOLDER.of(folder, cause=error.strerror))
        return []


def _name(path: AnyPath) -> str:
    return path.name
