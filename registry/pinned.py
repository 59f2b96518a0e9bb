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


class LinkOut(OSError):  # noqa: N818 - a finding about one file
    """A file is a link that leads out of the folder it lies in, where anybody may have put it."""


@contextmanager
def pinned(path: Path, *, may_lead_out: bool = False) -> Iterator[Path]:
    """Give a regular file another path, which leads to that file as long as this lasts.

    Args:
        path: The file. Its folder may be a link.
        may_lead_out: A link may lead to any folder: the path is what a user said, not what was found.

    Raises:
        NotRegular: It is no regular file.
        LinkOut: It leads out of its folder.
        OSError: It is not there.
    """
    with _opened(path, path.parent, os.O_DIRECTORY) as folder, _opened(path, path.name, folder=folder) as file:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise NotRegular(errno.EINVAL, "it is no regular file", str(path))
        if not may_lead_out and not _place(file).is_relative_to(_place(folder)):
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
