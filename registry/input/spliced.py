"""A file with another beginning: where libsndfile does not understand the one that it has."""

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc has it from Python 3.12 on


class Spliced(io.RawIOBase):
    """A head made anew, and a part of a file behind it."""

    def __init__(self, head: bytes, path: Path, start: int, end: int) -> None:
        """Put a head before the bytes from `start` to `end` of a file."""
        super().__init__()
        self._head, self._start = head, start
        self._size = len(head) + end - start
        self._at = 0
        self._file = path.open("rb")

    def close(self) -> None:
        """Close the file too."""
        self._file.close()
        super().close()

    def readinto(self, buffer: "Buffer", /) -> int:
        """Fill a buffer as far as there is anything."""
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), max(0, self._size - self._at))
        part = self._head[self._at : self._at + wanted]
        if len(part) < wanted:
            self._file.seek(self._start + self._at + len(part) - len(self._head))
            part += self._file.read(wanted - len(part))
        view[: len(part)] = part
        self._at += len(part)
        return len(part)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to an offset."""
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        """Say where it is."""
        return self._at
