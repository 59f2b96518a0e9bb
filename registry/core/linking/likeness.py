"""The bar that two sets of clips must reach to be one voice, and the probability that they are one voice.

The cosines of strangers and the cosines of one voice are taken for two Gaussians, see `gaussians`. For two sets A, B:

level          = (level A + level B) / 2, the mean of strangers' cosines
deviation ** 2 = stranger variance * (spread A ** 2 * spread B ** 2 + level error), the variance of strangers' cosines:
                 large sets vary less
separation     = (1 - level) * share A * share B * (1 - line loss * |narrowness A - narrowness B|), the mean of one
                 voice's cosines less the mean of strangers'; `gaussians` takes it in deviations
voice variance = the variance of one voice's cosines: larger where less of both sets' vectors is voice, never less than
                 a voice drifts by from night to night, never more than the variance of strangers' cosines
bar            = the cosine at which the log odds of one voice are the strictness
margin         = mean cosine over all pairs of clips of A and B, less the bar

Where strangers and one voice are little apart, as on a telephone, the bar is a larger part of the separation. The
strictness is the log odds against one voice before anything is heard. It grows with the number of voices, and as the
accepted rate of false merges falls.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from registry.core.linking.gaussians import least_position, log_odds, position_at
from registry.core.linking.population import Population, population_of, voice_shares
from registry.core.linking.probability_rule import ProbabilityRule
from registry.core.linking.voices import Voices, own_cosines, weighted_means
from registry.core.records import Booleans, Floats, Integers

BLOCK_PAIRS = 64  # pairs computed at a time, as the diagonal of a square: a larger square costs more for nothing
STEEPEST = 50.0  # log odds are cut off here: beyond, P(same voice) is within 1e-21 of 0 or 1


@dataclass(frozen=True)
class Sets:
    """k sets of clips with all that the bar depends on."""

    voices: Voices  # the sets' summaries, their channel taken out
    level: Floats  # (k,) mean cosine with other voices of the gender
    share: Floats  # (k,) share of voice in the set's vectors, from 0 to 1
    stretch: Floats  # (k,) factor by which taking the channel out lengthened the set's vectors
    spread: Floats  # (k,) deviation of the set's cosines with strangers, relative: 1 for an unstretched clip of level 0

    def __len__(self) -> int:
        """Count the sets."""
        return len(self.level)

    def take(self, rows: Integers) -> "Sets":
        """Give the sets of some rows (r,), in the order of the rows."""
        return Sets(
            self.voices.take(rows),
            self.level[rows],
            self.share[rows],
            self.stretch[rows],
            self.spread[rows],
        )

    def followed_by(self, other: "Sets") -> "Sets":
        """Append the sets of another to these sets."""
        return Sets(
            self.voices.followed_by(other.voices),
            np.concatenate([self.level, other.level]),
            np.concatenate([self.share, other.share]),
            np.concatenate([self.stretch, other.stretch]),
            np.concatenate([self.spread, other.spread]),
        )

    def write(self, row: int, one: "Sets") -> None:
        """Write a single set over a row, in place: only for arrays of one's own, as `take` makes them."""
        self.voices.mean[row] = one.voices.mean[0]
        self.voices.size[row] = one.voices.size[0]
        self.voices.inverse_s[row] = one.voices.inverse_s[0]
        self.voices.narrowness[row] = one.voices.narrowness[0]
        self.level[row] = one.level[0]
        self.share[row] = one.share[0]
        self.stretch[row] = one.stretch[0]
        self.spread[row] = one.spread[0]


@dataclass(frozen=True)
class Bar:
    """How alike two sets must be to be one voice, given the constants and the population."""

    rule: ProbabilityRule
    population: Population

    @cached_property
    def strictness(self) -> float:
        """The log odds of one voice at the bar: the prior log odds, corrected for the accepted rate of false merges."""
        return max(0.0, self._prior_against + math.log(self.rule.calibrated_rate / self.rule.false_merge_rate))

    @property
    def _prior_against(self) -> float:
        """The log odds against one voice before anything is heard: the more voices there are, the higher."""
        return self.rule.prior_odds + self.rule.voices_odds * math.log(self.population.voices)

    def stricter(self) -> "Bar":
        """Give the bar that accepts a tenth of the false merges."""
        return Bar(replace(self.rule, false_merge_rate=self.rule.false_merge_rate / 10), self.population)

    def sets(self, voices: Voices) -> Sets:
        """Prepare sets of clips (k) for comparison: take out their channel, and find what the bar depends on."""
        moved, stretch = self.population.channel.taken_out(voices)
        return self._complete(moved, self.population.levels(moved.mean, self.rule), stretch)

    def united(self, sets: Sets, labels: Integers) -> Sets:
        """Unite all sets that have the same label (k,). Labels count from 0 without gaps."""
        level, stretch = weighted_means(np.stack([sets.level, sets.stretch], axis=1), sets.voices.size, labels).T
        return self._complete(sets.voices.united(labels), level, stretch)

    def without(self, sets: Sets, clips: Sets, is_in: Booleans) -> Sets:
        """Take one clip out of each set. A set of one clip stays as it is.

        Args:
            sets: The sets (k).
            clips: For each set a clip, as a set of its own (k).
            is_in: Whether the clip is one of the set's clips (k,); where it is not, the set stays as it is.
        """
        gone = (is_in & (sets.voices.size > 1)).astype(np.int64)
        left = sets.voices.size - gone
        level = ((sets.level * sets.voices.size - clips.level * gone) / left).astype(np.float32)
        stretch = ((sets.stretch * sets.voices.size - clips.stretch * gone) / left).astype(np.float32)
        return self._complete(sets.voices.without(clips.voices, is_in), level, stretch)

    def _complete(self, voices: Voices, level: Floats, stretch: Floats) -> Sets:
        """Compute the shares and the spreads of some sets (k) from their summaries, levels (k,) and stretches (k,).

        The squared share is a weighted mean of two values: the one to expect of clips of such durations, and the one
        that the set's own mean pairwise cosine tells. The latter weighs more in sets of more clips.
        """
        squares = (voices.mean**2).sum(axis=1)
        own = own_cosines(squares, voices.size)
        trust = self.rule.cohesion * np.minimum(voices.size - 1, self.rule.cohesion_clips)
        expected = voice_shares(voices.inverse_s, self.population.base_noise, self.rule) ** 2
        square = np.maximum((expected + trust * (own - level) / (1 - level)) / (1 + trust), self.rule.least_share)
        length = np.clip((squares - level) / (1 - level), self.rule.least_length, 1)
        spread = stretch * length ** (self.rule.spread_exponent / 2) * np.sqrt(1 - self.rule.spread_loss * level)
        return Sets(voices, level, np.sqrt(square).astype(np.float32), stretch, spread.astype(np.float32))

    def margins(self, one: Sets, other: Sets) -> Floats:
        """Give the margins of some sets (a) with some others (b): (a, b)."""
        return one.voices.mean @ other.voices.mean.T - self.between(one, other)

    @cached_property
    def least(self) -> float:
        """The least that the bar can be above the level, for two sets of spread 1 and whatever their separation."""
        position = least_position(self.strictness, self.rule.least_voice_variance)
        return position * math.sqrt(self.rule.stranger_variance)

    def most(self, one: Sets, other: Sets) -> Floats:
        """Give upper bounds (a, b) of the margins of some sets (a) with some others (b).

        The bounds are faster to compute than the margins.
        """
        level = one.level[:, None] / 2 + other.level / 2
        bar = level + np.float32(self.least) * (one.spread[:, None] * other.spread)
        most: Floats = one.voices.mean @ other.voices.mean.T - bar
        return most

    def between(self, one: Sets, other: Sets) -> Floats:
        """Give the bar between some sets (a) and some others (b), the mean pairwise cosine that joins them: (a, b)."""
        level, deviation, separation, variance = self._gaussians(one, other)
        bar: Floats = level + deviation * position_at(self.strictness, separation, variance)
        return bar

    def log_odds(self, one: Sets, other: Sets) -> Floats:
        """Give the log odds that each of some sets (a) is one voice with each of some others (b): (a, b).

        The accepted rate of false merges has no influence on them.
        """
        level, deviation, separation, variance = self._gaussians(one, other)
        position = (one.voices.mean @ other.voices.mean.T - level) / deviation
        odds: Floats = log_odds(position, separation, variance) - np.float32(self._prior_against)
        return odds

    def _gaussians(self, one: Sets, other: Sets) -> tuple[Floats, Floats, Floats, Floats]:
        """Give the two Gaussians for each of some sets (a) and each of some others (b).

        Returns:
            Level, mean of strangers' cosines (a, b).
            Deviation, standard deviation of strangers' cosines (a, b).
            Separation of one voice's cosines from strangers', in these deviations (a, b).
            Voice variance, variance of one voice's cosines, in strangers' variances (a, b).
        """
        rule = self.rule
        level: Floats = (one.level[:, None] + other.level) * np.float32(0.5)
        share = one.share[:, None] * other.share
        loss = np.float32(rule.line_loss) * np.abs(one.voices.narrowness[:, None] - other.voices.narrowness)
        deviation: Floats = np.sqrt(self.variances(one, other))
        unlike = np.maximum((1 - level) * (1 - share), 0)
        variance = np.float32(rule.voice_variance) * unlike * np.sqrt(unlike)
        separation: Floats = (1 - level) * share * (1 - loss) / deviation
        variance = np.clip(variance + (np.float32(rule.voice_drift) * separation) ** 2, rule.least_voice_variance, 1)
        return level, deviation, separation, variance

    def variances(self, one: Sets, other: Sets) -> Floats:
        """Give the variance of strangers' cosines for each of some sets (a) and each of some others (b): (a, b)."""
        spread = one.spread[:, None] ** 2 * other.spread**2
        variance: Floats = np.float32(self.rule.stranger_variance) * (spread + np.float32(self.rule.level_error))
        return variance


def bar_among(voices: Voices, strangers: Voices, rule: ProbabilityRule, stands_for: float = 1.0) -> Bar:
    """Learn the bar between sets of a gender.

    Args:
        voices: Sets of the gender (k), speakers or clips, none or more.
        strangers: Clips of the other gender (m), none or more.
        rule: The constants.
        stands_for: How many voices each set of the gender stands for: more than 1 where the sets are a sample.
    """
    return Bar(rule, population_of(voices, strangers, rule, stands_for))


def each_log_odds(ones: Sets, others: Sets, bar: Bar) -> Floats:
    """Give the log odds of one voice pair by pair, of `ones[i]` and `others[i]`: (k,).

    Args:
        ones: Sets (k).
        others: As many others (k).
        bar: The bar between them.
    """
    blocks = (np.arange(start, min(start + BLOCK_PAIRS, len(ones))) for start in range(0, len(ones), BLOCK_PAIRS))
    found = [np.diagonal(bar.log_odds(ones.take(block), others.take(block))) for block in blocks]
    return np.concatenate(found) if found else np.empty(0, dtype=np.float32)


def probability(log_odds: Floats) -> Floats:
    """Turn log odds of one voice into P(same voice), of the same shape."""
    found: Floats = (1 / (1 + np.exp(-np.clip(log_odds, -STEEPEST, STEEPEST)))).astype(np.float32)
    return found
