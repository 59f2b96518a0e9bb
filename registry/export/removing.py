"""Take away what the tree holds no longer, and what was only there while it changed."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from registry.export import files
from registry.export.manifest import FOLDER


def remove(outdir: Path, paths: Iterable[str]) -> int:
    """Remove files and count them; a folder that somebody put in the place of one stays."""
    removed = 0
    for path in paths:
        with suppress(IsADirectoryError):
            (outdir / path).unlink(missing_ok=True)
            removed += 1
    return removed


def remove_empty_folders(outdir: Path, paths: Iterable[str]) -> None:
    """Remove the folders of some files that hold nothing any more."""
    folders = {folder for path in paths for folder in list((outdir / path).parents)[:2]}
    for folder in sorted(folders, reverse=True):  # a folder after what is in it
        with suppress(OSError):
            folder.rmdir()


def remove_kept(outdir: Path, waited_for: set[str]) -> None:
    """Remove the bytes set aside while the tree was changed, but those that an export of other groups waits for."""
    kept = outdir / FOLDER / "kept"
    if kept.is_dir():
        for path in kept.iterdir():
            if path.name not in waited_for:
                path.unlink()
        with suppress(OSError):  # not empty: an export of other groups was killed, its next run needs the rest
            kept.rmdir()
    files.remove_partial(outdir)
