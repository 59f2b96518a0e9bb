"""Files of this user alone: made anew under another name and put in place, never written through a link."""

import errno
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from registry.files.ownership import WRITABLE_BY_OTHERS


def write(path: Path, content: bytes) -> None:
    """Write a file that only this user may read, all of it or nothing, also if the power goes.

    Raises:
        FileExistsError: There is a link, a device or a folder of that name, which is left alone.
        OSError: It cannot be written.
    """
    _refuse_what_is_no_file(path)
    descriptor, part = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)  # 0600, and new for sure
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(part).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(part).unlink()
        raise


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes that ask for the same waiting, so that none changes what another has just read there."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):  # some network file systems lock no folder
            fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def is_ours_alone(path: Path, kind: int = stat.S_IFREG) -> bool:
    """Tell whether a file, or what else `kind` of `stat` names, is this user's, no link, and written by nobody else."""
    try:
        found = path.lstat()
    except OSError:
        return False
    is_of_us_alone = found.st_uid == os.geteuid() and not found.st_mode & WRITABLE_BY_OTHERS
    return stat.S_IFMT(found.st_mode) == kind and is_of_us_alone


def made_private(folder: Path) -> bool:
    """Make a folder that this user alone may enter, if there is none, and tell whether it is private.

    It may be another's, or a link, or below a folder of another's, who could put a different one in its place: as root
    with the HOME of a user.
    """
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return is_private(folder)


def is_private(folder: Path) -> bool:
    """Tell whether a folder is there, and nobody else decides what is in it."""
    if not is_ours_alone(folder, stat.S_IFDIR):
        return False
    return all(_is_ours_or_of_root(above) for above in folder.resolve().parents[:-1])


def _is_ours_or_of_root(folder: Path) -> bool:
    found = folder.stat()
    keeps_apart = not found.st_mode & WRITABLE_BY_OTHERS or found.st_mode & stat.S_ISVTX  # as /tmp does
    return found.st_uid in (0, os.geteuid()) and bool(keeps_apart)


def _refuse_what_is_no_file(path: Path) -> None:
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(path.lstat().st_mode):
            raise FileExistsError(errno.EEXIST, "there is a link or a folder of that name", str(path))
