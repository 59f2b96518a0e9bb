"""Identification: how probable each stored speaker is for one clip."""

from dataclasses import dataclass

import numpy as np

from registry.core.linking.likeness import Bar, Sets, bar_among, probability
from registry.core.linking.probability_rule import ProbabilityRule
from registry.core.linking.voices import Voices, clips_as_voices
from registry.core.records import Floats
from registry.core.vectors import unit


@dataclass(frozen=True)
class Suspects:
    """The stored speakers of a gender, any of whom a clip may be of."""

    voices: Voices  # (s) their profiles
    sets: Sets  # (s) the same profiles, prepared by the bar
    bar: Bar  # learned from them and their strangers

    @classmethod
    def among(cls, voices: Voices, strangers: Voices, rule: ProbabilityRule) -> "Suspects":
        """Learn the bar from the stored speakers of a gender (s) and clips of the other gender (m)."""
        bar = bar_among(voices, strangers, rule)
        return cls(voices, bar.sets(voices), bar)

    def identify(self, vector: Floats, duration_s: float, narrowness: float) -> tuple[Floats, Floats]:
        """Compare a clip with every stored speaker.

        Args:
            vector: The clip's embedding (dim,), of any length but zero.
            duration_s: The clip's duration in seconds, more than 0.
            narrowness: The clip's narrowness, from 0, a studio, to 1, a telephone.

        Returns:
            The mean cosine with the clips of each speaker (s,), and P(same voice) for each speaker (s,).
        """
        clip = clips_as_voices(
            unit(vector[None]),
            np.array([duration_s], dtype=np.float32),
            np.array([narrowness], dtype=np.float32),
        )
        scores = (self.voices.mean @ clip.mean.T)[:, 0]
        return scores, probability(self.bar.log_odds(self.bar.sets(clip), self.sets))[0]
