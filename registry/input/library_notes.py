"""What libraries written in C print while they decode: nobody who reads what the registry says can use it.

libsndfile has no way to tell libmpg123 to be silent, and damage anywhere in an MP3 makes it speak. It prints by way of
the C library's variable `stderr`. That is turned aside, not the file behind it: Python, programs that are started and
the last words of faulthandler reach standard error as ever.
"""

import ctypes
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from threading import Lock

STDERR = 2
NOTE = re.compile(rb"^(?:(?:Note|Warning): |\[[^\]\n]*libmpg123/)[^\n]*\n|^\n", re.MULTILINE)
UNBUFFERED = 2  # _IONBF of the C library: a message is written as one piece
MOST_BYTES = 1 << 20  # more than a pipe holds


class _Aside:
    """The C library's `stderr` turned aside, for as many threads as decode at once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._threads = 0
        self._before: int | None = None
        self._reading = -1

    def begin(self) -> None:
        with self._lock:
            if self._threads == 0:
                stderr = _stderr()
                self._before, stderr.value = stderr.value, self._stream
            self._threads += 1

    def end(self) -> None:
        """Turn back behind the last thread, and print what other libraries have said meanwhile."""
        with self._lock:
            self._threads -= 1
            if self._threads == 0:
                _stderr().value = self._before
            with suppress(BlockingIOError):  # nothing was said
                said = os.read(self._reading, MOST_BYTES)
                with suppress(OSError):  # no standard error, where nothing can be seen anyway
                    os.write(STDERR, NOTE.sub(b"", said))

    @cached_property
    def _stream(self) -> int:
        """Give the address of the stream that leads aside; never closed, as a library may be about to write to it."""
        self._reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)  # whoever says too much does not wait for us
        library = ctypes.CDLL(None)
        library.fdopen.restype = ctypes.c_void_p
        stream = ctypes.c_void_p(library.fdopen(writing, b"w"))
        library.setvbuf(stream, None, UNBUFFERED, ctypes.c_size_t(0))
        return int(stream.value or 0)


def _stderr() -> ctypes.c_void_p:
    """Give the variable of the C library, to be read and written."""
    return ctypes.c_void_p.in_dll(ctypes.CDLL(None), "stderr")


_aside = _Aside()


@contextmanager
def without_notes() -> Iterator[None]:
    """Keep what libmpg123 prints from standard error; what other libraries in C print comes there at the end."""
    _aside.begin()
    try:
        yield
    finally:
        _aside.end()
