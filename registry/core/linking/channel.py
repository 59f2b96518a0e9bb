"""What a channel does to embeddings: a telephone moves all voices the same way, and the move can be taken out."""

from dataclasses import dataclass

import numpy as np

from registry.core.linking.probability_rule import ProbabilityRule
from registry.core.linking.voices import Voices
from registry.core.records import Floats

LEAST_SQUARE = 0.2  # of a vector's length without its channel: what is estimated from a few voices may be far off


@dataclass(frozen=True)
class Channel:
    """How a gender's unit vectors follow narrowness: the line through their means."""

    middle: Floats  # (dim,) mean vector at the narrowness that all are moved to
    slope: Floats  # (dim,) from a studio's to a telephone's
    narrowness: float  # that all are moved to, between 0 and 1: what the registry's voices have on average

    def taken_out(self, voices: Voices) -> tuple[Voices, Floats]:
        """Move sets of clips to where they would be, were all heard through the same channel.

        A telephone's vectors lie close together; moved, they are stretched apart, and so is what is by chance in them.

        A mean is moved as its clips would be, for the line is straight. Unit vectors stay as long as they were on
        average: a vector that is moved by a step along the slope has the squared length
        1 - 2 step (middle . slope) - step ** 2 (slope . slope).

        Returns:
            The sets, and how much each was stretched (k,): 1 where nothing was moved.
        """
        step = voices.narrowness - np.float32(self.narrowness)
        square = 1 - 2 * step * (self.middle @ self.slope) - step**2 * (self.slope @ self.slope)
        length = np.sqrt(np.maximum(square, LEAST_SQUARE))
        mean = (voices.mean - step[:, None] * self.slope) / length[:, None]
        moved = Voices(mean.astype(np.float32), voices.size, voices.inverse_s, voices.narrowness)
        return moved, (1 / length).astype(np.float32)


def channels(voices: Voices, strangers: Voices, rule: ProbabilityRule) -> tuple[Channel, Channel]:
    """Learn what narrowness does to the vectors of a gender (k), and of the other (m), either of which may be none.

    Both are a regression within the gender, in which a set weighs the more the more clips it has, up to that of a
    voice. A gender of few voices on both sides takes the slope of both, and both the slope of nothing.
    """
    lines = [_line(one, rule) for one in (voices, strangers)]
    heard = sum(line.weight for line in lines)
    narrowness = sum(line.weight * line.narrowness for line in lines) / heard if heard else 0.0
    both = sum((line.covariance for line in lines), np.float32(0)) / (
        sum(line.variance for line in lines) + rule.channel_voices
    )
    own, other = (line.channel(np.asarray(both), narrowness, rule) for line in lines)
    return own, other


@dataclass(frozen=True)
class _Line:
    """What a regression of some sets' vectors on their narrowness is made of."""

    weight: float
    mean: Floats  # (dim,)
    narrowness: float
    covariance: Floats  # (dim,) summed up
    variance: float  # summed up: of as many voices on each side a quarter of all

    def channel(self, both: Floats, narrowness: float, rule: ProbabilityRule) -> Channel:
        slope = (self.covariance + rule.channel_voices * both) / (self.variance + rule.channel_voices)
        middle = self.mean + (narrowness - self.narrowness) * slope
        return Channel(middle.astype(np.float32), slope.astype(np.float32), narrowness)


def _line(voices: Voices, rule: ProbabilityRule) -> _Line:
    weights = voices.size / (voices.size - 1 + rule.clips_a_voice)
    nothing = np.zeros(voices.mean.shape[1], dtype=np.float32)
    if not len(voices):
        return _Line(0.0, nothing, 0.0, nothing, 0.0)
    mean = np.average(voices.mean, axis=0, weights=weights)
    narrowness = float(np.average(voices.narrowness, weights=weights))
    away = weights * (voices.narrowness - narrowness)
    covariance = away @ (voices.mean - mean)
    return _Line(float(weights.sum()), mean, narrowness, covariance, float(away @ (voices.narrowness - narrowness)))
