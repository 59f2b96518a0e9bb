"""Single files of the tree: is it there as it should be, put it there, keep what only the tree still has."""

import datetime as dt
import hashlib
import os
import shutil
import stat
from pathlib import Path
from typing import Literal

from registry.core.export_plan import PlannedFile, Source
from registry.export.manifest import FOLDER

LinkMode = Literal["copy", "hardlink", "symlink"]
DAY_S = 86_400


class SourceLost(Exception):  # noqa: N818 - a finding about one file, caught by the run
    """The source of a file is gone, or is not what was taken in."""


def as_it_should_be(outdir: Path, file: PlannedFile, mode: LinkMode) -> bool | None:
    """Look at a planned file: True if it is right, False if not, None if nothing is there."""
    target = outdir / file.path
    try:
        status = target.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if mode == "symlink":
        return stat.S_ISLNK(status.st_mode) and str(target.readlink()) == file.source.path and target.exists()
    if not stat.S_ISREG(status.st_mode) or status.st_size != file.source.size:
        return False
    if mode == "hardlink":
        return _is_link_to(file, status)
    return int(status.st_mtime) == stamp(file)


def _is_link_to(file: PlannedFile, status: os.stat_result) -> bool:
    """Tell whether an exported file is its source; where that is gone, the link or a kept copy is right."""
    try:
        source = Path(file.source.path).stat()
    except OSError:
        return status.st_mtime_ns == file.source.mtime_ns or int(status.st_mtime) == stamp(file)
    return os.path.samestat(source, status) and not _looks_changed(file.source, status)


def stamp(file: PlannedFile) -> int:
    """Give a copy's modification time, seconds since 1970: a moment of its night, taken from its content.

    The same state gives the same times, so a look at size and time tells whether a file is right, and tools
    such as rsync and make see a file whose content changed under an unchanged name.
    """
    night = dt.datetime.combine(file.group.date, dt.time(), tzinfo=dt.UTC)
    return int(night.timestamp()) + int(file.source.sha256[:8], 16) % DAY_S


def put(outdir: Path, file: PlannedFile, mode: LinkMode) -> None:
    """Write one file of the tree, in one step as others see it.

    Raises:
        SourceLost: The source is gone or changed, and the tree has no other copy.
        OSError: The tree cannot be written.
    """
    target = outdir / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = outdir / FOLDER / "partial"
    partial.unlink(missing_ok=True)
    kept = kept_copy(outdir, file.source.sha256)
    source = kept if kept.exists() else Path(file.source.path)
    if mode == "copy" or source == kept:
        _copy(source, partial, file)
    else:
        _link(file.source, partial, mode)
    partial.replace(target)


def _copy(source: Path, partial: Path, file: PlannedFile) -> None:
    digest = hashlib.sha256()
    try:
        reading = source.open("rb")
    except OSError as error:
        raise SourceLost(f"{error.strerror}: {source}") from error
    with reading, partial.open("wb") as writing:
        while block := reading.read(1 << 20):
            digest.update(block)
            writing.write(block)
    if digest.hexdigest() != file.source.sha256:
        raise SourceLost(f"changed since it was ingested: {source}")
    os.utime(partial, (stamp(file), stamp(file)))


def _link(source: Source, partial: Path, mode: LinkMode) -> None:
    path = Path(source.path)
    try:
        status = path.stat()
        with path.open("rb") as file:
            changed = _looks_changed(source, status) and _sha256(file) != source.sha256
    except OSError as error:
        raise SourceLost(f"{error.strerror}: {path}") from error
    if changed:
        raise SourceLost(f"changed since it was ingested: {path}")
    if mode == "hardlink":
        partial.hardlink_to(path)
    else:
        partial.symlink_to(path)


def _looks_changed(source: Source, status: os.stat_result) -> bool:
    return (status.st_size, status.st_mtime_ns) != (source.size, source.mtime_ns)


def _sha256(file: object) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def kept_copy(outdir: Path, sha256: str) -> Path:
    """Name the place for bytes that only the tree still has, while the tree is being changed."""
    return outdir / FOLDER / "kept" / sha256


def keep(outdir: Path, path: str, sha256: str) -> bool:
    """Keep the bytes of an exported file whose source is lost, if they are what the manifest says."""
    exported, kept = outdir / path, kept_copy(outdir, sha256)
    try:
        with exported.open("rb") as file:
            if _sha256(file) != sha256:
                return False
    except OSError:
        return False
    kept.parent.mkdir(exist_ok=True)
    kept.unlink(missing_ok=True)
    shutil.copyfile(exported, kept)
    return True


def is_available(source: Source) -> bool:
    """Tell whether a source can be opened and looks as it did when it was taken in."""
    path = Path(source.path)
    try:
        return os.access(path, os.R_OK) and not _looks_changed(source, path.stat())
    except OSError:
        return False


def remove_other_clip(target: Path, known_bytes: set[str]) -> None:
    """Remove an exported file that holds another clip's bytes: better none than the wrong voice."""
    try:
        with target.open("rb") as file:
            is_other = _sha256(file) in known_bytes
    except OSError:
        return
    if is_other:
        target.unlink()
