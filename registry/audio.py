"""Read one wav into what the model wants, or say why not."""

import hashlib
import io
import os
import stat
import struct
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile as sf
import soxr

from registry.core.records import Floats, Rejected

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc has it from Python 3.12 on

SAMPLE_RATE_HZ = 16_000  # what every speaker model here was trained on
MIN_DURATION_S = 0.2  # below this a clip is a cough or a click, not a voice
MAX_DURATION_S = 3600.0  # a clip is one turn of one voice; an hour is a whole programme put in by mistake
SILENCE_PEAK = 1e-4  # of full scale, about 3 steps of 16 bit: dither, no voice
BLOCK_SAMPLES = 1 << 20  # 4 MB in float32: the native recording is never in memory as a whole
STREAMED_BYTES = 0x7FFFF000  # sox, arecord and ffmpeg write this much or more when they cannot know the size
HEAD = struct.Struct("<4sI4s")  # RIFF, size of the rest, WAVE
CHUNK = struct.Struct("<4sI")  # name, size of the rest
WAV_FORMATS = frozenset({"WAV", "WAVEX", "RF64"})


@dataclass(frozen=True)
class Audio:
    """One recording as the model takes it, with what identifies it and what it was."""

    samples: Floats  # (n,) mono, 16 kHz
    audio_hash: str  # the same for the same sound in another header, in 16 bit or in float
    duration_s: float
    sample_rate_hz: int  # as recorded
    channels: int


@dataclass(frozen=True)
class _Decoded:
    samples: Floats  # (n,) mono, 16 kHz
    audio_hash: str
    frames: int  # as recorded
    swing: float  # half the way from the lowest to the highest sample of a channel; nan or inf if any is


@dataclass(frozen=True)
class _Riff:
    size_bytes: int  # of the file as it is
    promised_bytes: int  # of the whole, as its header says
    sound_start: int
    sound_bytes: int  # as the header of the sound says

    @property
    def missing_bytes(self) -> int:
        if self.sound_bytes >= STREAMED_BYTES:
            return 0
        return max(0, self.sound_start + self.sound_bytes - self.size_bytes)

    @property
    def is_unclosed(self) -> bool:
        """Tell the file of a writer that never came back to fill in its sizes from one without sound."""
        is_open = self.promised_bytes == 0 or self.promised_bytes >= STREAMED_BYTES
        return is_open and self.sound_bytes == 0 and self.size_bytes > self.sound_start > 0


class _Unclosed(io.FileIO):
    """A wav without sizes, read with the mark by which libsndfile knows to go on to the end of the file."""

    def readinto(self, buffer: "Buffer") -> int:
        start, view = self.tell(), memoryview(buffer).cast("B")
        count = super().readinto(view) or 0
        for position in range(max(start, 4), min(start + count, 8)):
            view[position - start] = b"\x08\0\0\0"[position - 4]  # the size in the RIFF header
        return count


def read_audio(path: Path) -> Audio | Rejected:
    """Decode a wav of any rate, width and channel count to 16 kHz mono.

    Args:
        path: The file. It may be missing, broken or no file at all.

    Returns:
        The audio, or a `Rejected` whose reason is one of "unreadable", "empty", "not-wav", "truncated",
        "not-finite", "silent", "too-short" and "too-long". Nothing is raised for a bad file.
    """
    try:
        return _fault_of_file(path) or _read_wav(path)
    except OSError as error:
        return Rejected(str(path), "unreadable", f"It cannot be read ({error.strerror}): make it a readable file.")
    except sf.LibsndfileError as error:
        return _not_wav(path, error.error_string)


def _fault_of_file(path: Path) -> Rejected | None:
    status = path.stat()
    # Asked before opening: opening a named pipe waits for a writer that may never come.
    if not stat.S_ISREG(status.st_mode):
        return Rejected(str(path), "unreadable", "It is no regular file: put a wav file in its place.")
    if status.st_size == 0:
        return Rejected(str(path), "empty", "It holds 0 bytes: copy or record it again.")
    missing = _riff(path).missing_bytes
    if missing:
        message = f"It ends {missing} bytes before its header says: copy it again from where it was recorded."
        return Rejected(str(path), "truncated", message)
    return None


def _riff(path: Path) -> _Riff:
    """Walk the chunks of a wav up to its sound: libsndfile passes over what is missing in silence."""
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD.size)
        if len(head) < HEAD.size or not head.startswith(b"RIFF"):  # RF64 keeps its sizes elsewhere
            return _Riff(size_bytes, 0, 0, 0)
        _, promised, _ = HEAD.unpack(head)
        while len(chunk := file.read(CHUNK.size)) == CHUNK.size:
            name, chunk_bytes = CHUNK.unpack(chunk)
            if name == b"data":
                return _Riff(size_bytes, promised, file.tell(), chunk_bytes)
            file.seek(chunk_bytes + chunk_bytes % 2, os.SEEK_CUR)  # chunks start at even offsets
        return _Riff(size_bytes, promised, HEAD.size, max(0, promised + CHUNK.size - HEAD.size))


def _read_wav(path: Path) -> Audio | Rejected:
    # As bytes: soundfile cannot encode a name that is not UTF-8.
    source = _Unclosed(path) if _riff(path).is_unclosed else nullcontext(os.fsencode(path))
    with source as file, sf.SoundFile(file) as wav:
        return _fault_of_header(path, wav) or _read_sound(path, wav)


def _read_sound(path: Path, wav: sf.SoundFile) -> Audio | Rejected:
    decoded = _decode(wav, _mean_of_channels)
    if _peak(decoded.samples) < SILENCE_PEAK <= decoded.swing:
        wav.seek(0)  # channels of opposite phase cancel out: one of them alone is the voice
        decoded = _decode(wav, _first_channel)
    fault = _fault_of_sound(path, decoded)
    if fault:
        return fault
    duration_s = decoded.frames / wav.samplerate
    return Audio(decoded.samples, decoded.audio_hash, duration_s, wav.samplerate, wav.channels)


def _fault_of_header(path: Path, wav: sf.SoundFile) -> Rejected | None:
    if wav.format not in WAV_FORMATS:
        return _not_wav(path, f"it is {wav.format}")
    if wav.frames == 0:
        return Rejected(str(path), "empty", "It has a header and no samples: record or convert it again.")
    duration_s = wav.frames / wav.samplerate
    if duration_s < MIN_DURATION_S:
        message = f"It lasts {duration_s:.3f} s, less than {MIN_DURATION_S} s: leave it out or cut it longer."
        return Rejected(str(path), "too-short", message)
    if duration_s > MAX_DURATION_S:
        message = f"It lasts {duration_s:.0f} s, more than {MAX_DURATION_S:.0f} s: cut it by voice."
        return Rejected(str(path), "too-long", message)
    return None


def _fault_of_sound(path: Path, decoded: _Decoded) -> Rejected | None:
    if not (np.isfinite(decoded.swing) and np.isfinite(_peak(decoded.samples))):
        message = "It holds samples that are no numbers (NaN or infinity): export it again from its source."
        return Rejected(str(path), "not-finite", message)
    if decoded.swing < SILENCE_PEAK:
        message = f"It is silent (peak {decoded.swing:.1g} of full scale): leave it out or record it again."
        return Rejected(str(path), "silent", message)
    return None


def _not_wav(path: Path, cause: str) -> Rejected:
    message = f"It is no wav that can be decoded ({cause.rstrip('.')}): convert it to one."
    return Rejected(str(path), "not-wav", message)


def _decode(wav: sf.SoundFile, mix: Callable[[Floats], Floats]) -> _Decoded:
    resample = _resampler(wav.samplerate)
    digest = hashlib.sha256(f"{wav.samplerate} {wav.channels} ".encode())
    low, high = np.full(wav.channels, np.inf), np.full(wav.channels, -np.inf)
    # One second to spare for the resampler's rounding; filled in place, as an hour twice is too much.
    samples = np.empty(wav.frames * SAMPLE_RATE_HZ // wav.samplerate + SAMPLE_RATE_HZ, np.float32)
    filled = frames = 0
    size = max(1, BLOCK_SAMPLES // wav.channels)
    for block in wav.blocks(size, frames=wav.frames, dtype="float32", always_2d=True):
        digest.update(block.astype("<f4", copy=False).tobytes())
        low, high = (
            np.minimum(low, block.min(0, initial=np.inf)),
            np.maximum(high, block.max(0, initial=-np.inf)),
        )
        frames += len(block)
        resampled = resample(mix(block), frames == wav.frames)
        samples[filled : filled + len(resampled)] = resampled
        filled += len(resampled)
    with np.errstate(all="ignore"):  # infinity minus infinity is the finding, not an accident
        swing = float(((high - low) / 2).max())
    return _Decoded(samples[:filled], digest.hexdigest(), frames, swing)


def _resampler(rate_hz: int) -> Callable[[Floats, bool], Floats]:
    """Make what takes mono blocks, each with whether it is the last, to 16 kHz."""
    if rate_hz == SAMPLE_RATE_HZ:
        return lambda block, _: block  # so gives soxr, to the bit, and takes a quarter of the time of reading for it
    stream = soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32", quality="HQ")
    return lambda block, is_last: stream.resample_chunk(block, last=is_last)


def _mean_of_channels(block: Floats) -> Floats:
    with np.errstate(all="ignore"):  # as above
        return np.ascontiguousarray(block.mean(axis=1))


def _first_channel(block: Floats) -> Floats:
    return np.ascontiguousarray(block[:, 0])


def _peak(samples: Floats) -> float:
    return float(max(samples.max(initial=0), -samples.min(initial=0)))  # no copy of an hour, unlike abs
