"""How probable each stored speaker is for one clip."""

import numpy as np

from registry.core.likeness import Bar
from registry.core.population import estimate_population, stranger_levels
from registry.core.probability_rule import ProbabilityRule
from registry.core.records import Floats
from registry.core.vectors import unit
from registry.core.voices import Voices, clips_as_voices


def identify(
    vector: Floats, duration_s: float, narrowness: float, stored: Voices, rule: ProbabilityRule
) -> tuple[Floats, Floats]:
    """Compare a clip with stored speakers.

    Args:
        vector: Its embedding (dim,), of any length but zero.
        duration_s: Its seconds, more than 0.
        narrowness: 0 for studio, 1 for telephone, or between.
        stored: The speakers (m).
        rule: The constants.

    Returns:
        The mean cosine to each speaker's clips (m,), and P(same voice) of each (m,).
    """
    sound = (np.array([value], dtype=np.float32) for value in (duration_s, narrowness))
    clip = clips_as_voices(unit(vector[None]), *sound)
    population = estimate_population(stored, clip.mean, rule)
    bar = Bar(rule, population.base_noise, len(stored))
    everybody = bar.sets(stored, stranger_levels(stored.mean, population, rule, np.arange(len(stored))))
    one = bar.sets(clip, stranger_levels(clip.mean, population, rule))
    margins = bar.margins(one, everybody)[0]
    scores = (stored.mean @ clip.mean.T)[:, 0]
    return scores, np.array([bar.probability(float(margin)) for margin in margins], dtype=np.float32)
