"""What the models of NVIDIA's NeMo see of a sound: 80 mel bands every 10 ms, by numpy and scipy.

As NeMo's AudioToMelSpectrogramPreprocessor makes them by the settings of TitaNet, without dither. They are not Kaldi's:
frames lie around their moment, beyond the ends is silence, and the bands are those of Slaney's Auditory Toolbox (1998),
each of one area.
"""

from functools import cache

import numpy as np
from scipy.fft import rfft

from registry.core.records import Floats
from registry.speech.runtimes.mel_features import BANDS, FRAME, PADDED, PREEMPHASIS, RATE_HZ, STEP

QUIET = np.float32(2**-24)  # added to the power of a band
LINEAR_TO_HZ = 1000.0  # bands are equally wide below, in a ratio above
LINEAR_HZ = 200 / 3  # to a mel, below
RATIO = np.log(6.4) / 27  # of the frequencies of two mels, its logarithm, above


def mel_bands(samples: Floats) -> Floats:
    """Give the logarithms of the bands of a sound: (n,) samples at 16 kHz, full scale 1 -> (n // 160, 80).

    Raises:
        ValueError: There are fewer than 160 samples, one step.
    """
    if len(samples) < STEP:
        raise ValueError(f"A frame is of at least {STEP} samples (10 ms), got {len(samples)}.")
    emphasised = np.asarray(samples, np.float32).copy()
    emphasised[1:] -= np.float32(PREEMPHASIS) * samples[:-1]
    around = np.lib.stride_tricks.sliding_window_view(np.pad(emphasised, PADDED // 2), PADDED)
    spectrum = rfft(around[::STEP][: len(samples) // STEP] * _shape())
    power: Floats = spectrum.real**2 + spectrum.imag**2
    bands: Floats = np.log(power @ _filters() + QUIET)
    return bands


@cache
def _shape() -> Floats:  # (512,) a Hann window in the middle
    return np.pad(np.hanning(FRAME), (PADDED - FRAME) // 2).astype(np.float32)


@cache
def _filters() -> Floats:  # (257, 80)
    edges = np.array([_hertz(mel) for mel in np.linspace(0, _mel(RATE_HZ / 2), BANDS + 2)])
    bins = np.linspace(0, RATE_HZ / 2, PADDED // 2 + 1)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0, np.minimum(rising, falling))
    filters: Floats = (triangles * 2 / (edges[2:] - edges[:-2])).astype(np.float32)
    return filters


def _mel(hertz: float) -> float:  # above 1 kHz
    return float(LINEAR_TO_HZ / LINEAR_HZ + np.log(hertz / LINEAR_TO_HZ) / RATIO)


def _hertz(mel: float) -> float:
    turn = LINEAR_TO_HZ / LINEAR_HZ
    return float(mel * LINEAR_HZ if mel < turn else LINEAR_TO_HZ * np.exp(RATIO * (mel - turn)))
