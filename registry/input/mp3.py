"""MP3s that do not say how long they are, as recorders of streams write them: libsndfile guesses by the first frame."""

from pathlib import Path

from registry.input.id3 import tag_bytes
from registry.input.spliced import Spliced

FIRST_FRAME_BYTES = 2048
HEAD_BYTES = 4  # of a frame
MOST_BYTES = 160_000_000  # an hour at 320 kbit/s is 144 MB: what holds more is too long, however long
LENGTHS = (b"Xing", b"Info", b"VBRI")
VERSION_1 = 3
MONO = 3
LAYER_3 = 1
KBIT_S = {  # by the version's number; 0 is 2.5, 2 is 2, 3 is 1
    0: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
RATES_HZ = {0: (11_025, 12_000, 8_000), 2: (22_050, 24_000, 16_000), 3: (44_100, 48_000, 32_000)}


def with_length(path: Path) -> Spliced | None:
    """Give an MP3 with a first frame that says how many there are; None for one that says so, and for what is none."""
    with path.open("rb") as file:
        start = tag_bytes(file)
        file.seek(start)
        head = file.read(FIRST_FRAME_BYTES)
    if not _frame_bytes(head[:HEAD_BYTES]) or any(length in head for length in LENGTHS):
        return None
    return Spliced(_saying(head[:HEAD_BYTES], _count_frames(path, start)), path, start, path.stat().st_size)


def _frame_bytes(head: bytes) -> int:
    """Give the size of a frame by its first four bytes; 0 if that is no frame."""
    if len(head) < HEAD_BYTES or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:  # noqa: PLR2004 - eleven bits of ones
        return 0
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    kbit_s, rate = head[2] >> 4, head[2] >> 2 & 3
    if version not in KBIT_S or layer != LAYER_3 or not 0 < kbit_s < len(KBIT_S[version]) or rate >= len(RATES_HZ[0]):
        return 0
    samples_by_8 = 144 if version == VERSION_1 else 72
    padding = head[2] >> 1 & 1
    return samples_by_8 * KBIT_S[version][kbit_s] * 1000 // RATES_HZ[version][rate] + padding


def _count_frames(path: Path, at: int) -> int:
    """Walk from frame to frame; where there is none, as behind a break in a stream, look for the next."""
    with path.open("rb") as file:
        content, count = file.read(MOST_BYTES), 0
    while 0 <= at < len(content):
        size = _frame_bytes(content[at : at + HEAD_BYTES])
        count += size > 0
        at = at + size if size else content.find(b"\xff", at + 1)
    return count


def _saying(first: bytes, count: int) -> bytes:
    """Make a silent frame in the manner of the first, with a Xing header that tells the number of frames."""
    is_mono = first[3] >> 6 == MONO
    side_bytes = (17 if is_mono else 32) if first[1] >> 3 & 3 == VERSION_1 else (9 if is_mono else 17)
    content = bytes(side_bytes) + b"Xing" + (1).to_bytes(4, "big") + count.to_bytes(4, "big")
    heads = (bytes((0xFF, first[1] | 1, kbit_s << 4 | first[2] & 0x0C, first[3])) for kbit_s in range(1, 15))
    head = next(head for head in heads if _frame_bytes(head) >= HEAD_BYTES + len(content))
    return (head + content).ljust(_frame_bytes(head), b"\0")
