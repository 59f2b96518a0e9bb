"""The chunks of a wav: where its sound lies, whether its header is closed, and a view that libsndfile understands.

libsndfile passes over what is missing in silence, knows no BW64, and takes only chunks that start at even offsets.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from registry.input.id3 import tag_bytes
from registry.input.spliced import Spliced

STREAMED_BYTES = 0x7FFFF000  # sox, arecord and ffmpeg write this much or more when they cannot know the size
ELSEWHERE = 0xFFFFFFFF  # in RF64 and BW64: the size is in the chunk ds64
UNKNOWN = 0xFFFFFFFFFFFFFFFF
HEAD_BYTES = 12  # RIFF, size of the rest, WAVE
CHUNK_BYTES = 8  # name, size of the rest
DS64 = struct.Struct("<QQ")  # size of the whole, of the sound
MOST_PADDING = 4  # bytes
MOST_CHUNKS = 1000  # more were made to keep whoever walks them busy
MOST_CONTENT_BYTES = 1 << 16  # of the chunks that are read here, which take some dozens
TAIL_BYTES = 1 << 16  # notes behind the sound are smaller
NOTES = (b"LIST", b"id3 ", b"ID3 ", b"bext", b"iXML", b"axml", b"cue ", b"smpl", b"_PMX")
NAMES = frozenset(
    (*NOTES, b"data", b"fmt ", b"fact", b"ds64", b"JUNK", b"junk", b"PAD ", b"FLLR", b"PEAK", b"inst", b"DISP", b"chna")
)


@dataclass(frozen=True)
class Wav:
    """Where a wav keeps what, by its header; offsets in bytes of the file."""

    mark: bytes  # RIFF, RIFX (big-endian), RF64 or BW64
    format: bytes  # the chunk fmt, without its head; empty if there is none
    sound_start: int
    sound_end: int  # of what is there
    missing_bytes: int  # that the header promises
    is_open: bool  # nobody came back to fill in the sizes: its writer has not ended, or could not go back
    is_regular: bool  # libsndfile reads it by itself


@dataclass(frozen=True)
class _Chunk:
    name: bytes
    start: int  # of what it holds
    size: int  # as it says
    is_at_even: bool


@dataclass(frozen=True)
class _Sizes:
    """What the header promises; none of what is not known."""

    whole: int | None
    sound: int | None


def wav_of(path: Path) -> Wav | None:
    """Read the layout of a wav; None for what is no wav."""
    with path.open("rb") as file:
        return _layout(file, path.stat().st_size)


def _layout(file: BinaryIO, size_bytes: int) -> Wav | None:
    start = tag_bytes(file)
    file.seek(start)
    head = file.read(HEAD_BYTES)
    if len(head) < HEAD_BYTES or head[:4] not in (b"RIFF", b"RIFX", b"RF64", b"BW64") or head[8:] != b"WAVE":
        return None
    order = _order(head[:4])
    (promised,) = struct.unpack(f"{order}I", head[4:8])
    chunks = list(_chunks(file, start + HEAD_BYTES, size_bytes, order))
    by_name = {chunk.name: chunk for chunk in reversed(chunks)}
    sound, form = by_name.get(b"data"), by_name.get(b"fmt ")
    sizes = _sizes(file, promised, by_name)
    if sound is None:
        missing = 0 if sizes.whole is None else start + sizes.whole + CHUNK_BYTES - size_bytes
        is_endless = len(chunks) == MOST_CHUNKS  # libsndfile would walk them all
        return Wav(head[:4], b"", 0, 0, max(0, missing), is_open=sizes.whole is None, is_regular=not is_endless)
    is_streamed = _is_streamed(file, sound, sizes, size_bytes)
    end = _sound_end(file, sound, sizes, size_bytes, order)
    is_of_promised_size = end == sound.start + (sizes.sound or 0)
    is_understood = start == 0 and head[:4] != b"BW64" and _is_as_libsndfile_expects(chunks, sound)
    return Wav(
        head[:4],
        _content(file, form),
        sound.start,
        end,
        0 if is_streamed else max(0, sound.start + (sizes.sound or 0) - size_bytes),
        is_open=is_streamed or sizes.whole is None,
        is_regular=_has_two_sounds(chunks) or (is_of_promised_size and is_understood),
    )


def _has_two_sounds(chunks: list[_Chunk]) -> bool:
    """Tell what is better left to libsndfile, which refuses it: half of a sound is worse than none."""
    return sum(chunk.name == b"data" for chunk in chunks) > 1


def _is_as_libsndfile_expects(chunks: list[_Chunk], sound: _Chunk) -> bool:
    """Tell whether libsndfile finds the sound by itself, and in a time that does not grow with the chunks."""
    before = chunks[: chunks.index(sound) + 1]
    has_form = any(chunk.name == b"fmt " for chunk in before)
    return has_form and all(chunk.is_at_even for chunk in before) and len(chunks) < MOST_CHUNKS


def _order(mark: bytes) -> str:
    return ">" if mark == b"RIFX" else "<"


def _content(file: BinaryIO, chunk: _Chunk | None) -> bytes:
    if chunk is None:
        return b""
    file.seek(chunk.start)
    return file.read(min(chunk.size, MOST_CONTENT_BYTES))


def _chunks(file: BinaryIO, at: int, size_bytes: int, order: str) -> Iterator[_Chunk]:
    """Walk the chunks; the sound is the last if it reaches to the end, or nobody knows how far it reaches."""
    is_at_even = True
    for _ in range(MOST_CHUNKS):
        chunk = _chunk(file, at, order, is_at_even=is_at_even)
        if chunk is None:
            return
        yield chunk
        end = chunk.start + chunk.size
        if end >= size_bytes:
            return
        at = _next_chunk(file, end)
        is_at_even = at == end + chunk.size % 2


def _chunk(file: BinaryIO, at: int, order: str, *, is_at_even: bool = True) -> _Chunk | None:
    file.seek(at)
    head = file.read(CHUNK_BYTES)
    if len(head) < CHUNK_BYTES or not head[:4].isascii():
        return None
    return _Chunk(head[:4], at + CHUNK_BYTES, struct.unpack(f"{order}I", head[4:])[0], is_at_even)


def _next_chunk(file: BinaryIO, end: int) -> int:
    """Find the next chunk: at an even offset by the standard; some writers pad to four bytes, or not at all."""
    even = end + end % 2
    for at in (even, end, end + -end % 4):
        file.seek(at)
        if file.read(4) in NAMES:
            return at
    return even


def _sizes(file: BinaryIO, promised: int, chunks: dict[bytes, _Chunk]) -> _Sizes:
    sound = chunks[b"data"].size if b"data" in chunks else 0
    if b"ds64" in chunks:
        content = _content(file, chunks[b"ds64"])[: DS64.size]
        whole, long_sound = DS64.unpack(content.ljust(DS64.size, b"\0"))
        promised = whole if promised == ELSEWHERE else promised
        sound = long_sound if sound == ELSEWHERE else sound
    return _Sizes(promised if _is_told(promised) else None, sound if _is_told(sound) else None)


def _is_told(size: int) -> bool:
    return size not in (0, ELSEWHERE, UNKNOWN)


def _is_streamed(file: BinaryIO, sound: _Chunk, sizes: _Sizes, size_bytes: int) -> bool:
    """Tell whether there is sound, and nobody knows how much."""
    if sizes.sound is None:
        return not (sound.size == 0 and _is_chunk_or_end(file, sound.start, size_bytes))
    return sizes.sound >= STREAMED_BYTES and sound.start + sizes.sound > size_bytes


def _sound_end(file: BinaryIO, sound: _Chunk, sizes: _Sizes, size_bytes: int, order: str) -> int:
    is_streamed = _is_streamed(file, sound, sizes, size_bytes)
    promised = size_bytes if is_streamed else min(size_bytes, sound.start + (sizes.sound or 0))
    reaches_end = size_bytes - promised < MOST_PADDING
    return min(promised, _without_notes(file, sound.start, size_bytes, order)) if reaches_end else promised


def _is_chunk_or_end(file: BinaryIO, at: int, size_bytes: int) -> bool:
    file.seek(at)
    return at >= size_bytes or file.read(4) in NAMES


def _without_notes(file: BinaryIO, sound_start: int, size_bytes: int, order: str) -> int:
    """Give the end of a sound that seems to reach to the end of the file: texts behind it are no sound."""
    start = max(sound_start, size_bytes - TAIL_BYTES)
    file.seek(start)
    tail = file.read()
    found = sorted(start + at for name in NOTES if (at := tail.find(name)) >= 0)
    return next((at for at in found if _leads_to_end(file, at, size_bytes, order)), size_bytes)


def _leads_to_end(file: BinaryIO, at: int, size_bytes: int, order: str) -> bool:
    *_, last = (None, *_chunks(file, at, size_bytes, order))
    return last is not None and 0 <= size_bytes - (last.start + last.size) < MOST_PADDING


def mended(path: Path, wav: Wav) -> Spliced:
    """Give a wav as libsndfile takes it: a header made anew, and the sound of the file."""
    order, mark = _order(wav.mark), b"RIFX" if wav.mark == b"RIFX" else b"RIFF"
    sound_bytes = wav.sound_end - wav.sound_start
    form = struct.pack(f"{order}4sI", b"fmt ", len(wav.format)) + wav.format + b"\0" * (len(wav.format) % 2)
    whole_bytes = 4 + len(form) + CHUNK_BYTES + sound_bytes
    head = (
        struct.pack(f"{order}4sI4s", mark, min(whole_bytes, ELSEWHERE), b"WAVE")
        + form
        + struct.pack(f"{order}4sI", b"data", min(sound_bytes, ELSEWHERE))
    )
    return Spliced(head, path, wav.sound_start, wav.sound_end)
