"""What libraries written in C print while they decode: nobody who reads what the registry says can use it."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

STDERR = 2
NOTE = re.compile(rb"^(?:(?:Note|Warning): |\[[^\]\n]*libmpg123/)[^\n]*\n|^\n", re.MULTILINE)


class _Caught:
    """Standard error turned aside, for as many threads as decode at once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._threads = 0
        self._real = self._aside = -1

    def begin(self) -> None:
        with self._lock:
            if self._threads == 0:
                self._real, self._aside = os.dup(STDERR), os.memfd_create("notes")
                os.dup2(self._aside, STDERR)
            self._threads += 1

    def end(self) -> None:
        """Turn back, and print what others have said meanwhile."""
        with self._lock:
            self._threads -= 1
            if self._threads:
                return
            os.dup2(self._real, STDERR)
            said = os.pread(self._aside, os.fstat(self._aside).st_size, 0)
            os.write(STDERR, NOTE.sub(b"", said))
            os.close(self._real)
            os.close(self._aside)


_caught = _Caught()


@contextmanager
def without_notes() -> Iterator[None]:
    """Keep what libmpg123 prints on standard error from it; libsndfile has no way to tell it to be silent."""
    try:
        _caught.begin()
    except OSError:  # no standard error, where nothing can be seen anyway
        yield
        return
    try:
        yield
    finally:
        _caught.end()
