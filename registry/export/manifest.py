"""The exporter's own record of what it wrote, kept inside the tree so that it goes where the tree goes."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FOLDER = ".registry"  # at the top of an exported tree


@dataclass(frozen=True, order=True)
class Written:
    """A file that an export wrote or was about to write."""

    path: str  # below the top of the tree
    sha256: str  # hex


def read_manifest(outdir: Path) -> set[Written]:
    """Read what earlier exports wrote here; after a kill it may list a path twice, as it was and as planned."""
    try:
        lines = _manifest(outdir).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return set()
    return {Written(*json.loads(line)) for line in lines}


def write_manifest(outdir: Path, entries: Iterable[Written]) -> None:
    """Replace the manifest in one step, unless it says just that already."""
    content = "".join(json.dumps([entry.path, entry.sha256]) + "\n" for entry in sorted(entries))
    manifest = _manifest(outdir)
    if manifest.exists() and manifest.read_text(encoding="utf-8") == content:
        return
    manifest.parent.mkdir(exist_ok=True)
    partial = manifest.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())  # it must not be lost before the files it lists are there
    partial.replace(manifest)


def _manifest(outdir: Path) -> Path:
    return outdir / FOLDER / "manifest.jsonl"
