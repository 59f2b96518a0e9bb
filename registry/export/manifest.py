"""The exporter's own record of what it wrote, kept inside the tree so that it goes where the tree goes."""

import datetime as dt
import hashlib
import json
import os
import re
from collections.abc import Iterable
from functools import cache
from json.encoder import encode_basestring_ascii
from pathlib import Path
from typing import NamedTuple

from registry.core.export_plan import SUFFIXES
from registry.errors import OutputRefused

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


@cache  # a tree has many files of one night
def night_of(folder: str) -> tuple[str, dt.date]:
    """Tell the broadcaster and the night of a folder at the top of the tree.

    Raises:
        ValueError: It is none.
    """
    return folder[:-8], dt.date.fromisoformat(folder[-8:])


def folder_of(entry: Written) -> str:
    """Name the folder at the top of the tree that a file lies in."""
    return entry.path.partition("/")[0]


def read_manifest(outdir: Path) -> set[Written]:
    """Read what earlier exports wrote here, and what the last one was about to write if it was killed.

    A path may be listed twice then, as it was and as planned.

    Raises:
        OutputRefused: It does not hold what an export writes.
    """
    return _read(outdir, _manifest(outdir)) | _read(outdir, _intended(outdir))


def _read(outdir: Path, manifest: Path) -> set[Written]:
    try:
        lines = manifest.read_text(encoding="utf-8").splitlines()
        return set(map(_checked, json.loads(f"[{','.join(lines)}]")))  # in one go: line by line takes far longer
    except FileNotFoundError:
        return set()
    except ValueError as error:
        raise OutputRefused(path=outdir, cause=f"its record of earlier exports, {manifest}, is damaged") from error


def _checked(entry: object) -> Written:
    if not isinstance(entry, list) or [type(field) for field in entry] != [str, str]:
        raise ValueError(f"no entry of a manifest: {entry!r}")
    written = Written(*entry)
    if PLACE.fullmatch(written.path) is None:
        raise ValueError(f"no place in the tree: {written.path!r}")
    night_of(folder_of(written))
    if SHA256.fullmatch(written.sha256) is None:
        raise ValueError(f"no SHA-256: {written!r}")
    return written


def write_intended(outdir: Path, entries: Iterable[Written]) -> None:
    """Note what is about to be written, beside the manifest: a change of a large tree is small.

    What a killed export noted stays, until the manifest says what came of it.
    """
    _replace(_intended(outdir), _read(outdir, _intended(outdir)).union(entries))


def write_manifest(outdir: Path, entries: set[Written], read: set[Written]) -> None:
    """Replace the manifest in one step, unless it says just that already, as read at first."""
    manifest, intended = _manifest(outdir), _intended(outdir)
    if entries != read or intended.exists() or not manifest.exists():
        _replace(manifest, entries)
        intended.unlink(missing_ok=True)


def _replace(manifest: Path, entries: Iterable[Written]) -> None:
    # as json.dumps, which takes three times as long
    lines = [f"[{encode_basestring_ascii(path)}, {encode_basestring_ascii(sha256)}]\n" for path, sha256 in entries]
    content = "".join(sorted(lines)).encode()
    partial = manifest.with_suffix(".partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())  # it must not be lost before the files it lists are there
    time = int(hashlib.sha256(content).hexdigest()[:7], 16)  # as with the files: from the content, not the clock
    os.utime(partial, (time, time))
    partial.replace(manifest)


def _manifest(outdir: Path) -> Path:
    return outdir / FOLDER / "manifest.jsonl"


def _intended(outdir: Path) -> Path:
    return outdir / FOLDER / "intended.jsonl"
