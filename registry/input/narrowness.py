"""How narrow a line a recording was heard over, from its sound alone: a telephone ends at 3.4 kHz, no studio does."""

import math

import numpy as np
import numpy.typing as npt
import scipy.fft

from registry.core.records import Floats
from registry.input.decoding import SAMPLE_RATE_HZ

FRAME_SAMPLES = 512
STEP_SAMPLES = 256  # Hann windows half over one another weigh all samples alike
BLOCK_FRAMES = 1024  # 2 MB, whatever the length of the recording
EDGE_HZ = 4_200.0  # above what any telephone line or a rate of 8 kHz lets through
# Share of the power that is above: of the studio speech of four sets 99 % has more than -41 dB and none less than -54;
# the same by telephone or GSM has -90 to -69.
STUDIO_DB, TELEPHONE_DB = -48.0, -63.0

HANN = np.hanning(FRAME_SAMPLES + 1)[:-1].astype(np.float32)
IS_ABOVE = np.fft.rfftfreq(FRAME_SAMPLES, 1 / SAMPLE_RATE_HZ) > EDGE_HZ


def narrowness(samples: Floats) -> float:
    """Give 0 for a recording that is heard up to above 4.2 kHz, 1 where nothing is there, linear in dB between.

    The same samples give the same number. Silence tells nothing and has 0.

    Args:
        samples: Mono, 16 kHz (n,), finite, of any length and loudness.
    """
    power = _power(samples)
    total, above = float(power.sum()), float(power[IS_ABOVE].sum())
    if total == 0:
        return 0.0
    above_db = 10 * math.log10(above / total) if above else -math.inf
    return min(max((STUDIO_DB - above_db) / (STUDIO_DB - TELEPHONE_DB), 0.0), 1.0)


def _power(samples: Floats) -> npt.NDArray[np.float64]:
    """Add up the power spectra of all frames (257,), for a peak of 1: no sound is too loud for single precision."""
    power = np.zeros(len(IS_ABOVE))
    peak = max(samples.max(initial=0), -samples.min(initial=0))
    if peak == 0:
        return power
    whole = np.pad(samples, (0, max(0, FRAME_SAMPLES - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(whole, FRAME_SAMPLES)[::STEP_SAMPLES]
    for start in range(0, len(frames), BLOCK_FRAMES):
        spectra = scipy.fft.rfft(frames[start : start + BLOCK_FRAMES] / peak * HANN)
        power += (spectra.real**2 + spectra.imag**2).sum(axis=0)
    return power
