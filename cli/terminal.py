"""The one way to the terminal: whatever is printed, by whomever, does nothing to it but show text.

Names and transcripts are other people's. An escape sequence in one would act on the terminal, and through a pipe on the
terminal behind it: move the cursor, hide a line, fill the clipboard. A control of writing from right to left lets one
name read as another.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import RawIOBase, TextIOBase
from typing import TextIO

SPACING = "\n\t"
CONTROLS = (*range(0x20), *range(0x7F, 0xA0))
OF_DIRECTION = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))  # Unicode's Bidi_Control
SEPARATORS = (0x2028, 0x2029)  # of lines and of paragraphs
VISIBLE = {code: repr(chr(code))[1:-1] for code in (*CONTROLS, *OF_DIRECTION, *SEPARATORS) if chr(code) not in SPACING}


def visible(text: str) -> str:
    """Write control characters as people read them: ESC as \\x1b."""
    return text.translate(VISIBLE)


class Harmless(TextIOBase):
    """A stream on which every control character is visible."""

    def __init__(self, stream: TextIO) -> None:
        """Write to a stream."""
        self.stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Of the stream."""
        return self.stream.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        """Of the stream."""
        return self.stream.errors

    @property
    def buffer(self) -> "HarmlessBytes":
        """What takes bytes, as click's completion writes them."""
        return HarmlessBytes(self)

    def write(self, text: str) -> int:
        """Write a text."""
        self.stream.write(visible(text))
        return len(text)

    def flush(self) -> None:
        """Write what is still to be written."""
        self.stream.flush()

    def isatty(self) -> bool:
        """Tell whether it goes to a terminal."""
        return self.stream.isatty()

    def fileno(self) -> int:
        """Give the number of the file below."""
        return self.stream.fileno()


class HarmlessBytes(RawIOBase):
    """The same for bytes of text."""

    def __init__(self, text: Harmless) -> None:
        """Write to a stream of text."""
        self.text = text

    def write(self, content: bytes) -> int:  # type: ignore[override]
        """Write some bytes."""
        self.text.write(bytes(content).decode(errors="backslashreplace"))
        return len(content)


def unguarded(stream: TextIO) -> TextIO:
    """Give the stream below, for what draws on the terminal by escape sequences of its own."""
    return stream.stream if isinstance(stream, Harmless) else stream


@contextmanager
def guarded() -> Iterator[None]:
    """Let standard output and error show control characters instead of passing them on, also what libraries print."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (stream and Harmless(stream) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
