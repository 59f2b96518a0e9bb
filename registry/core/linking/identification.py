"""How probable each stored speaker is for one clip."""

from dataclasses import dataclass

import numpy as np

from registry.core.linking.likeness import Bar, Sets, bar_among, probability
from registry.core.linking.probability_rule import ProbabilityRule
from registry.core.linking.voices import Voices, clips_as_voices
from registry.core.records import Floats
from registry.core.vectors import unit


@dataclass(frozen=True)
class Suspects:
    """The stored speakers of a gender, whom a clip may be of."""

    voices: Voices  # (m,)
    sets: Sets  # the same as the bar sees them
    bar: Bar

    @classmethod
    def among(cls, voices: Voices, strangers: Voices, rule: ProbabilityRule) -> "Suspects":
        """Take stored speakers of a gender (m), and clips of the other."""
        bar = bar_among(voices, strangers, rule)
        return cls(voices, bar.sets(voices), bar)

    def identify(self, vector: Floats, duration_s: float, narrowness: float) -> tuple[Floats, Floats]:
        """Compare a clip with each.

        Args:
            vector: Its embedding (dim,), of any length but zero.
            duration_s: Its seconds, more than 0.
            narrowness: 0 for studio, 1 for telephone, or between.

        Returns:
            The mean cosine to each speaker's clips (m,), and P(same voice) of each (m,).
        """
        sound = (np.array([value], dtype=np.float32) for value in (duration_s, narrowness))
        clip = clips_as_voices(unit(vector[None]), *sound)
        scores = (self.voices.mean @ clip.mean.T)[:, 0]
        return scores, probability(self.bar.log_odds(self.bar.sets(clip), self.sets))[0]
