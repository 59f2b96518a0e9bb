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

from registry.errors import OutputRefused

FOLDER = ".registry"  # at the top of an exported tree
# A damaged record must not lead to files outside the tree: only places that an export can have written are read.
PLACE = re.compile(
    r"(?P<night>(?P<broadcaster>[^/]+)(?P<date>[0-9]{8}))/(?P=night)-(?P<label>[FM][0-9]{4,})"
    r"/(?P=night)(?P=label)_[0-9]{6,}\.(wav|txt)"
)
SHA256 = re.compile("[0-9a-f]{64}")


class Written(NamedTuple):
    """A file that an export wrote or was about to write."""

    path: str  # below the top of the tree
    sha256: str  # hex


def night_of(path: str) -> tuple[str, dt.date]:
    """Tell the broadcaster and the night of a place in the tree.

    Raises:
        ValueError: It is no place in the tree.
    """
    place = PLACE.fullmatch(path)
    if place is None:
        raise ValueError(f"no place in the tree: {path!r}")
    return place["broadcaster"], _date(place["date"])


@cache  # a tree has many files of one night
def _date(digits: str) -> dt.date:
    return dt.date.fromisoformat(digits)


def read_manifest(outdir: Path) -> set[Written]:
    """Read what earlier exports wrote here; after a kill it may list a path twice, as it was and as planned.

    Raises:
        OutputRefused: It does not hold what an export writes.
    """
    manifest = _manifest(outdir)
    try:
        return {_parse(line) for line in manifest.read_text(encoding="utf-8").splitlines()}
    except FileNotFoundError:
        return set()
    except ValueError as error:
        raise OutputRefused(path=outdir, cause=f"its record of earlier exports, {manifest}, is damaged") from error


def _parse(line: str) -> Written:
    entry = json.loads(line)
    if not isinstance(entry, list) or [type(field) for field in entry] != [str, str]:
        raise ValueError(f"no entry of a manifest: {line!r}")
    written = Written(*entry)
    night_of(written.path)
    if SHA256.fullmatch(written.sha256) is None:
        raise ValueError(f"no SHA-256: {line!r}")
    return written


def write_manifest(outdir: Path, entries: Iterable[Written]) -> None:
    """Replace the manifest in one step, unless it says just that already."""
    lines = (
        f"[{encode_basestring_ascii(path)}, {encode_basestring_ascii(sha256)}]\n" for path, sha256 in sorted(entries)
    )
    content = "".join(lines).encode()  # as json.dumps, which takes three times as long
    manifest = _manifest(outdir)
    if manifest.exists() and manifest.read_bytes() == content:
        return
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
