"""Who uses the server and who starts or stops it, by file locks: the kernel frees those of the killed."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from registry.embedded.account import Account, open_private


class Locks:
    """The two locks of one home.

    Every user holds `use.lock` shared; who gets it exclusively on leaving was the last. Joining, leaving,
    starting and stopping happen under `start.lock`, so who comes while another stops the server waits, and
    then starts it. They are taken in this order only, `use.lock` exclusively without waiting: no deadlock.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._use_lock: int | None = None
        self._pid = 0

    @property
    def is_user(self) -> bool:
        """Say whether this process has joined; a forked child holds its parent's object, but has not."""
        return self._use_lock is not None and self._pid == os.getpid()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other process starts or stops the server, and keep them waiting."""
        lock = self._open("start.lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            _unlock(lock)

    def join(self) -> None:
        """Become a user of the server; to be called alone."""
        if not self.is_user:
            self._use_lock, self._pid = self._open("use.lock"), os.getpid()
            fcntl.flock(self._use_lock, fcntl.LOCK_SH)

    def is_last_user(self) -> bool:
        """Say whether no other process uses the server; to be called alone, before let_go()."""
        if self._use_lock is None:
            return False
        try:
            fcntl.flock(self._use_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def let_go(self) -> None:
        """Be a user no longer."""
        if self._use_lock is not None:
            _unlock(self._use_lock)
            self._use_lock = None

    def _open(self, name: str) -> int:
        # A file of the owner of the home, so that root never locks that user out.
        home = self._home.stat()
        return open_private(self._home / name, Account(home.st_uid, home.st_gid))


def _unlock(lock: int) -> None:
    # Said aloud: closing frees nothing while a forked child holds the same descriptor.
    fcntl.flock(lock, fcntl.LOCK_UN)
    os.close(lock)
