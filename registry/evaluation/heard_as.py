"""Speech as if it had come another way: by telephone, by Opus, from a room that echoes, or in noise."""

from io import BytesIO
from typing import Literal

import numpy as np
import soundfile as sf
import soxr
from scipy.signal import butter, fftconvolve, sosfiltfilt

from registry.core.records import Floats
from registry.input.decoding import SAMPLE_RATE_HZ

Heard = Literal["as-it-is", "telephone", "gsm", "opus", "room", "noise"]
LINE_HZ = (300, 3400)  # what a telephone line lets through
LINE_RATE_HZ = 8_000
LOUDEST = 0.7  # of full scale, on a line
ECHO_S = (0.4, 0.9)  # until the echo of a room is 60 dB down
DIRECT = 8.0  # how much louder the voice is than the beginning of its echo
NOISE_DB = 15.0  # by which pink noise is below the voice, as a bed of music is
SILENCE = 1e-6


def heard_as(samples: Floats, heard: Heard, rng: np.random.Generator) -> Floats:
    """Change speech as a line, a codec, a room or noise does.

    Args:
        samples: Mono, 16 kHz (n,), at least half a second.
        heard: Which way it came.
        rng: What the room and the noise are drawn from.

    Returns:
        Mono, 16 kHz, of about the same length, no sample above 0.99.
    """
    if heard == "as-it-is":
        return samples
    if heard == "telephone":
        changed = _coded(_on_a_line(samples), LINE_RATE_HZ, "WAV", "ULAW")
    elif heard == "gsm":
        changed = _coded(_on_a_line(samples), LINE_RATE_HZ, "WAV", "GSM610")
    elif heard == "opus":
        changed = _coded(samples, SAMPLE_RATE_HZ, "OGG", "OPUS")
    elif heard == "room":
        changed = _in_a_room(samples, rng)
    else:
        changed = _in_noise(samples, rng)
    peak = max(float(np.abs(changed).max()), SILENCE)
    quiet: Floats = (changed * min(1.0, 0.99 / peak)).astype(np.float32)
    return quiet


def _on_a_line(samples: Floats) -> Floats:
    band = butter(6, LINE_HZ, "bandpass", fs=SAMPLE_RATE_HZ, output="sos")
    narrow = soxr.resample(sosfiltfilt(band, samples), SAMPLE_RATE_HZ, LINE_RATE_HZ)
    level: Floats = (LOUDEST * narrow / max(float(np.abs(narrow).max()), SILENCE)).astype(np.float32)
    return level


def _coded(samples: Floats, rate_hz: int, container: str, codec: str) -> Floats:
    """Write by a codec, at its lowest rate where it has several, and read again."""
    file = BytesIO()
    lowest_rate = {"compression_level": 1.0} if codec == "OPUS" else {}
    sf.write(file, samples, rate_hz, format=container, subtype=codec, **lowest_rate)
    file.seek(0)
    read, read_hz = sf.read(file, dtype="float32")
    again: Floats = read if read_hz == SAMPLE_RATE_HZ else soxr.resample(read, read_hz, SAMPLE_RATE_HZ)
    return again


def _in_a_room(samples: Floats, rng: np.random.Generator) -> Floats:
    length = round(rng.uniform(*ECHO_S) * SAMPLE_RATE_HZ)
    echo = rng.standard_normal(length) * 10 ** (-3 * np.arange(length) / length)
    echo[0] = DIRECT
    heard: Floats = fftconvolve(samples, echo / np.linalg.norm(echo))[: len(samples)]
    return heard


def _in_noise(samples: Floats, rng: np.random.Generator) -> Floats:
    white = np.fft.rfft(rng.standard_normal(len(samples)))
    pink = np.fft.irfft(white / np.sqrt(1 + np.arange(len(white))), len(samples))
    share = np.sqrt(np.mean(samples**2) / np.mean(pink**2)) * 10 ** (-NOISE_DB / 20)
    heard: Floats = (samples + share * pink).astype(np.float32)
    return heard
