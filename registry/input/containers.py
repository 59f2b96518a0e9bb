"""Files of compressed audio as far as they tell by themselves whether they are whole; decodes nothing."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from registry.input.id3 import tag_bytes

PAGE_HEAD_BYTES = 27  # of Ogg
LAST_PAGE = 0x04
MOST_PAGE_BYTES = 65_307
FIRST_FRAME_BYTES = 2048  # of MP3, with what a Xing header holds
MOST_FRAME_BYTES = 2_000  # the last frame of an MP3 at most: less is missed by nobody
FLAC_FRAMES_AT = 21  # the 36 bits from its lower half on: how many samples there are


@dataclass(frozen=True)
class Wholeness:
    """What a file says of its own end."""

    is_cut: bool = False  # its end is missing
    is_open: bool = False  # nobody came back to write how long it is


def wholeness(path: Path) -> Wholeness:
    """Ask a file of FLAC, Ogg or MP3 whether it is whole; of all others nothing is known here."""
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        start = tag_bytes(file)
        file.seek(start)
        head = file.read(FIRST_FRAME_BYTES)
        if head.startswith(b"fLaC"):
            return Wholeness(is_open=_flac_frames(head) == 0)
        if head.startswith(b"OggS"):
            return Wholeness(is_cut=not _has_last_page(file, size_bytes))
        return Wholeness(is_cut=_mp3_end(head, start) > size_bytes + MOST_FRAME_BYTES)


def _flac_frames(head: bytes) -> int:
    return int.from_bytes(head[FLAC_FRAMES_AT : FLAC_FRAMES_AT + 5], "big") & 0xFFFFFFFFF


def _has_last_page(file: BinaryIO, size_bytes: int) -> bool:
    """Look for the page that ends an Ogg, with all it says it holds."""
    file.seek(max(0, size_bytes - MOST_PAGE_BYTES))
    tail = file.read()
    at = tail.rfind(b"OggS")
    page = tail[at:]
    if at < 0 or len(page) < PAGE_HEAD_BYTES or not page[5] & LAST_PAGE:
        return False
    segments = page[PAGE_HEAD_BYTES : PAGE_HEAD_BYTES + page[26]]
    return len(segments) == page[26] and len(page) >= PAGE_HEAD_BYTES + len(segments) + sum(segments)


def _mp3_end(head: bytes, start: int) -> int:
    """Give where an MP3 says it ends; 0 if it does not say."""
    at = max(head.find(b"Xing"), head.find(b"Info"))
    if head[:1] != b"\xff" or at < 0:
        return 0
    flags = int.from_bytes(head[at + 4 : at + 8], "big")
    if not flags & 2:
        return 0
    after_frames = at + 8 + (4 if flags & 1 else 0)
    return start + int.from_bytes(head[after_frames : after_frames + 4], "big")
