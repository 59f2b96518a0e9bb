"""A file that stays the same one while it is read, whatever becomes of its name.

It is looked at before it is opened: opening a named pipe waits for a writer that may never come, and opening a device
may set it off.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NotRegular(OSError):  # noqa: N818 - a finding about one file
    """A folder, a named pipe, a device: nothing that holds bytes."""

    remedy = "put the file itself there"


class LinkOut(OSError):  # noqa: N818 - a finding about one file
    """A file is a link that leads out of the folder it lies in, where anybody may have put it."""

    remedy = "put the file itself there, or link the whole folder of the group"


def remedy_of(error: OSError) -> str:
    """Say what a person can do about a file that cannot be read."""
    return error.remedy if isinstance(error, NotRegular | LinkOut) else "make the file readable"


def look(path: Path | str) -> os.stat_result:
    """Give the status of a file that `pinned` would give, which is asked for at once where it is no link.

    Raises:
        NotRegular, LinkOut, OSError: As `pinned` does.
    """
    status = os.lstat(path)
    if stat.S_ISREG(status.st_mode):
        return status
    with pinned(Path(path)) as file:
        return file.stat()


@contextmanager
def pinned(path: Path, *, is_named_by_user: bool = False) -> Iterator[Path]:
    """Give a regular file another path, which leads to that file as long as this lasts.

    Args:
        path: The file. Its folder may be a link.
        is_named_by_user: It was not found in a folder; so a link may lead anywhere.

    Raises:
        NotRegular: It is no regular file.
        LinkOut: It leads out of its folder.
        OSError: It is not there.
    """
    with _opened(path, path.parent, os.O_DIRECTORY) as folder, _opened(path, path.name, folder=folder) as file:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise NotRegular(errno.EINVAL, "it is no regular file", str(path))
        if not is_named_by_user and not _place(file).is_relative_to(_place(folder)):
            raise LinkOut(errno.ELOOP, "it is a link that leads out of its folder", str(path))
        yield Path(f"/proc/self/fd/{file}")


@contextmanager
def _opened(said: Path, part: Path | str, flags: int = 0, *, folder: int | None = None) -> Iterator[int]:
    """Open a part of a path only to tell which thing it is: that neither waits nor sets anything off."""
    try:
        opened = os.open(part, os.O_PATH | flags, dir_fd=folder)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(said)) from None
    try:
        yield opened
    finally:
        os.close(opened)


def _place(opened: int) -> Path:
    return Path(f"/proc/self/fd/{opened}").readlink()
