"""The population: what the stored speakers and tonight's clips tell of all voices of their gender."""

from dataclasses import dataclass

import numpy as np

from registry.core.probability_rule import ProbabilityRule
from registry.core.records import Floats, Integers
from registry.core.voices import Voices, own_cosines

BLOCK_SETS = 1024  # compared with the cohort at a time: 8 MB
NOISE_FACTORS = 2.0 ** np.linspace(-2.5, 2.4, 40)  # of the usual base noise, among which the right one is sought


@dataclass(frozen=True)
class Population:
    """How alike strangers are, and how much one voice varies."""

    stranger: float  # cosine of two strangers
    base_noise: float  # noise-to-voice power of a very long clip
    cohort: Floats  # (m, dim) means of the stored speakers that stand for all strangers
    cohort_rows: Integers  # (m,) their rows among the stored speakers


def estimate_population(stored: Voices, tonight: Floats, rule: ProbabilityRule) -> Population:
    """Learn from the stored speakers and tonight's unit vectors (n, dim), either of which may be none."""
    rows = np.arange(0, len(stored), _step(len(stored), rule))
    nobody = tonight[:0]
    noise = learned_noise(stored, stranger_cosine(stored.mean, nobody, rule), rule)
    return Population(stranger_cosine(stored.mean, tonight, rule), noise, stored.mean[rows], rows)


def stranger_cosine(speakers: Floats, tonight: Floats, rule: ProbabilityRule) -> float:
    """Weigh what is usual, the stored speakers' means (s, dim) and tonight's unit vectors (n, dim)."""
    values, weights = [rule.stranger], [rule.stranger_speakers]
    if len(speakers) > 1:
        values.append(_quantile_of_pairs(speakers, rule.stranger_quantile, rule))
        weights.append(float(len(speakers)))
    if len(tonight) > 1:
        values.append(min(_quantile_of_pairs(tonight, rule.night_quantile, rule), rule.night_cap))
        weights.append(min(len(tonight) / rule.night_clips, rule.night_most))
    return float(np.average(values, weights=weights))


def _quantile_of_pairs(vectors: Floats, quantile: float, rule: ProbabilityRule) -> float:
    rows = vectors[:: _step(len(vectors), rule)]
    return float(np.quantile((rows @ rows.T)[np.triu_indices(len(rows), 1)], quantile))


def _step(count: int, rule: ProbabilityRule) -> int:
    return max(1, -(-count // rule.cohort_speakers))


def learned_noise(stored: Voices, stranger: float, rule: ProbabilityRule) -> float:
    """Find the base noise at which the stored speakers are as alike to themselves as they should be.

    A speaker weighs as its clips after the first. The learned value and the usual one are weighed on a log scale.
    """
    many = stored.take(np.flatnonzero(stored.size > 1))
    if len(many) == 0:
        return rule.base_noise
    weight = many.size - 1
    above = weight @ (own_cosines((many.mean**2).sum(axis=1), many.size) - stranger) / (1 - stranger)
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


def stranger_levels(
    means: Floats, population: Population, rule: ProbabilityRule, stored_rows: Integers | None = None
) -> Floats:
    """Give each set's cosine with strangers: the cohort's that are none of its voice, and the population's as one.

    Args:
        means: Means of the sets (k, dim).
        population: With the cohort.
        rule: The constants.
        stored_rows: The sets' rows among the stored speakers (k,) where they are such; none meets itself.
    """
    own = np.full(len(means), -1) if stored_rows is None else stored_rows
    levels = np.empty(len(means), dtype=np.float32)
    for start in range(0, len(means), BLOCK_SETS):
        block = slice(start, start + BLOCK_SETS)
        cosines = means[block] @ population.cohort.T
        strange = cosines < population.stranger + rule.stranger_width
        strange &= own[block, None] != population.cohort_rows
        total = np.where(strange, cosines, 0).sum(axis=1) + population.stranger
        levels[block] = total / (1 + strange.sum(axis=1))
    return levels
