"""Who uses the server and who starts or stops it, by file locks: the kernel frees those of the killed."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from registry.database.embedded.account import Account, open_private


class Locks:
    """The locks of one home.

    Every user holds `use.lock` shared; who gets it exclusively on leaving was the last. Joining, leaving,
    starting and stopping happen under `start.lock`, so who comes while another stops the server waits, and
    then starts it. The process that stops the server a while after its last user holds `linger.lock`; that user noted
    in it, by its time, when it left. They are taken in this order only, all but the first without waiting: no deadlock.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._use_lock: int | None = None
        self._pid = 0
        self._linger_lock: int | None = None

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
        return _has_taken(self._use_lock)

    def is_unused(self) -> bool:
        """Say whether no process uses the server; to be called alone, by one that does not."""
        return self._can_be_had("use.lock")

    def note_leaving(self) -> bool:
        """Note that the server was used until now; say whether no process lingers yet. To be called alone."""
        lock = self._open("linger.lock")
        os.utime(lock)
        os.close(lock)
        return self._can_be_had("linger.lock")

    def linger(self) -> float | None:
        """Be the one process that lingers, and give the time when the server was left; None if another one is it."""
        if self._linger_lock is None:
            self._linger_lock = self._open("linger.lock")
            if not _has_taken(self._linger_lock):
                return None
        return os.fstat(self._linger_lock).st_mtime

    def stop_lingering(self) -> None:
        """Linger no longer; to be called alone, so that nobody who leaves relies on it."""
        if self._linger_lock is not None:
            _unlock(self._linger_lock)
            self._linger_lock = None

    def _can_be_had(self, name: str) -> bool:
        lock = self._open(name)
        try:
            return _has_taken(lock)
        finally:
            _unlock(lock)

    def let_go(self) -> None:
        """Be a user no longer."""
        if self._use_lock is not None:
            _unlock(self._use_lock)
            self._use_lock = None

    def _open(self, name: str) -> int:
        # A file of the owner of the home, so that root never locks that user out.
        home = self._home.stat()
        return open_private(self._home / name, Account(home.st_uid, home.st_gid))


def _has_taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _unlock(lock: int) -> None:
    # Said aloud: closing frees nothing while a forked child holds the same descriptor.
    fcntl.flock(lock, fcntl.LOCK_UN)
    os.close(lock)
