"""The population: how alike different voices of a gender are, and how much one voice varies, learned without labels.

Certain strangers tell how alike different voices are: a clip of one gender and a clip of the other are never of one
voice. Two strangers of different gender are a little less alike than two strangers of the same gender. The mean cosine
of strangers of the same gender is a linear function of the mean cosine of strangers of different gender. The function
is the same for every kind of sound, from audiobooks to GSM.
"""

from dataclasses import dataclass

import numpy as np

from registry.core.linking.channel import Channel, channels
from registry.core.linking.probability_rule import ProbabilityRule
from registry.core.linking.voices import Voices, own_cosines
from registry.core.records import Floats

BLOCK_SETS = 1024  # sets compared with all strangers at a time: 2 MB
NOISE_FACTORS = 2.0 ** np.linspace(-2.5, 2.4, 40)  # times the usual base noise: the values that the search tries
NEAREST_ABOVE_MEAN = 1.667  # deviations by which the mean of the highest 0.12 of a Gaussian is above the mean of all


@dataclass(frozen=True)
class Population:
    """What is known of the voices of a gender as a whole."""

    channel: Channel  # of the gender
    strangers: Floats  # (m, dim) means of the other gender's sets, their channel taken out
    base_noise: float  # power of the noise in the embedding of a very long clip, in powers of the voice in it
    voices: float  # effective number of voices, see `effective_voices`

    def levels(self, means: Floats, rule: ProbabilityRule) -> Floats:
        """Give the level of each set: the mean cosine to expect of the set and other voices of its gender (k,).

        Args:
            means: Means of the sets, their channel taken out (k, dim).
            rule: The constants.
        """
        usual = rule.stranger + (rule.stranger_by_telephone - rule.stranger) * self.channel.narrowness
        if not len(self.strangers):
            return np.full(len(means), usual, dtype=np.float32)
        blocks = (slice(start, start + BLOCK_SETS) for start in range(0, len(means), BLOCK_SETS))
        found = [_of_own_sound(means[block] @ self.strangers.T, rule) for block in blocks]
        other_gender = np.concatenate(found) if found else np.empty(0, dtype=np.float32)
        inferred = rule.other_gender_factor * other_gender + rule.other_gender_offset
        inferred = np.minimum(inferred, (1 + other_gender) / 2)  # below 1, also where a model's cosines are all high
        weight = len(self.strangers)
        levels: Floats = (usual * rule.stranger_sets + inferred * weight) / np.float32(rule.stranger_sets + weight)
        return levels.astype(np.float32)


def _of_own_sound(cosines: Floats, rule: ProbabilityRule) -> Floats:
    """Give the mean cosine of each set and the strangers that were heard as the set was (k,).

    A registry may hold several kinds of sound, such as studios and halls. The strangers nearest to a set are of the
    set's own kind. The mean over all strangers of that kind is inferred from the nearest, as if their cosines were
    Gaussian. The result is never below the mean over the strangers of all kinds.

    Args:
        cosines: Cosines of the sets with all strangers (k, m).
        rule: The constants.
    """
    count = cosines.shape[1]
    nearest = max(1, round(rule.nearest_share * count))
    near = np.partition(cosines, count - nearest, axis=1)[:, count - nearest :].mean(axis=1)
    own: Floats = np.maximum(near - NEAREST_ABOVE_MEAN * rule.other_gender_spread, cosines.mean(axis=1))
    return own


def population_of(voices: Voices, strangers: Voices, rule: ProbabilityRule, stands_for: float = 1.0) -> Population:
    """Learn the population of a gender.

    Args:
        voices: Sets of the gender (k), speakers or clips, none or more.
        strangers: Clips of the other gender (m), none or more.
        rule: The constants.
        stands_for: How many voices each set of the gender stands for: more than 1 where the sets are a sample.
    """
    own, other = channels(voices, strangers, rule)
    before = Population(
        own, other.taken_out(strangers)[0].mean, rule.base_noise, stands_for * effective_voices(voices, rule)
    )
    moved, _ = own.taken_out(voices)
    noise = learned_noise(moved, before.levels(moved.mean, rule), rule)
    return Population(own, before.strangers, noise, before.voices)


def effective_voices(voices: Voices, rule: ProbabilityRule) -> float:
    """Give the effective number of voices: how many voices of equal size would do as well as these sets.

    Two clips taken by chance are then of one voice as seldom as two clips of these sets. A single clip counts as if its
    voice had the usual number of clips, because the voice's other clips may not have been joined with it yet.

    Args:
        voices: The sets (k).
        rule: The constants.
    """
    clips = voices.size.sum()
    pairs = (voices.size * np.where(voices.size == 1, rule.clips_a_voice, voices.size)).sum()
    return max(float(clips) ** 2 / max(float(pairs), 1.0), rule.least_voices)


def learned_noise(voices: Voices, levels: Floats, rule: ProbabilityRule) -> float:
    """Find the base noise that explains how alike the clips of each set are.

    The weight of a set is its number of clips after the first. The result is the weighted mean, on a log scale, of the
    value found and of the usual value.

    Args:
        voices: The sets (k), their channel taken out.
        levels: Their levels (k,).
        rule: The constants.
    """
    several = np.flatnonzero(voices.size > 1)
    if len(several) == 0:
        return rule.base_noise
    many, level = voices.take(several), levels[several]
    weight = many.size - 1
    above = weight @ ((own_cosines((many.mean**2).sum(axis=1), many.size) - level) / (1 - level))
    noises = rule.base_noise * NOISE_FACTORS
    excess = [abs(float(weight @ voice_shares(many.inverse_s, noise, rule) ** 2 - above)) for noise in noises]
    learned = noises[int(np.argmin(excess))]
    weights = [rule.base_noise_clips, weight.sum()]
    return float(np.exp(np.average(np.log([rule.base_noise, learned]), weights=weights)))


def voice_shares(inverse_s: Floats, base_noise: float, rule: ProbabilityRule) -> Floats:
    """Give the share of voice to expect in the vectors of each set (k,), from 0 to 1.

    Two sets of one voice, with the shares a and b, have the cosine level + (1 - level) * a * b.

    Args:
        inverse_s: Mean of 1 / duration of the sets' clips, per second (k,).
        base_noise: Power of the noise in the embedding of a very long clip, in powers of the voice in it.
        rule: The constants.
    """
    shares: Floats = (1 / np.sqrt(1 + base_noise * (1 + rule.short_s * inverse_s))).astype(np.float32)
    return shares
