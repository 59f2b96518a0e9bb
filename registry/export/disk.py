"""All that changes files of the tree, one function for each thing, and how changes come to lie on the disk."""

import ctypes
import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

# What file systems say that have no hard links, or not for this file.
NO_LINKS = frozenset(
    {errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL, errno.EXDEV}
)
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
NO_SUCH_NAME = frozenset({errno.EINVAL, errno.ENAMETOOLONG, errno.EILSEQ})  # of names that a disk cannot hold
MB = 1_000_000


def write(path: Path, blocks: Iterable[bytes], time_s: int) -> None:
    """Write a file with a modification time in seconds since 1970; only `sync` brings it to the disk."""
    with path.open("wb") as file:
        for block in blocks:
            file.write(block)
    os.utime(path, (time_s, time_s))


def replace_durably(path: Path, content: bytes, time_s: int, partial: Path) -> None:
    """Make a small file hold just that, in one step, also if the power goes: it has come to the disk at the end."""
    write(partial, [content], time_s)
    _fsync(partial)
    rename(partial, path)
    _fsync(path.parent)


def remove_durably(path: Path) -> None:
    """Remove a file so that it does not come back if the power goes."""
    remove(path)
    _fsync(path.parent)


def rename(old: Path, new: Path) -> None:
    """Move a file within the tree, over what is there."""
    old.replace(new)


def give_second_place(old: Path, new: Path) -> None:
    """Let a file have another place too, or, where the disk has no hard links, instead. No byte is written."""
    new.parent.mkdir(parents=True, exist_ok=True)
    remove(new)
    try:
        os.link(old, new, follow_symlinks=False)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        rename(old, new)


def date(path: Path, time_s: int) -> None:
    """Give a file another modification time, seconds since 1970."""
    os.utime(path, (time_s, time_s))


def remove(path: Path) -> None:
    """Remove a file if it is there; a folder that somebody put in its place stays."""
    with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
        path.unlink()


def remove_if_empty(folder: Path) -> None:
    """Remove a folder that holds nothing any more."""
    with suppress(OSError):
        folder.rmdir()


def sync(folder: Path) -> None:
    """Wait until all that was written to a folder's file system is on the disk: one call for however many files.

    Raises:
        OSError: Something could not be written.
    """
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _syncfs(opened)
    finally:
        os.close(opened)


def _syncfs(opened: int) -> None:
    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:
        os.sync()
    elif syncfs(opened) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _fsync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def free_mb(folder: Path) -> int:
    """Tell how much may still be written to a folder's disk."""
    status = os.statvfs(_there(folder))
    return status.f_bavail * status.f_frsize // MB


def ignores_case(folder: Path) -> bool:
    """Tell whether a folder's disk takes names for one that differ in case only, by asking for one that is there.

    What lies in the folder is asked for, since the folder itself may be where another disk is mounted.
    """
    there = _there(folder)
    try:
        with os.scandir(there) as entries:
            name = next(
                (entry.name for entry in entries if entry.name.isascii() and entry.name.upper() != entry.name), None
            )
        return name is not None and (there / name.upper()).samefile(there / name)
    except OSError:
        return False


def _there(folder: Path) -> Path:
    """Give the folder, or the nearest one above that is there."""
    return next(one for one in (folder, *folder.parents) if one.is_dir())
