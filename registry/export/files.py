"""Single files of the tree: is it there as it should be, put it there, keep what only the tree still has."""

import datetime as dt
import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from functools import cache
from io import BufferedReader
from pathlib import Path
from typing import Literal

from registry.core.export_plan import PlannedFile, Source
from registry.export.manifest import FOLDER
from registry.remote import AnyPath, RemotePath, at_hand, is_remote, to_path

LinkMode = Literal["copy", "hardlink", "symlink"]
PARTIAL = "partial"
DAY_S = 86_400
LATEST = 2**31 - DAY_S - 1  # seconds since 1970: the last full day of file systems that count in 32 bits


class SourceLost(Exception):  # noqa: N818 - a finding about one file, caught by the run
    """The source of a file is gone, or is not what was taken in."""


def as_it_should_be(outdir: Path, file: PlannedFile, mode: LinkMode) -> bool | None:
    """Look at a planned file: True if it is right, False if not, None if nothing is there."""
    target = f"{outdir}/{file.path}"  # no Path, here and below: of a large tree every file is looked at
    try:
        status = os.lstat(target)
    except (FileNotFoundError, NotADirectoryError):
        return None
    mode = _mode_of(file.source, mode)
    if mode == "hardlink" and _is_link_to_source(file.source, status):
        return True
    source = None if mode == "copy" else _status_if_as_taken_in(file.source)
    if source is None:
        return _is_copy(file, status, mode)
    if mode == "symlink":
        return stat.S_ISLNK(status.st_mode) and os.readlink(target) == file.source.path  # noqa: PTH115
    return os.path.samestat(source, status)


def _mode_of(source: Source, asked: LinkMode) -> LinkMode:
    """Tell how a file gets into the tree: no link leads to a URL."""
    return "copy" if asked != "copy" and is_remote(source.path) else asked


def _is_copy(file: PlannedFile, status: os.stat_result, mode: LinkMode) -> bool:
    if not stat.S_ISREG(status.st_mode) or status.st_size != file.source.size:
        return False
    is_last_link = mode == "hardlink" and status.st_mtime_ns == file.source.mtime_ns
    return is_last_link or int(status.st_mtime) == stamp(file)


def _status_if_as_taken_in(source: Source) -> os.stat_result | None:
    if source.content is not None:
        return None
    try:
        status = _status_if_readable(source.path)
    except OSError:
        return None
    if status is None or status.st_size != source.size:
        return None
    return status if status.st_mtime_ns == source.mtime_ns or _holds(to_path(source.path), {source.sha256}) else None


def _status_if_readable(address: str) -> os.stat_result | None:
    if is_remote(address):
        return RemotePath(address).stat()
    status = os.stat(address)  # noqa: PTH116
    return status if os.access(address, os.R_OK) else None


def _is_link_to_source(source: Source, status: os.stat_result) -> bool:
    """Tell whether a file is a hard link to its source as it was taken in, with one look at it."""
    try:
        there = os.stat(source.path)  # noqa: PTH116
    except OSError:
        return False
    is_as_taken_in = (there.st_size, there.st_mtime_ns) == (source.size, source.mtime_ns)
    return source.content is None and is_as_taken_in and os.path.samestat(there, status)


def is_available(source: Source) -> bool:
    """Tell whether a source can be opened and is what was taken in; it is read only if its time differs."""
    return source.content is not None or _status_if_as_taken_in(source) is not None


def stamp(file: PlannedFile) -> int:
    """Give a copy's modification time, seconds since 1970: a moment of its night, taken from its content.

    The same state gives the same times, so a look at size and time tells whether a file is right, and tools
    such as rsync and make see a file whose content changed under an unchanged name.
    """
    # FAT counts in steps of two seconds.
    return _day_s(file.group.date) + int(file.source.sha256[:8], 16) % (DAY_S // 2) * 2


@cache  # a tree has many files of one night
def _day_s(night: dt.date) -> int:
    begin = dt.datetime.combine(night, dt.time(), tzinfo=dt.UTC)
    return min(max(int(begin.timestamp()), 0), LATEST)


def put(outdir: Path, file: PlannedFile, mode: LinkMode) -> None:
    """Write one file of the tree, in one step as others see it.

    Raises:
        SourceLost: The source is gone or changed, and the tree has no other copy.
        OSError: The tree cannot be written.
    """
    target = outdir / file.path
    mode = _mode_of(file.source, mode)
    partial = partial_file(outdir, file.path)
    partial.unlink(missing_ok=True)
    kept = kept_copy(outdir, file.source.sha256)
    if file.source.content is not None:
        partial.write_bytes(file.source.content)
        os.utime(partial, (stamp(file), stamp(file)))
    elif kept.exists() and not is_available(file.source):
        _copy(kept, partial, file)
    elif mode == "copy":
        _copy(to_path(file.source.path), partial, file)
    else:
        _link(file.source, partial, mode)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial.replace(target)


def _copy(source: AnyPath, partial: Path, file: PlannedFile) -> None:
    digest = hashlib.sha256()
    with partial.open("wb") as writing:
        for block in _blocks(source):
            digest.update(block)
            writing.write(block)
    if digest.hexdigest() != file.source.sha256:
        raise SourceLost(f"changed since it was ingested: {source}")
    os.utime(partial, (stamp(file), stamp(file)))


def _blocks(source: AnyPath) -> Iterator[bytes]:
    """Read a source; what goes wrong with it must be told from what goes wrong with the tree."""
    try:
        with at_hand(source) as local, _opened(local) as reading:
            while block := reading.read(1 << 20):
                yield block
    except OSError as error:
        raise SourceLost(f"{error.strerror}: {source}") from error


def _link(source: Source, partial: Path, mode: LinkMode) -> None:
    path = Path(source.path)
    if not is_available(source):
        next(_blocks(path), None)  # raises what is wrong with it, if it cannot even be opened
        raise SourceLost(f"changed since it was ingested: {path}")
    if mode == "symlink":
        partial.symlink_to(path)
        return
    try:
        partial.hardlink_to(path.resolve())  # a hard link to a symbolic link would be one, too
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        message = "a hard link cannot lead to another file system, use --link copy or symlink"
        raise OSError(errno.EXDEV, message, str(path)) from error


def _opened(path: Path) -> BufferedReader:
    """Open a file, and nothing else: opening a named pipe waits for a writer that may never come."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return path.open("rb")


def partial_file(outdir: Path, path: str = "") -> Path:
    """Name the place of a file while it is being written, one for each as several may be at once."""
    return outdir / FOLDER / f"{PARTIAL}{hashlib.sha256(path.encode()).hexdigest()[:16]}"


def remove_partial(outdir: Path) -> None:
    """Remove what a killed or failed export was writing."""
    for partial in (outdir / FOLDER).glob(f"{PARTIAL}*"):
        partial.unlink(missing_ok=True)


def kept_copy(outdir: Path, sha256: str) -> Path:
    """Name the place for bytes that only the tree still has, while the tree is being changed."""
    return outdir / FOLDER / "kept" / sha256


def keep(outdir: Path, path: str, sha256: str) -> bool:
    """Keep the bytes of an exported file whose source is lost, if they are what the manifest says."""
    exported, kept, partial = outdir / path, kept_copy(outdir, sha256), partial_file(outdir)
    if not _holds(exported, {sha256}):
        return False
    kept.parent.mkdir(exist_ok=True)
    partial.unlink(missing_ok=True)
    shutil.copyfile(exported, partial)
    partial.replace(kept)
    return True


def _holds(path: AnyPath, hashes: set[str]) -> bool:
    try:
        with at_hand(path) as local, _opened(local) as file:
            return hashlib.file_digest(file, "sha256").hexdigest() in hashes
    except OSError:
        return False


def remove_wrong(target: Path, source: Source, known_bytes: set[str]) -> None:
    """Remove an exported file that links to what is lost or holds another clip: better none than the wrong voice."""
    if _is_link_to(target, source) or _holds(target, known_bytes - {source.sha256}):
        target.unlink(missing_ok=True)


def _is_link_to(target: Path, source: Source) -> bool:
    try:
        return target.is_symlink() or target.samefile(source.path)
    except OSError:
        return False
