"""Single files of the tree: is it there as it should be, and put it there."""

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Literal

from registry.core.export_plan import PlannedFile, Source
from registry.export import disk
from registry.export.manifest import FOLDER
from registry.export.times import moment_of
from registry.remote import AnyPath, at_hand, is_remote
from registry.trust import stored_path

LinkMode = Literal["copy", "hardlink", "symlink"]
PARTIAL = "partial"


class SourceLost(Exception):  # noqa: N818 - a finding about one file, caught by the run
    """The source of a file is gone, or is not what was taken in."""


def as_it_should_be(outdir: Path, file: PlannedFile, mode: LinkMode) -> bool | None:
    """Look at a planned file: True if it is right, False if not, None if nothing is there."""
    return is_right(f"{outdir}/{file.path}", file, mode)  # no Path: of a large tree every file is looked at


def is_right(target: str, file: PlannedFile, mode: LinkMode) -> bool | None:
    """Tell whether what is at some place is what a planned file should be; None if nothing is there."""
    try:
        status = os.lstat(target)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno in disk.NO_SUCH_NAME:
            return None
        raise
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
    return status if status.st_mtime_ns == source.mtime_ns or holds(stored_path(source.path), source.sha256) else None


def _status_if_readable(address: str) -> os.stat_result | None:
    if is_remote(address):
        return stored_path(address).stat()
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
    """Give a copy's modification time, seconds since 1970: a moment of its night, taken from its content."""
    return moment_of(file.group.date, file.source.sha256)


def put(outdir: Path, file: PlannedFile, mode: LinkMode) -> None:
    """Put one file of the tree in its place, in one step as others see it.

    Raises:
        SourceLost: The source is gone or changed, and the tree has no other copy.
        OSError: The tree cannot be written.
    """
    target, ready = outdir / file.path, staged_file(outdir, file)
    if not os.path.lexists(ready):
        ready = partial_file(outdir, file.path)
        disk.remove(ready)
        _make(ready, file, _mode_of(file.source, mode))
    target.parent.mkdir(parents=True, exist_ok=True)
    disk.rename(ready, target)


def _make(partial: Path, file: PlannedFile, mode: LinkMode) -> None:
    if file.source.content is not None:
        disk.write(partial, [file.source.content], stamp(file))
    elif mode == "copy":
        copy(stored_path(file.source.path), partial, file)
    else:
        _link(file.source, partial, mode)


def copy(source: AnyPath, partial: Path, file: PlannedFile) -> None:
    """Copy a file's bytes from some place, and see that they are those.

    Raises:
        SourceLost: They are not, or cannot be read.
        OSError: They cannot be written.
    """
    digest = hashlib.sha256()
    disk.write(partial, _hashed(source, digest), stamp(file))
    if digest.hexdigest() != file.source.sha256:
        disk.remove(partial)
        raise SourceLost(f"changed since it was ingested: {source}")


def _hashed(source: AnyPath, digest: "hashlib._Hash") -> Iterator[bytes]:
    for block in _blocks(source):
        digest.update(block)
        yield block


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
    return outdir / FOLDER / f"{PARTIAL}{_tag(path)}"


def staged_file(outdir: Path, file: PlannedFile) -> Path:
    """Name the place of bytes that the tree has already, while they wait for their own: SHA-256, then whose they are.

    A killed export leaves them there, and the hash tells what they are.
    """
    return outdir / FOLDER / "kept" / f"{file.source.sha256}-{_tag(file.path)}"


def _tag(path: str) -> str:
    return hashlib.sha256(path.encode()).hexdigest()[:16]


def holds(path: AnyPath, sha256: str) -> bool:
    """Tell whether a file holds the bytes of a hash; one that cannot be read does not."""
    return sha256_of(path) == sha256


def sha256_of(path: AnyPath) -> str | None:
    """Hash a file's bytes, in hex; None if it cannot be read."""
    try:
        with at_hand(path) as local, _opened(local) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def is_regular(path: Path) -> bool:
    """Tell a file that holds bytes from links, folders, and nothing."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False
