"""The bar that two sets of clips must pass to be one voice, and the probability that they are.

Cosines of strangers and of one voice are taken for two Gaussians, see `gaussians`:

level          of strangers: the mean of both sets'
deviation ** 2 = stranger variance * (spread A ** 2 * spread B ** 2 + level error)          large sets vary less
way            = (1 - level) * share A * share B * (1 - line loss * how differently narrow they are)
voice variance = the larger, the less of both sets' vectors is voice, and no less than a voice drifts by from night to
                 night; but no larger than strangers'
margin(A, B)   = mean pairwise cosine(A, B) - bar(A, B)
bar(A, B)      = the cosine at which the log odds are the strictness

So where the way from strangers to one voice is short, as on a telephone, the bar is a larger part of it. The strictness
is the log odds against one voice before anything is heard: it grows with the number of voices and with the knob.
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

BLOCK_PAIRS = 64  # compared at a time, each with the other in its place: of the square only the diagonal is needed
STEEPEST = 50.0  # of the log odds, beyond which the exponential says nothing more


@dataclass(frozen=True)
class Sets:
    """k sets of clips as the bar sees them."""

    voices: Voices  # their channel taken out
    level: Floats  # (k,) cosine with strangers
    share: Floats  # (k,) share of voice in its vectors
    stretch: Floats  # (k,) by which its vectors became longer as their channel was taken out
    spread: Floats  # (k,) how far its cosines with strangers are spread, of a single clip's: their standard deviation

    def __len__(self) -> int:
        """Count the sets."""
        return len(self.level)

    def take(self, rows: Integers) -> "Sets":
        """Give some of the sets, in the order asked for."""
        of_sets = (self.level, self.share, self.stretch, self.spread)
        return Sets(self.voices.take(rows), *(values[rows] for values in of_sets))

    def followed_by(self, other: "Sets") -> "Sets":
        """Put the sets of another after these."""
        return Sets(
            self.voices.followed_by(other.voices),
            np.concatenate([self.level, other.level]),
            np.concatenate([self.share, other.share]),
            np.concatenate([self.stretch, other.stretch]),
            np.concatenate([self.spread, other.spread]),
        )

    def write(self, row: int, one: "Sets") -> None:
        """Put a single set in the place of a row; of copies only, as `take` makes them."""
        mine, its = self.voices, one.voices
        mine.mean[row], mine.size[row], mine.inverse_s[row] = its.mean[0], its.size[0], its.inverse_s[0]
        mine.narrowness[row] = its.narrowness[0]
        self.level[row], self.share[row] = one.level[0], one.share[0]
        self.stretch[row], self.spread[row] = one.stretch[0], one.spread[0]


@dataclass(frozen=True)
class Bar:
    """How alike two sets must be, given the population."""

    rule: ProbabilityRule
    population: Population

    @cached_property
    def strictness(self) -> float:
        """Log odds against one voice: for the number of voices and for the accepted rate of false merges."""
        return max(0.0, self._before + math.log(self.rule.calibrated_rate / self.rule.false_merge_rate))

    @property
    def _before(self) -> float:
        return self.rule.prior_odds + self.rule.voices_odds * math.log(self.population.voices)

    def stricter(self) -> "Bar":
        """Accept a tenth of the false merges."""
        return Bar(replace(self.rule, false_merge_rate=self.rule.false_merge_rate / 10), self.population)

    def sets(self, voices: Voices) -> Sets:
        """See sets of clips as the bar does: without their channel, each beside its strangers."""
        moved, stretch = self.population.channel.taken_out(voices)
        return self._complete(moved, self.population.levels(moved.mean, self.rule), stretch)

    def united(self, sets: Sets, labels: Integers) -> Sets:
        """Unite sets of one label (k,), labels counting from 0 without gaps."""
        level, stretch = weighted_means(np.stack([sets.level, sets.stretch], axis=1), sets.voices.size, labels).T
        return self._complete(sets.voices.united(labels), level, stretch)

    def without(self, sets: Sets, clips: Sets, is_in: Booleans) -> Sets:
        """Take a clip (k) out of each set that it is in; a set of one clip stays as it is."""
        gone = (is_in & (sets.voices.size > 1)).astype(np.int64)
        left = sets.voices.size - gone
        level, stretch = (
            ((whole * sets.voices.size - part * gone) / left).astype(np.float32)
            for whole, part in ((sets.level, clips.level), (sets.stretch, clips.stretch))
        )
        return self._complete(sets.voices.without(clips.voices, is_in), level, stretch)

    def _complete(self, voices: Voices, level: Floats, stretch: Floats) -> Sets:
        """Add shares and spreads.

        The share is the expected one, corrected by the set's own mean pairwise cosine as far as that is trusted.
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
        """Give how far each of some sets (a) is above the bar to each of others (b): (a, b)."""
        return one.voices.mean @ other.voices.mean.T - self.between(one, other)

    @cached_property
    def least(self) -> float:
        """Give what the bar is above the level of two single clips at least, however short or long the way."""
        position = least_position(self.strictness, self.rule.least_voice_variance)
        return position * math.sqrt(self.rule.stranger_variance)

    def most(self, one: Sets, other: Sets) -> Floats:
        """Give what the margins of some sets (a) with others (b) are at most: sooner told than the margins (a, b)."""
        level = one.level[:, None] / 2 + other.level / 2
        bar = level + np.float32(self.least) * (one.spread[:, None] * other.spread)
        most: Floats = one.voices.mean @ other.voices.mean.T - bar
        return most

    def between(self, one: Sets, other: Sets) -> Floats:
        """Give the mean pairwise cosine needed (a, b)."""
        level, deviation, way, variance = self._gaussians(one, other)
        bar: Floats = level + deviation * position_at(self.strictness, way, variance)
        return bar

    def log_odds(self, one: Sets, other: Sets) -> Floats:
        """Give the log odds of one voice of each of some sets (a) and each of others (b), whatever rate is accepted."""
        level, deviation, way, variance = self._gaussians(one, other)
        position = (one.voices.mean @ other.voices.mean.T - level) / deviation
        odds: Floats = log_odds(position, way, variance) - np.float32(self._before)
        return odds

    def _gaussians(self, one: Sets, other: Sets) -> tuple[Floats, Floats, Floats, Floats]:
        """Give the mean of strangers' cosines and their deviation, and in that measure the way and the voice variance.

        Each of some sets (a) is seen beside each of others (b): four times (a, b).
        """
        rule = self.rule
        level: Floats = (one.level[:, None] + other.level) * np.float32(0.5)
        share = one.share[:, None] * other.share
        loss = np.float32(rule.line_loss) * np.abs(one.voices.narrowness[:, None] - other.voices.narrowness)
        deviation: Floats = np.sqrt(self.variances(one, other))
        unlike = np.maximum((1 - level) * (1 - share), 0)
        variance = np.float32(rule.voice_variance) * unlike * np.sqrt(unlike)
        way: Floats = (1 - level) * share * (1 - loss) / deviation
        variance = np.clip(variance + (np.float32(rule.voice_drift) * way) ** 2, rule.least_voice_variance, 1)
        return level, deviation, way, variance

    def variances(self, one: Sets, other: Sets) -> Floats:
        """Give how far cosines of each of some sets (a) and each of others (b) vary, were they strangers: (a, b)."""
        spread = one.spread[:, None] ** 2 * other.spread**2
        variance: Floats = np.float32(self.rule.stranger_variance) * (spread + np.float32(self.rule.level_error))
        return variance


def bar_among(voices: Voices, strangers: Voices, rule: ProbabilityRule, stands_for: float = 1.0) -> Bar:
    """Learn from the sets of a gender (k) and of the other (m) how alike two of the former must be.

    Each of the voices may stand for several.
    """
    return Bar(rule, population_of(voices, strangers, rule, stands_for))


def each_log_odds(ones: Sets, others: Sets, bar: Bar) -> Floats:
    """Give the log odds of one voice of each set and the other in its place (k,)."""
    blocks = (np.arange(start, min(start + BLOCK_PAIRS, len(ones))) for start in range(0, len(ones), BLOCK_PAIRS))
    found = [np.diagonal(bar.log_odds(ones.take(block), others.take(block))) for block in blocks]
    return np.concatenate(found) if found else np.empty(0, dtype=np.float32)


def probability(log_odds: Floats) -> Floats:
    """Give P(same voice) at log odds."""
    found: Floats = (1 / (1 + np.exp(-np.clip(log_odds, -STEEPEST, STEEPEST)))).astype(np.float32)
    return found
