"""Decode what libsndfile opens into the 16 kHz mono that the model hears, block by block."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import soundfile as sf
import soxr

from registry.core.records import Floats
from registry.input.mixing import Loudness, Mix, is_cancelled, loudness_of, mean_of_channels, only_channel

SAMPLE_RATE_HZ = 16_000  # what every speaker model here was trained on
MAX_DURATION_S = 3600.0  # a clip is one turn of one voice; an hour is a whole programme put in by mistake
BLOCK_SAMPLES = 1 << 20  # 4 MB in float32: the native recording is never in memory as a whole


@dataclass(frozen=True)
class Decoded:
    """One recording as the model hears it."""

    samples: Floats  # (n,) mono, 16 kHz
    audio_hash: str
    frames: int  # as recorded
    swing: float  # half the way from lowest to highest sample, of the channel where it is widest; nan or inf if any is
    loudest: int  # the channel
    loudness: float  # its root mean square


class Forward(sf.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """A file that is read from its beginning to its end: some cannot say where that is."""

    def seekable(self) -> bool:
        """Keep soundfile from looking ahead."""
        return False


Open = Callable[[], Forward]


def promised_frames(file: Forward) -> int:
    """Say how many there are by the header; 0 if it does not say."""
    return int(file.frames) if file.frames < np.iinfo(np.int64).max else 0


@np.errstate(all="ignore")  # numbers that are none, and those that overflow, are the finding, not an accident
def decode_what_is_heard(file: Forward, opened: Open) -> Decoded:
    """Mix all channels; where that leaves next to nothing of what is in one of them, take the loudest alone.

    Both are judged by what is left at 16 kHz, and are not in memory at once.

    Args:
        file: Just opened.
        opened: Opens it again.
    """
    decoded, channels = _decode(file, mean_of_channels), file.channels
    mixed = loudness_of(decoded.samples) if channels > 1 else 0.0
    if channels == 1 or not is_cancelled(mixed, decoded.loudness):
        return decoded
    alone = only_channel(decoded.loudest)
    del decoded
    with opened() as again:
        decoded = _decode(again, alone)
    if is_cancelled(mixed, loudness_of(decoded.samples)):
        return decoded
    del decoded  # what made the channel loud is too high for the model
    with opened() as again:
        return _decode(again, mean_of_channels)


def _decode(file: Forward, mix: Mix) -> Decoded:
    rate_hz, channels = file.samplerate, file.channels
    promised = promised_frames(file)
    resample = _resampler(rate_hz)
    digest = hashlib.sha256(f"{rate_hz} {channels} ".encode())
    low, high = np.full(channels, np.inf), np.full(channels, -np.inf)
    loudness = Loudness()
    most = min(promised or round(MAX_DURATION_S * rate_hz), round(MAX_DURATION_S * rate_hz))
    # One second to spare for the resampler's rounding; filled in place, as an hour twice is too much.
    samples = np.empty(most * SAMPLE_RATE_HZ // rate_hz + SAMPLE_RATE_HZ, np.float32)
    filled = frames = 0
    size, is_last = max(1, BLOCK_SAMPLES // channels), False
    while not is_last and frames <= most:
        block = file.read(size, dtype="float32", always_2d=True)
        frames += len(block)
        is_last = len(block) < size or frames == promised
        digest.update(block.astype("<f4", copy=False).tobytes())
        low = np.minimum(low, block.min(0, initial=np.inf))
        high = np.maximum(high, block.max(0, initial=-np.inf))
        if channels > 1:
            loudness.add(block)
        resampled = resample(mix(block), is_last)[: len(samples) - filled]
        samples[filled : filled + len(resampled)] = resampled
        filled += len(resampled)
    swing = float(((high - low) / 2).max())
    rms = loudness.rms()
    return Decoded(samples[:filled], digest.hexdigest(), frames, swing, int(rms.argmax()), float(rms.max()))


def _resampler(rate_hz: int) -> Callable[[Floats, bool], Floats]:
    """Make what takes mono blocks, each with whether it is the last, to 16 kHz."""
    if rate_hz == SAMPLE_RATE_HZ:
        return lambda block, _: block  # so gives soxr, to the bit, and takes a quarter of the time of reading for it
    stream = soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32", quality="HQ")
    return lambda block, is_last: stream.resample_chunk(block, last=is_last)
