"""The population: how alike strangers are, and how much one voice varies, before anybody is named.

Strangers that are certain tell it: clips of the other gender, which no voice can be on both sides of. They are a little
less alike than strangers of one gender, by the same line on every sound, from audiobooks to GSM.
"""

from dataclasses import dataclass

import numpy as np

from registry.core.linking.channel import Channel, channels
from registry.core.linking.probability_rule import ProbabilityRule
from registry.core.linking.voices import Voices, own_cosines
from registry.core.records import Floats

BLOCK_SETS = 1024  # compared with all strangers at a time: 2 MB
NOISE_FACTORS = 2.0 ** np.linspace(-2.5, 2.4, 40)  # of the usual base noise, among which the right one is sought
NEAREST_ABOVE_MEAN = 1.667  # deviations: so far above the mean of all is that of the nearest 0.12 in a Gaussian


@dataclass(frozen=True)
class Population:
    """Of whom the voices of a gender are."""

    channel: Channel  # of that gender
    strangers: Floats  # (m, dim) means of the other gender's sets, their channel taken out
    base_noise: float  # noise-to-voice power of a very long clip
    voices: float  # of equal size, among which it is as improbable that two clips are of one

    def levels(self, means: Floats, rule: ProbabilityRule) -> Floats:
        """Give the cosine that each of some sets would have with strangers of its gender (k,).

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
        told = rule.other_gender_factor * other_gender + rule.other_gender_offset
        told = np.minimum(told, (1 + other_gender) / 2)  # of a model all of whose cosines are high
        weight = len(self.strangers)
        levels: Floats = (usual * rule.stranger_sets + told * weight) / np.float32(rule.stranger_sets + weight)
        return levels.astype(np.float32)


def _of_own_sound(cosines: Floats, rule: ProbabilityRule) -> Floats:
    """Give each set's mean cosine (k,) with those strangers (k, m) that share its sound.

    Where there are several sounds, as studios and halls, those of the set's own are the nearest. The mean of all is
    inferred from the nearest, as of a Gaussian; it is never below the mean of all sounds.
    """
    count = cosines.shape[1]
    nearest = max(1, round(rule.nearest_share * count))
    near = np.partition(cosines, count - nearest, axis=1)[:, count - nearest :].mean(axis=1)
    own: Floats = np.maximum(near - NEAREST_ABOVE_MEAN * rule.other_gender_spread, cosines.mean(axis=1))
    return own


def population_of(voices: Voices, strangers: Voices, rule: ProbabilityRule, stands_for: float = 1.0) -> Population:
    """Learn from some sets of a gender, its speakers or clips, and from clips of the other.

    Args:
        voices: The sets of the gender (k), which may be none.
        strangers: The clips of the other (m), which may be none.
        rule: The constants.
        stands_for: How many voices each set of the gender stands for.
    """
    own, other = channels(voices, strangers, rule)
    before = Population(
        own, other.taken_out(strangers)[0].mean, rule.base_noise, stands_for * effective_voices(voices, rule)
    )
    moved, _ = own.taken_out(voices)
    noise = learned_noise(moved, before.levels(moved.mean, rule), rule)
    return Population(own, before.strangers, noise, before.voices)


def effective_voices(voices: Voices, rule: ProbabilityRule) -> float:
    """Give the number of equally large voices among which two clips are as seldom of one as among these.

    A single clip counts as if it were one of a voice's usual number, for it may not have met the others yet.
    """
    clips = voices.size.sum()
    pairs = (voices.size * np.where(voices.size == 1, rule.clips_a_voice, voices.size)).sum()
    return max(float(clips) ** 2 / max(float(pairs), 1.0), rule.least_voices)


def learned_noise(voices: Voices, levels: Floats, rule: ProbabilityRule) -> float:
    """Find the base noise at which some sets are as alike to themselves as they should be.

    A set weighs as its clips after the first. The learned value and the usual one are weighed on a log scale.

    Args:
        voices: The sets (k).
        levels: Their cosines with strangers (k,).
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
    """Give the expected share of voice in a set's vectors (k,).

    The product of two shares is the cosine to expect above the strangers', as a part of what is left up to 1.
    """
    shares: Floats = (1 / np.sqrt(1 + base_noise * (1 + rule.short_s * inverse_s))).astype(np.float32)
    return shares
