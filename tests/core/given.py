"""A bar that is given rather than learned from voices, and sets of any level under it."""

import numpy as np
import numpy.typing as npt

from registry.core.linking.channel import Channel
from registry.core.linking.likeness import Bar, Sets
from registry.core.linking.population import Population
from registry.core.linking.probability_rule import ProbabilityRule
from registry.core.linking.voices import Voices, clips_as_voices
from registry.core.records import Floats
from registry.core.vectors import unit

RULE = ProbabilityRule()
NO_CHANNEL = Channel(np.zeros(1, np.float32), np.zeros(1, np.float32), 0.0)  # of any dimension


def bar_of(voices: float = 20, base_noise: float = RULE.base_noise, rule: ProbabilityRule = RULE) -> Bar:
    """Give the bar of so many voices, of which no stranger is known."""
    return Bar(rule, Population(NO_CHANNEL, np.zeros((0, 1), np.float32), base_noise, voices))


def sets_at(voices: Voices, level: Floats | float, bar: Bar, stretch: Floats | float = 1.0) -> Sets:
    """See sets of clips (k) as the bar would if their level and their stretch were these (k,)."""
    levels, stretches = (np.broadcast_to(np.float32(value), len(voices)) for value in (level, stretch))
    nowhere = np.zeros(len(voices), np.float32)
    given = Sets(voices, levels, nowhere, stretches, nowhere)
    return bar.united(given, np.arange(len(voices)))


def clips_of(vectors: npt.NDArray[np.floating], seconds: float = 5.0, narrowness: float = 0.0) -> Voices:
    """Make clips of vectors (n, dim), of equal length and sound."""
    sound = (np.full(len(vectors), value, np.float32) for value in (seconds, narrowness))
    return clips_as_voices(unit(vectors.astype(np.float32)), *sound)


def nobody(dimension: int) -> Voices:
    """Give no clips at all."""
    return clips_of(np.zeros((0, dimension)))
