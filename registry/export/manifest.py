"""The exporter's own record of what it wrote, kept inside the tree so that it goes where the tree goes.

Its first line says which registry wrote the tree and what state of it, all others name a file each.
"""

import datetime as dt
import hashlib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from json.encoder import encode_basestring_ascii
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from registry.core.export_plan import SUFFIXES, folder_of
from registry.errors import OutputRefused
from registry.export import disk
from registry.export.times import moment_of

FOLDER = ".registry"  # at the top of an exported tree
# A damaged record must not lead to files outside the tree: only places that an export can have written are read.
PLACE = re.compile(
    r"(?P<night>[^/]+[0-9]{8})/(?P=night)-(?P<label>[FM][0-9]{4,})"
    rf"/(?P=night)(?P=label)_[0-9]{{6,}}\.({'|'.join(SUFFIXES)}|txt)"
)
SHA256 = re.compile("[0-9a-f]{64}")


class Written(NamedTuple):
    """A file that an export wrote or was about to write."""

    path: str  # below the top of the tree
    sha256: str  # hex


@dataclass(frozen=True)
class Heading:
    """Which state of which registry a tree holds."""

    registry_id: UUID
    as_of: int | None = None  # the operation after which it held; None for a tree that is kept up to the present


@dataclass(frozen=True)
class Record:
    """What earlier exports say of a tree; a path may be listed twice, as it was and as it was about to be."""

    heading: Heading | None = None  # None in trees from before registries had an identity
    finished: frozenset[Written] = frozenset()  # what the last finished export left
    under_way: frozenset[Written] = frozenset()  # what a killed one was about to write or remove
    is_under_way: bool = False  # whether there was such a one
    is_there: bool = False

    @property
    def entries(self) -> frozenset[Written]:
        """List all that may be in the tree and is the exporter's."""
        return self.finished | self.under_way if self.under_way else self.finished


@cache  # a tree has many files of one night
def night_of(folder: str) -> tuple[str, dt.date]:
    """Tell the broadcaster and the night of a folder at the top of the tree.

    Raises:
        ValueError: It is none.
    """
    return folder[:-8], dt.date.fromisoformat(folder[-8:])


def read_record(outdir: Path) -> Record:
    """Read what earlier exports wrote here, and what the last one was about to do if it was killed.

    Raises:
        OutputRefused: It does not hold what an export writes.
    """
    finished, under_way = _read(outdir, _manifest(outdir)), _read(outdir, _intended(outdir))
    heading = under_way[0] if under_way and under_way[0] else finished and finished[0]
    return Record(
        heading or None,
        finished[1] if finished else frozenset(),
        under_way[1] if under_way else frozenset(),
        is_under_way=under_way is not None,
        is_there=finished is not None,
    )


def _read(outdir: Path, manifest: Path) -> tuple[Heading | None, frozenset[Written]] | None:
    try:
        lines = disk.read(manifest).decode().splitlines()
        entries = json.loads(f"[{','.join(lines)}]")  # in one go: line by line takes far longer
        heading = _heading(entries.pop(0)) if entries and isinstance(entries[0], dict) else None
        return heading, frozenset(map(_checked, entries))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:
        raise OutputRefused(path=outdir, cause=f"its record of earlier exports, {manifest}, is damaged") from error


def _heading(entry: dict[str, object]) -> Heading:
    registry_id, as_of = entry.get("registry"), entry.get("as_of")
    if not isinstance(registry_id, str) or not (as_of is None or type(as_of) is int):
        raise ValueError(f"no heading of a manifest: {entry!r}")
    return Heading(UUID(registry_id), as_of)


def _checked(entry: object) -> Written:
    if not isinstance(entry, list) or [type(field) for field in entry] != [str, str]:
        raise ValueError(f"no entry of a manifest: {entry!r}")
    written = Written(*entry)
    if PLACE.fullmatch(written.path) is None:
        raise ValueError(f"no place in the tree: {written.path!r}")
    night_of(folder_of(written.path))
    if SHA256.fullmatch(written.sha256) is None:
        raise ValueError(f"no SHA-256: {written!r}")
    return written


def write_intended(outdir: Path, heading: Heading, entries: Iterable[Written], record: Record) -> None:
    """Note what is about to be written and removed, beside the manifest: a change of a large tree is small.

    What a killed export noted stays until `drop_intended`.
    """
    _replace(_intended(outdir), heading, record.under_way.union(entries))


def write_manifest(outdir: Path, heading: Heading, entries: frozenset[Written], record: Record) -> None:
    """Replace the manifest in one step, unless it says just that already."""
    if record.is_there and (record.heading, record.finished) == (heading, entries) and not record.is_under_way:
        return
    _replace(_manifest(outdir), heading, entries)


def drop_intended(outdir: Path) -> None:
    """Forget what was about to be done: it is done, and on the disk."""
    if os.path.lexists(_intended(outdir)):
        disk.remove_durably(_intended(outdir))


def _replace(manifest: Path, heading: Heading, entries: Iterable[Written]) -> None:
    # as json.dumps, which takes three times as long
    lines = [f"[{encode_basestring_ascii(path)}, {encode_basestring_ascii(sha256)}]\n" for path, sha256 in entries]
    first = json.dumps({"registry": str(heading.registry_id), "as_of": heading.as_of})
    content = "".join([f"{first}\n", *sorted(lines)]).encode()
    time_s = moment_of(latest_night(entries), hashlib.sha256(content).hexdigest())
    disk.replace_durably(manifest, content, time_s, disk.new_place(manifest.parent))


def broadcasters_of(entries: Iterable[Written]) -> set[str]:
    """Name the broadcasters that a tree has nights of."""
    return {night_of(folder)[0] for folder in {folder_of(entry.path) for entry in entries}}


def latest_night(entries: Iterable[Written]) -> dt.date | None:
    """Give the latest night of a tree, None for an empty one."""
    return max((night_of(folder)[1] for folder in {folder_of(entry.path) for entry in entries}), default=None)


def _manifest(outdir: Path) -> Path:
    return outdir / FOLDER / "manifest.jsonl"


def _intended(outdir: Path) -> Path:
    return outdir / FOLDER / "intended.jsonl"
