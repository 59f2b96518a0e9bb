"""The population: what the stored speakers and tonight's clips tell of all voices of their gender."""

from dataclasses import dataclass, replace

import numpy as np

from registry.core.probability_rule import ProbabilityRule
from registry.core.records import Booleans, Floats, Integers
from registry.core.voices import Voices, own_cosines

BLOCK_SETS = 1024  # compared with the cohort at a time: 8 MB
SAMPLED_SPEAKERS = 256  # of the cohort, enough for a quantile
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
    among_stored = Population(stranger_cosine(stored.mean, tonight[:0], rule), np.nan, stored.mean[rows], rows)
    levels = stranger_levels(stored.mean, among_stored, rule, np.arange(len(stored)))
    noise = learned_noise(stored, levels, rule)
    return replace(among_stored, stranger=stranger_cosine(stored.mean, tonight, rule), base_noise=noise)


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


def learned_noise(stored: Voices, levels: Floats, rule: ProbabilityRule) -> float:
    """Find the base noise at which the stored speakers are as alike to themselves as they should be.

    A speaker weighs as its clips after the first. The learned value and the usual one are weighed on a log scale.

    Args:
        stored: The speakers (s).
        levels: Their cosines with strangers (s,).
        rule: The constants.
    """
    several = np.flatnonzero(stored.size > 1)
    if len(several) == 0:
        return rule.base_noise
    many, level = stored.take(several), levels[several]
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


def stranger_levels(
    means: Floats,
    population: Population,
    rule: ProbabilityRule,
    stored_rows: Integers | None = None,
    expected: Floats | None = None,
) -> Floats:
    """Give each set's cosine with strangers: the cohort's that are none of its voice, and what is expected as one.

    Those that count share the set's sound, studio or telephone: they lie around a quantile of its cosines. Well above
    are fragments of its own voice, well below strangers who sound otherwise and tell nothing.

    Args:
        means: Means of the sets (k, dim).
        population: With the cohort.
        rule: The constants.
        stored_rows: The sets' rows among the stored speakers (k,) where they are such; none meets itself.
        expected: Expected cosines (k,); by default the population's for all.
    """
    own = np.full(len(means), -1) if stored_rows is None else stored_rows
    before = np.full(len(means), population.stranger) if expected is None else expected
    levels = np.empty(len(means), dtype=np.float32)
    for start in range(0, len(means), BLOCK_SETS):
        block = slice(start, start + BLOCK_SETS)
        cosines = means[block] @ population.cohort.T
        is_own = own[block, None] == population.cohort_rows
        middle = np.maximum(_middle(cosines, is_own, rule), population.stranger)
        above = cosines - middle[:, None]
        strange = (above < rule.stranger_width) & (above > -rule.other_sound_width) & ~is_own
        levels[block] = (np.where(strange, cosines, 0).sum(axis=1) + before[block]) / (1 + strange.sum(axis=1))
    return levels


def _middle(cosines: Floats, is_own: Booleans, rule: ProbabilityRule) -> Floats:
    """Give a quantile of each set's cosines with the cohort (k, m) but its own; without a cohort it is -1."""
    step = max(1, cosines.shape[1] // SAMPLED_SPEAKERS)
    sampled = np.where(is_own, np.float32(-1), cosines)[:, ::step]
    count, own = sampled.shape[1], int(is_own.any())  # an own one has come to stand first
    if count - own < 1:
        return np.full(len(cosines), -1, dtype=np.float32)
    rank = own + rule.local_quantile * (count - own - 1)
    middle: Floats = np.quantile(sampled, rank / max(count - 1, 1), axis=1).astype(np.float32)
    return middle


def night_levels(tonight: Floats, population: Population, rule: ProbabilityRule) -> Floats:
    """Give the cosine with strangers of each of tonight's unit vectors (n, dim): a night may be of several sounds.

    What most of tonight's clips are to a clip is weighed with what is known of the population.
    """
    weight = min(len(tonight) / rule.night_clips, rule.night_most) if len(tonight) > 1 else 0
    known = rule.stranger_speakers + len(population.cohort)
    expected = np.full(len(tonight), population.stranger, dtype=np.float32)
    for start in range(0, len(tonight), BLOCK_SETS):
        block = slice(start, start + BLOCK_SETS)
        middle = np.minimum(np.median(tonight[block] @ tonight[:: _step(len(tonight), rule)].T, axis=1), rule.night_cap)
        expected[block] = (population.stranger * known + middle * weight) / (known + weight)
    return stranger_levels(tonight, population, rule, expected=expected)
