"""What CAM++ and others see of a sound: 80 mel bands every 10 ms, by numpy and scipy, for runs that need no torch.

The same as Kaldi's filter banks (Povey et al., "The Kaldi Speech Recognition Toolkit", 2011) as torchaudio makes
them, within rounding, a test holds; importing torch takes as long as embedding minutes of speech.
"""

from functools import cache
from typing import Literal

import numpy as np
from scipy.fft import rfft

from registry.core.records import Floats

BANDS = 80
RATE_HZ = 16_000
FRAME = 400  # samples, 25 ms
STEP = 160  # samples, 10 ms
PADDED = 512  # samples of a transform
LOWEST_HZ, HIGHEST_HZ = 20.0, RATE_HZ / 2
PREEMPHASIS = 0.97
LEAST = np.float32(np.finfo(np.float32).eps)  # power below which a band is silent
BLOCK_FRAMES = 256  # transformed at a time: what they need stays in the processor's cache

Window = Literal["povey", "hamming", "hann"]


def centred_features(samples: Floats) -> Floats:
    """Give what CAM++ sees: `mel_bands` by Povey's window, less their mean.

    Raises:
        ValueError: There are fewer than 400 samples, one frame.
    """
    features = mel_bands(samples, "povey")
    features -= features.mean(axis=0)
    return features


def mel_bands(samples: Floats, window: Window) -> Floats:
    """Give the logarithms of the bands of a sound: (n,) samples at 16 kHz -> (frames, 80).

    Raises:
        ValueError: There are fewer than 400 samples, one frame.
    """
    if len(samples) < FRAME:
        raise ValueError(f"A frame is of at least {FRAME} samples (25 ms), got {len(samples)}.")
    frames = np.lib.stride_tricks.sliding_window_view(np.asarray(samples, np.float32), FRAME)[::STEP]
    features = np.empty((len(frames), BANDS), np.float32)
    for start in range(0, len(frames), BLOCK_FRAMES):
        block = slice(start, start + BLOCK_FRAMES)
        features[block] = _log_bands(frames[block], _shape(window))
    return features


def _log_bands(frames: Floats, shape: Floats) -> Floats:  # (n, 400), (400,) -> (n, 80)
    padded = np.zeros((len(frames), PADDED), np.float32)
    shaped = padded[:, :FRAME]
    np.subtract(frames, frames.mean(axis=1, keepdims=True), out=shaped)
    shaped[:, 1:] -= np.float32(PREEMPHASIS) * shaped[:, :-1]
    shaped[:, 0] *= np.float32(1 - PREEMPHASIS)
    shaped *= shape
    spectrum = rfft(padded, overwrite_x=True)  # in single precision, unlike that of older numpy
    power: Floats = spectrum.real**2 + spectrum.imag**2
    bands: Floats = np.log(np.maximum(power @ _filters(), LEAST))
    return bands


@cache
def _shape(window: Window) -> Floats:  # (400,)
    if window == "hamming":
        return np.hamming(FRAME).astype(np.float32)
    hann = np.hanning(FRAME)
    return (hann**0.85 if window == "povey" else hann).astype(np.float32)  # Povey's is never quite zero inside


@cache
def _filters() -> Floats:
    """Make the triangles of the bands, equally wide in mel: (257, 80); the last bin, at 8 kHz, is in none."""
    edges = np.linspace(_mel(LOWEST_HZ), _mel(HIGHEST_HZ), BANDS + 2)
    bins = _mel(np.arange(PADDED // 2) * (RATE_HZ / PADDED))[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0, np.minimum(rising, falling))
    return np.concatenate([triangles, np.zeros((1, BANDS))]).astype(np.float32)


def _mel(hertz: Floats | float) -> Floats:
    mel: Floats = 1127 * np.log1p(np.asarray(hertz, dtype=np.float64) / 700)
    return mel
