"""Many channels become the one that the model hears: what the ear hears must not cancel out."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from registry.core.records import Floats

Mix = Callable[[Floats], Floats]  # (n, channels) -> (n,)
# The mean of two strangers' channels has .7 of the loudness of one, that of a voice and a silent channel .5. A voice
# and its inverse leave what differs between them: dither, which is alike in everybody.
CANCELLED = 0.4


def mean_of_channels(block: Floats) -> Floats:
    """Mix all channels; numbers that are none stay so."""
    with np.errstate(all="ignore"):  # infinity minus infinity is a finding, not an accident
        return np.ascontiguousarray(block.mean(axis=1))


def only_channel(channel: int) -> Mix:
    """Take one channel and leave out the others."""
    return lambda block: np.ascontiguousarray(block[:, channel])


@dataclass
class Loudness:
    """The root mean square of what was added, for each column; a constant offset is no sound."""

    _count: int = 0
    _sum: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(1))
    _squares: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(1))

    def add(self, block: Floats) -> None:
        """Take in the next samples, (n, columns)."""
        with np.errstate(all="ignore"):
            self._count += len(block)
            self._sum = self._sum + block.sum(axis=0, dtype=np.float64)
            self._squares = self._squares + np.einsum("ij,ij->j", block, block, dtype=np.float64)

    def rms(self) -> npt.NDArray[np.float64]:
        """Give the loudness of each column; NaN where a sample is no number."""
        with np.errstate(all="ignore"):
            mean = self._sum / max(1, self._count)
            return np.sqrt(np.maximum(0.0, self._squares / max(1, self._count) - mean**2))


def loudness_of(samples: Floats, piece: int = 1 << 20) -> float:
    """Give the loudness of mono samples, without a copy of an hour."""
    loudness = Loudness()
    pieces: Iterable[Floats] = (samples[at : at + piece, None] for at in range(0, len(samples), piece))
    for block in pieces:
        loudness.add(block)
    return float(loudness.rms()[0])


def is_cancelled(mixed: float, alone: float) -> bool:
    """Tell whether a mix has lost what a channel alone has."""
    return mixed < CANCELLED * alone
