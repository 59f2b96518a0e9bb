"""Single files of the tree: is it there as it should be, and put it there."""

import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Literal

from registry.core.export_plan import PlannedFile, Source
from registry.export import disk
from registry.export.manifest import FOLDER
from registry.export.times import moment_of
from registry.files.pinned import look
from registry.input.remote import AnyPath, at_hand, is_remote
from registry.input.trust import stored_path

LinkMode = Literal["copy", "hardlink", "symlink"]
# Rights of a new file, of which the umask takes some away.
READ_AND_WRITE = 0o006
PRIVATE = 0o600
PUBLIC = 0o666


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
    status = look(address)
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
        ready = disk.new_place(outdir / FOLDER)
        _make(ready, file, _mode_of(file.source, mode))
    try:
        disk.rename(ready, target)
    except FileNotFoundError:
        disk.make_folder(target.parent)
        disk.rename(ready, target)


def _make(partial: Path, file: PlannedFile, mode: LinkMode) -> None:
    if file.source.content is not None:
        disk.write(partial, [file.source.content], stamp(file), _rights_now(file.source.path, partial.parent))
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
    with _opened(source) as reading:
        rights = PUBLIC if is_remote(str(source)) else rights_like(os.fstat(reading.fileno()), partial.parent)
        disk.write(partial, _hashed(_blocks(reading, source, file.source.size), digest), stamp(file), rights)
    if digest.hexdigest() != file.source.sha256:
        disk.remove(partial)
        raise SourceLost(f"changed since it was ingested: {source}")


def _rights_now(address: str, folder: Path) -> int:
    """Tell who may read a transcript that comes from the database: who may read its file, and else its owner alone."""
    if is_remote(address):
        return PUBLIC
    try:
        status = os.lstat(address)
    except OSError:
        return PRIVATE
    return rights_like(status, folder) if stat.S_ISREG(status.st_mode) else PRIVATE


def rights_like(source: os.stat_result, folder: Path) -> int:
    """Give the rights of a copy in some folder, which nobody may read who may not read its source."""
    rights = PRIVATE | (source.st_mode & stat.S_IROTH and READ_AND_WRITE)
    if source.st_mode & stat.S_IRGRP and (rights != PRIVATE or _has_group(folder.stat(), source.st_gid)):
        rights |= READ_AND_WRITE << 3
    return rights


def _has_group(folder: os.stat_result, group_id: int) -> bool:
    """Tell whether a new file in a folder is of a group for certain."""
    return folder.st_gid == group_id and (bool(folder.st_mode & stat.S_ISGID) or os.getegid() == group_id)


def _hashed(blocks: Iterable[bytes], digest: "hashlib._Hash") -> Iterator[bytes]:
    for block in blocks:
        digest.update(block)
        yield block


@contextmanager
def _opened(source: AnyPath) -> Iterator[BufferedReader]:
    """Open a source; what goes wrong with it must be told from what goes wrong with the tree."""
    with ExitStack() as stack:
        try:
            reading = stack.enter_context(stack.enter_context(at_hand(source)).open("rb"))
        except OSError as error:
            raise SourceLost(f"{error.strerror}: {source}") from error
        yield reading


def _blocks(reading: BufferedReader, source: AnyPath, size: int) -> Iterator[bytes]:
    """Read a source, and of one that grew not more than shows that it did."""
    left = size + 1
    try:
        while left > 0 and (block := reading.read(min(left, 1 << 20))):
            left -= len(block)
            yield block
    except OSError as error:
        raise SourceLost(f"{error.strerror}: {source}") from error


def _link(source: Source, partial: Path, mode: LinkMode) -> None:
    path = Path(source.path)
    if not is_available(source):
        with _opened(path):  # raises what is wrong with it, if it cannot even be opened
            pass
        raise SourceLost(f"changed since it was ingested: {path}")
    if mode == "symlink":
        disk.link_soft(path, partial)
        return
    try:
        with _opened(path) as reading:
            disk.link_hard(Path(f"/proc/self/fd/{reading.fileno()}"), partial)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        message = "a hard link cannot lead to another file system, use --link copy or symlink"
        raise OSError(errno.EXDEV, message, str(path)) from error


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
        with at_hand(path) as local, local.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def is_regular(path: Path) -> bool:
    """Tell a file that holds bytes from links, folders, and nothing."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False
