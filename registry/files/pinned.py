"""A file that stays the same one while it is read, whatever becomes of its name.

It is looked at before it is opened: opening a named pipe waits for a writer that may never come, and opening a device
may set it off.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from registry.files.ownership import may_lead

MOST_LINKS = 40  # on a way, as the kernel counts


class NotRegular(OSError):  # noqa: N818 - a finding about one file
    """A folder, a named pipe, a device: nothing that holds bytes."""

    remedy = "put the file itself there"


class LinkOut(OSError):  # noqa: N818 - a finding about one file
    """A file is a link that leads out of the folder it lies in, where anybody may have put it."""

    remedy = "put the file itself there, or link the whole folder of the group"


class ForeignLink(LinkOut):
    """Somebody else has put a link to a folder not theirs on the way, after it was looked at say."""

    remedy = "look where it leads, then make it yours with chown -h"


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
        LinkOut: It leads out of its folder, or its folder is reached by a link of somebody else's.
        OSError: It is not there.
    """
    with _folder(path, is_named_by_user) as folder, _opened(path, path.name, folder=folder) as file:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise NotRegular(errno.EINVAL, "it is no regular file", str(path))
        if not is_named_by_user and not _place(file).is_relative_to(_place(folder)):
            raise LinkOut(errno.ELOOP, "it is a link that leads out of its folder", str(path))
        yield Path(f"/proc/self/fd/{file}")


@contextmanager
def _folder(path: Path, is_named_by_user: bool) -> Iterator[int]:
    """Open the folder of a file, by links of whom we trust only; its path is most often without any."""
    with _opened(path, path.parent, os.O_DIRECTORY) as folder:
        if is_named_by_user or _place(folder) == path.parent:
            yield folder
            return
    followed = _followed(path)
    try:
        yield followed
    finally:
        os.close(followed)


def _followed(path: Path) -> int:
    """Open the folder of a file from part to part, by links that `may_lead` there.

    Each link is opened itself, so that none can take its place between the look at its owner and where it leads.
    """
    owners: list[int] = []
    opened, parts = os.open("/", os.O_PATH), list(reversed(path.parent.absolute().parts[1:]))
    try:
        while parts and len(owners) <= MOST_LINKS:
            inside, owner, leads_to = _entered(opened, parts.pop())
            owners += [] if owner is None else [owner]
            parts += reversed(leads_to)
            os.close(opened)
            opened = inside
        _judge(owners, opened)
    except OSError as error:
        os.close(opened)
        error.filename = str(path)
        raise
    return opened


def _entered(opened: int, part: str) -> tuple[int, int | None, Sequence[str]]:
    """Open a part of a way in a folder; of a link give the folder that it leads on from, its owner, and its parts."""
    inside = os.open(part, os.O_PATH | os.O_NOFOLLOW, dir_fd=opened)
    status = os.fstat(inside)
    if not stat.S_ISLNK(status.st_mode):
        return inside, None, ()
    target = Path(os.fsdecode(os.readlink(b"", dir_fd=inside)))
    os.close(inside)
    if target.is_absolute():
        return os.open("/", os.O_PATH), status.st_uid, target.parts[1:]
    return os.dup(opened), status.st_uid, target.parts


def _judge(owners: Sequence[int], folder: int) -> None:
    if len(owners) > MOST_LINKS:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if not all(may_lead(owner, os.fstat(folder).st_uid) for owner in owners):
        raise ForeignLink(errno.ELOOP, "its folder is a link made by somebody else")


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
