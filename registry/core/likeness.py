"""The bar that two sets of clips must pass to be one voice, and the probability that they are.

margin(A, B) = mean pairwise cosine(A, B) - bar(A, B)
bar(A, B)    = level + midway * (1 - level) * share A * share B     between strangers and one voice
+ scarcity * (1 / size A + 1 / size B) / 2           few clips prove less
+ raised                                             the more voices, the more look-alikes; the knob
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from registry.core.population import Population, estimate_population, voice_shares
from registry.core.probability_rule import ProbabilityRule
from registry.core.records import Floats, Integers
from registry.core.voices import Voices, own_cosines, weighted_means

STEEPEST = 50.0  # of the log odds, beyond which the exponential says nothing more


@dataclass(frozen=True)
class Sets:
    """k sets of clips as the bar sees them."""

    voices: Voices
    level: Floats  # (k,) cosine with strangers
    share: Floats  # (k,) share of voice in its vectors

    def __len__(self) -> int:
        """Count the sets."""
        return len(self.level)

    def take(self, rows: Integers) -> "Sets":
        """Give some of the sets, in the order asked for."""
        return Sets(self.voices.take(rows), self.level[rows], self.share[rows])

    def followed_by(self, other: "Sets") -> "Sets":
        """Put the sets of another after these."""
        return Sets(
            self.voices.followed_by(other.voices),
            np.concatenate([self.level, other.level]),
            np.concatenate([self.share, other.share]),
        )

    def write(self, row: int, one: "Sets") -> None:
        """Put a single set in the place of a row; of copies only, as `take` makes them."""
        self.voices.mean[row], self.voices.size[row] = one.voices.mean[0], one.voices.size[0]
        self.voices.inverse_s[row], self.voices.narrowness[row] = one.voices.inverse_s[0], one.voices.narrowness[0]
        self.level[row], self.share[row] = one.level[0], one.share[0]


@dataclass(frozen=True)
class Bar:
    """How alike two sets must be, given the population and the number of voices."""

    rule: ProbabilityRule
    base_noise: float
    voices: float  # among which they are to be told apart

    @cached_property
    def raised(self) -> float:
        """Cosine by which the bar stands higher for the number of voices and the accepted rate of false merges."""
        return strictness(self.voices, self.rule) + knob(self.rule)

    def sets(self, voices: Voices, level: Floats) -> Sets:
        """Complete voices, with their cosines with strangers (k,), by their shares.

        The share is the expected one, corrected by the set's own mean pairwise cosine as far as that is trusted.
        """
        own = own_cosines((voices.mean**2).sum(axis=1), voices.size)
        trust = self.rule.cohesion * np.minimum(voices.size - 1, self.rule.cohesion_clips)
        expected = voice_shares(voices.inverse_s, self.base_noise, self.rule) ** 2
        square = (expected + trust * (own - level) / (1 - level)) / (1 + trust)
        return Sets(voices, level, np.sqrt(np.maximum(square, 0)).astype(np.float32))

    def united(self, sets: Sets, labels: Integers) -> Sets:
        """Unite sets of one label (k,), labels counting from 0 without gaps."""
        level = weighted_means(sets.level[:, None], sets.voices.size, labels)[:, 0]
        return self.sets(sets.voices.united(labels), level)

    def margins(self, one: Sets, other: Sets) -> Floats:
        """Give how far each of some sets (a) is above the bar to each of others (b): (a, b)."""
        return one.voices.mean @ other.voices.mean.T - self.between(one, other)

    def between(self, one: Sets, other: Sets) -> Floats:
        """Give the mean pairwise cosine needed (a, b): a + b terms and one product, for it is asked very often."""
        scarce = [self.rule.scarcity / 2 / sets.voices.size + sets.level / 2 for sets in (one, other)]
        apart = (1 - one.level[:, None] / 2 - other.level / 2) * (self.rule.midway * one.share[:, None] * other.share)
        bar: Floats = (scarce[0] + self.raised).astype(np.float32)[:, None] + scarce[1].astype(np.float32) + apart
        return bar

    def probability(self, margin: float) -> float:
        """Give P(same voice) at a margin, whatever rate of false merges is accepted."""
        log_odds = (margin + knob(self.rule)) / self.rule.odds_scale
        return 1 / (1 + math.exp(-max(-STEEPEST, min(log_odds, STEEPEST))))

    def margin(self, probability: float) -> float:
        """Give the margin at which P(same voice) is so much."""
        return self.rule.odds_scale * math.log(probability / (1 - probability)) - knob(self.rule)


def bar_among(voices: Voices, rule: ProbabilityRule) -> tuple[Population, Bar]:
    """Learn from stored speakers alone how alike two of them must be."""
    population = estimate_population(voices, voices.mean[:0], rule)
    return population, Bar(rule, population.base_noise, len(voices))


def strictness(voices: float, rule: ProbabilityRule) -> float:
    """Raise the bar with the number of voices; at margin 0 then, the probability is one half."""
    doublings = np.log2(max(voices, rule.gallery_least) / rule.gallery_voices)
    return float(rule.gallery * doublings - rule.slack)


def knob(rule: ProbabilityRule) -> float:
    """Raise the bar for the accepted rate of false merges: a fifth of the rate asks for five times the odds."""
    return float(rule.odds_scale * np.log(rule.calibrated_rate / rule.false_merge_rate))
