"""One export at a time in a tree: a file there that an export holds, and removes when it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from registry.errors import OutputBusy
from registry.export import disk
from registry.export.manifest import FOLDER


@contextmanager
def locked(outdir: Path) -> Iterator[None]:
    """Keep other exports out of a tree, whose own folder is there already.

    Raises:
        OutputBusy: Another export, or whoever may open the file, holds it.
        OSError: The file cannot be made, or something else is in its place.
    """
    path = outdir / FOLDER / "lock"  # a file: NFS locks no folders
    opened = _held(outdir, path)
    try:
        yield
    finally:
        with suppress(OSError):
            disk.remove(path)
        os.close(opened)


def _held(outdir: Path, path: Path) -> int:
    """Open the file and take the lock, again if an export that ended removed the file between the two."""
    while True:
        opened = disk.open_lock(path)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(opened)
            raise OutputBusy(path=outdir, lock=path) from error
        if disk.is_at(path, opened):
            return opened
        os.close(opened)
