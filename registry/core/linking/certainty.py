"""How sure it is that each recording is its speaker's: it is compared with what is left of the speaker without it."""

from dataclasses import dataclass

import numpy as np

from registry.core.linking.likeness import Bar, bar_among, each_log_odds, probability
from registry.core.linking.probability_rule import ProbabilityRule
from registry.core.linking.voices import Voices, clips_as_voices
from registry.core.records import Booleans, Floats, Integers
from registry.core.vectors import unit


@dataclass(frozen=True)
class Members:
    """Some recordings with the speakers that they are assigned to, one of the stored each."""

    vectors: Floats  # (n, dim) embeddings, of any length but zero
    durations_s: Floats  # (n,) more than 0
    narrowness: Floats  # (n,) 0 studio, 1 telephone
    own: Integers  # (n,) row of the speaker
    is_in_profile: Booleans  # (n,) whether it is part of the speaker's mean

    def __len__(self) -> int:
        """Count the recordings."""
        return len(self.own)

    def take(self, rows: slice) -> "Members":
        """Give some of them."""
        return Members(
            self.vectors[rows],
            self.durations_s[rows],
            self.narrowness[rows],
            self.own[rows],
            self.is_in_profile[rows],
        )

    def are_alone(self, speakers: Voices) -> Booleans:
        """Tell which are all that their speaker's mean is made of (n,)."""
        alone: Booleans = self.is_in_profile & (speakers.size[self.own] == 1)
        return alone

    def as_voices(self) -> Voices:
        """See each as a set of its own."""
        return clips_as_voices(unit(self.vectors), self.durations_s, self.narrowness)


@dataclass(frozen=True)
class Cohort:
    """Of whom the speakers are whose recordings are judged."""

    voices: Voices  # (m,) stored speakers of the gender
    stands_for: float  # how many speakers each of them stands for
    strangers: Voices  # clips of the other gender


def certainties(members: Members, speakers: Voices, cohort: Cohort, rule: ProbabilityRule) -> Floats:
    """Give P(same voice) of each recording and the rest of its speaker (n,); NaN for one that is all there is.

    Args:
        members: The recordings.
        speakers: Their speakers (s,).
        cohort: Who else there is.
        rule: The constants.
    """
    bar = bar_among(cohort.voices, cohort.strangers, rule, cohort.stands_for)
    found = probability(own_log_odds(members, speakers, bar))
    found[members.are_alone(speakers)] = np.nan
    return found


def own_log_odds(members: Members, speakers: Voices, bar: Bar) -> Floats:
    """Give the log odds of each recording and the rest of its speaker (n,); of one that is alone it means nothing.

    Args:
        members: The recordings.
        speakers: Their speakers (s,).
        bar: What they are compared by.
    """
    clips = members.as_voices()
    rest = speakers.take(members.own).without(clips, members.is_in_profile)
    return each_log_odds(bar.sets(clips), bar.sets(rest), bar)
