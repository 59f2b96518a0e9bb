"""The channel: a telephone moves the embeddings of all voices in the same direction, and the move can be undone."""

from dataclasses import dataclass

import numpy as np

from registry.core.linking.probability_rule import ProbabilityRule
from registry.core.linking.voices import Voices
from registry.core.records import Floats

LEAST_SQUARE = 0.2  # least squared length of a unit vector once moved: an estimate from a few voices may be far off


@dataclass(frozen=True)
class Channel:
    """How the unit vectors of a gender depend on narrowness: a straight line, the mean vector at each narrowness."""

    middle: Floats  # (dim,) the line at `narrowness`: the mean vector there
    slope: Floats  # (dim,) the mean vector of a telephone less that of a studio
    narrowness: float  # the mean narrowness of the registry's voices, from 0 to 1: all vectors are moved there

    def taken_out(self, voices: Voices) -> tuple[Voices, Floats]:
        """Move sets of clips to where they would be if all had been heard through the same channel.

        Vectors heard over a telephone lie close together. Moving them stretches them apart, and stretches the chance
        part of them as much.

        The line is straight, so the mean of a set moves as the set's clips would. Moved vectors are scaled, so that
        unit vectors keep the length 1 on average: a unit vector that is moved by `step` against the slope has on
        average the squared length 1 - 2 step (middle . slope) - step ** 2 (slope . slope).

        Args:
            voices: The sets (k).

        Returns:
            The moved sets (k), and the factor by which each was stretched (k,): 1 where nothing was moved.
        """
        step = voices.narrowness - np.float32(self.narrowness)
        square = 1 - 2 * step * (self.middle @ self.slope) - step**2 * (self.slope @ self.slope)
        length = np.sqrt(np.maximum(square, LEAST_SQUARE))
        mean = (voices.mean - step[:, None] * self.slope) / length[:, None]
        moved = Voices(mean.astype(np.float32), voices.size, voices.inverse_s, voices.narrowness)
        return moved, (1 / length).astype(np.float32)


def channels(voices: Voices, strangers: Voices, rule: ProbabilityRule) -> tuple[Channel, Channel]:
    """Learn what narrowness does to the vectors of each gender.

    The slope of a gender is a linear regression of its sets' vectors on their narrowness. A set with more clips weighs
    more, but never more than one voice. A gender of which few voices are heard through each of two channels leans on
    the slope of both genders together; the slope of both genders together leans on 0 in the same manner.

    Args:
        voices: Sets of the gender (k), none or more.
        strangers: Sets of the other gender (m), none or more.
        rule: The constants.

    Returns:
        The channel of the gender, and the channel of the other gender.
    """
    own, other = _regression(voices, rule), _regression(strangers, rule)
    weight = own.weight + other.weight
    narrowness = (own.weight * own.narrowness + other.weight * other.narrowness) / weight if weight else 0.0
    slope_of_both = (own.covariance + other.covariance) / (own.variance + other.variance + rule.channel_voices)
    return own.channel(slope_of_both, narrowness, rule), other.channel(slope_of_both, narrowness, rule)


@dataclass(frozen=True)
class _Regression:
    """The sums that a regression of some sets' vectors on their narrowness is made of."""

    weight: float  # of all sets together
    mean: Floats  # (dim,) weighted mean vector
    narrowness: float  # weighted mean
    covariance: Floats  # (dim,) of narrowness and vector, summed up by weight and not divided by it
    variance: float  # of narrowness, summed up likewise: a quarter of the weight, where half of it is by telephone

    def channel(self, slope_of_both: Floats, narrowness: float, rule: ProbabilityRule) -> Channel:
        """Give the channel of these sets, with its middle at a narrowness."""
        slope = (self.covariance + rule.channel_voices * slope_of_both) / (self.variance + rule.channel_voices)
        middle = self.mean + (narrowness - self.narrowness) * slope
        return Channel(middle.astype(np.float32), slope.astype(np.float32), narrowness)


def _regression(voices: Voices, rule: ProbabilityRule) -> _Regression:
    weights = voices.size / (voices.size - 1 + rule.clips_a_voice)
    nothing = np.zeros(voices.mean.shape[1], dtype=np.float32)
    if not len(voices):
        return _Regression(0.0, nothing, 0.0, nothing, 0.0)
    mean = np.average(voices.mean, axis=0, weights=weights)
    narrowness = float(np.average(voices.narrowness, weights=weights))
    away = weights * (voices.narrowness - narrowness)
    covariance = away @ (voices.mean - mean)
    variance = float(away @ (voices.narrowness - narrowness))
    return _Regression(float(weights.sum()), mean, narrowness, covariance, variance)
