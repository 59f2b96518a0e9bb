"""Whether the server failed because its disk is full, which its own last words often cannot say."""

import shutil
from pathlib import Path

FULL = "No space left on device"
NEEDED_BYTES = 64 << 20  # a segment of the log takes 16 MiB and is made ahead
MEBIBYTE = 1 << 20


def full_disk(home: Path, words: str) -> str | None:
    """Describe the disk if it is full, else None.

    Args:
        home: The folder of the server.
        words: What the server, its log and its programs said; with the log on that disk, this may be nothing.
    """
    usage = shutil.disk_usage(home)
    if FULL not in words and usage.free >= NEEDED_BYTES:
        return None
    free, size = usage.free // MEBIBYTE, usage.total // MEBIBYTE
    return f"{free} of {size} MiB are free where {home} is, and {NEEDED_BYTES // MEBIBYTE} MiB are needed at least"
