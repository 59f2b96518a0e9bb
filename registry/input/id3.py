"""The tag that some programs write before the first byte of an audio file."""

from typing import BinaryIO

HEAD_BYTES = 10  # ID3, version, flags, size in four times seven bits


def tag_bytes(file: BinaryIO) -> int:
    """Say how many bytes an ID3v2 tag takes at the beginning of a file; 0 if there is none."""
    head = file.read(HEAD_BYTES)
    if len(head) < HEAD_BYTES or not head.startswith(b"ID3") or max(head[6:]) > 0x7F:  # noqa: PLR2004 - seven bits
        return 0
    return HEAD_BYTES + sum(byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
