"""All that changes files of the tree, one function for each thing, and how changes come to lie on the disk.

OUTDIR's own path is free of links, see `real_path`, and no function here follows one below it: it opens the folder that
a path lies in, from part to part, and acts on a name in that folder. So whoever may write in the tree cannot lead an
export out of it.
"""

import ctypes
import errno
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

# What file systems say that have no hard links, or not for this file.
NO_LINKS = frozenset(
    {errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL, errno.EXDEV}
)
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
NO_SUCH_NAME = frozenset({errno.EINVAL, errno.ENAMETOOLONG, errno.EILSEQ})  # of names that a disk cannot hold
MB = 1_000_000
BLOCK = 65_536  # bytes; a line of a list has far fewer, as a path has
PARTIAL = "partial"
FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
EXISTING_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # nobody need be at the other end of a named pipe


def real_path(folder: Path) -> Path:
    """Follow the links of a folder's path, which are the user's: once, before anything is done in it."""
    return Path(os.path.realpath(folder))  # resolve() raises where links lead in a circle


class LineTooLong(ValueError):  # noqa: N818 - a finding about one file
    """A file is no list of an export: a line of it is longer than any path."""


@contextmanager
def _folder(path: Path | str) -> Iterator[tuple[int, str]]:
    """Open the folder that something lies in; give its descriptor, and the name in it.

    Raises:
        NotADirectoryError: On the way is a link, or a file.
        OSError: The folder is not there, or cannot be entered.
    """
    folder, _, name = str(path).rpartition("/")
    opened = _open(folder)
    try:
        yield opened, name
    except OSError as error:
        raise _at(path, error) from None
    finally:
        os.close(opened)


def _open(folder: str) -> int:
    """Open a folder in one step, which a large tree takes often; so it is only if that is what the kernel calls it."""
    with suppress(OSError):
        opened = os.open(folder, FOLDER)
        if os.readlink(f"/proc/self/fd/{opened}") == folder:  # noqa: PTH115 - a Path takes twice as long
            return opened
        os.close(opened)  # a link led there, or the disk ignores case
    return _walk(folder)


def _walk(folder: str, *, makes: bool = False) -> int:
    """Open a folder from part to part, and make those that are missing if asked to."""
    opened = os.open("/", FOLDER)
    for part in folder.split("/")[1:]:
        try:
            inside = _enter(opened, part, makes=makes)
        except OSError as error:
            raise _at(folder, error) from None
        finally:
            os.close(opened)
        opened = inside
    return opened


def _enter(opened: int, part: str, *, makes: bool) -> int:
    try:
        return os.open(part, FOLDER, dir_fd=opened)
    except FileNotFoundError:
        if not makes:
            raise
    with suppress(FileExistsError):
        os.mkdir(part, dir_fd=opened)
    return os.open(part, FOLDER, dir_fd=opened)


def _at(path: Path | str, error: OSError) -> OSError:
    """Let an error name the whole path, not only a name in a folder."""
    is_named = str(error.filename or "").startswith("/")
    return error if is_named else OSError(error.errno, error.strerror, str(path))


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, where they are not there."""
    os.close(_walk(str(folder), makes=True))


def new_place(folder: Path) -> Path:
    """Name a place for a file while it is being written, one for each, that nobody can foresee."""
    return folder / f"{PARTIAL}-{secrets.token_hex(8)}"


def write(path: Path, blocks: Iterable[bytes], time_s: int, mode: int = 0o666) -> None:
    """Write a new file with a modification time in seconds since 1970; only `sync` brings it to the disk.

    Args:
        path: Where nothing is yet.
        blocks: What it is to hold.
        time_s: The modification time.
        mode: Who may do what with it, as far as the umask lets.
    """
    with _folder(path) as (folder, name), os.fdopen(os.open(name, NEW_FILE, mode, dir_fd=folder), "wb") as file:
        file.writelines(blocks)
        file.flush()
        os.utime(file.fileno(), (time_s, time_s))


def read(path: Path) -> bytes:
    """Read a file of short lines that an export wrote.

    Raises:
        LineTooLong: It holds a line that no export writes; no more of it was read.
        OSError: It is not there, a link, or no regular file.
    """
    with _folder(path) as (folder, name), os.fdopen(os.open(name, EXISTING_FILE, dir_fd=folder), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        return b"".join(_blocks_of_lines(file))


def _blocks_of_lines(file: BinaryIO) -> Iterator[bytes]:
    """Give what a file holds, in blocks; a file without line breaks, which may have any size, takes no memory."""
    while block := file.read(BLOCK):
        if len(block) == BLOCK and b"\n" not in block:
            raise LineTooLong("it has a line that is too long to be of an export")
        yield block


def open_lock(path: Path) -> int:
    """Open a file that is there to be locked, and make it if need be; give its descriptor.

    Only its owner may open it, since whoever can open a file can lock it.

    Raises:
        OSError: A link, another name of some other file, or no regular file is in its place.
    """
    with _folder(path) as (folder, name):
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        opened = os.open(name, flags, 0o600, dir_fd=folder)
        status = os.fstat(opened)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            os.close(opened)
            raise OSError(errno.EINVAL, "it is not the file that an export makes there; remove it")
        if status.st_uid == os.geteuid() and status.st_mode & 0o077:  # earlier versions let others read it
            os.fchmod(opened, 0o600)
        return opened


def is_at(path: Path, opened: int) -> bool:
    """Tell whether a file that is open is still what is found at a path."""
    with suppress(FileNotFoundError), _folder(path) as (folder, name):
        return os.path.samestat(os.stat(name, dir_fd=folder, follow_symlinks=False), os.fstat(opened))
    return False


def replace_durably(path: Path, content: bytes, time_s: int, partial: Path) -> None:
    """Make a small file hold just that, in one step, also if the power goes: it has come to the disk at the end."""
    write(partial, [content], time_s)
    _fsync(partial, EXISTING_FILE)
    rename(partial, path)
    _fsync(path.parent, os.O_DIRECTORY)


def remove_durably(path: Path) -> None:
    """Remove a file so that it does not come back if the power goes."""
    remove(path)
    _fsync(path.parent, os.O_DIRECTORY)


def rename(old: Path, new: Path) -> None:
    """Move a file within the tree, over what is there."""
    with _folder(old) as (old_folder, old_name), _folder(new) as (new_folder, new_name):
        os.rename(old_name, new_name, src_dir_fd=old_folder, dst_dir_fd=new_folder)


def give_second_place(old: Path, new: Path) -> None:
    """Let a file have another place too, or, where the disk has no hard links, instead. No byte is written."""
    make_folder(new.parent)
    remove(new)
    try:
        with _folder(old) as (old_folder, old_name), _folder(new) as (new_folder, new_name):
            os.link(old_name, new_name, src_dir_fd=old_folder, dst_dir_fd=new_folder, follow_symlinks=False)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        rename(old, new)


def link_hard(file: Path, new: Path) -> None:
    """Let a file outside the tree, given by its descriptor's path, have a place in the tree too."""
    with _folder(new) as (folder, name):
        os.link(file, name, dst_dir_fd=folder, follow_symlinks=True)


def link_soft(path: Path, new: Path) -> None:
    """Make a symbolic link."""
    with _folder(new) as (folder, name):
        os.symlink(path, name, dir_fd=folder)


def date(path: Path, time_s: int) -> None:
    """Give a file another modification time, seconds since 1970."""
    with _folder(path) as (folder, name):
        os.utime(name, (time_s, time_s), dir_fd=folder, follow_symlinks=False)


def remove(path: Path) -> None:
    """Remove a file if it is there; a folder that somebody put in its place stays, and what is behind a link."""
    with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError), _folder(path) as (folder, name):
        os.unlink(name, dir_fd=folder)


def remove_if_empty(folder: Path) -> None:
    """Remove a folder that holds nothing any more."""
    with suppress(OSError), _folder(folder) as (above, name):
        os.rmdir(name, dir_fd=above)


def sync(folder: Path) -> None:
    """Wait until all that was written to a folder's file system is on the disk: one call for however many files.

    Raises:
        OSError: Something could not be written.
    """
    with _opened(folder, os.O_DIRECTORY) as opened:
        _syncfs(opened)


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    with _folder(path) as (folder, name):
        opened = os.open(name, flags | os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder)
        try:
            yield opened
        finally:
            os.close(opened)


def _syncfs(opened: int) -> None:
    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:
        os.sync()
    elif syncfs(opened) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _fsync(path: Path, flags: int) -> None:
    with _opened(path, flags) as opened:
        os.fsync(opened)


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
