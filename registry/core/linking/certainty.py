"""How sure it is that each recording is of its speaker: the recording is compared with the rest of the speaker."""

from dataclasses import dataclass

import numpy as np

from registry.core.linking.likeness import Bar, bar_among, each_log_odds, probability
from registry.core.linking.probability_rule import ProbabilityRule
from registry.core.linking.voices import Voices, clips_as_voices
from registry.core.records import Booleans, Floats, Integers
from registry.core.vectors import unit


@dataclass(frozen=True)
class Members:
    """Some recordings, each with the stored speaker that it is assigned to."""

    vectors: Floats  # (n, dim) embeddings, of any length but zero
    durations_s: Floats  # (n,) durations in seconds, more than 0
    narrowness: Floats  # (n,) 0 studio, 1 telephone
    own: Integers  # (n,) row of the speaker among the stored speakers
    is_in_profile: Booleans  # (n,) whether the recording is part of the speaker's profile

    def __len__(self) -> int:
        """Count the recordings."""
        return len(self.own)

    def take(self, rows: slice) -> "Members":
        """Give a slice of the recordings."""
        return Members(
            self.vectors[rows],
            self.durations_s[rows],
            self.narrowness[rows],
            self.own[rows],
            self.is_in_profile[rows],
        )

    def are_alone(self, speakers: Voices) -> Booleans:
        """Tell which recordings are all that their speaker's profile is made of (n,)."""
        alone: Booleans = self.is_in_profile & (speakers.size[self.own] == 1)
        return alone

    def as_voices(self) -> Voices:
        """Make a set of each recording (n)."""
        return clips_as_voices(unit(self.vectors), self.durations_s, self.narrowness)


@dataclass(frozen=True)
class Cohort:
    """The stored speakers and strangers beside which recordings of a gender are judged."""

    voices: Voices  # (c) stored speakers of the gender, all or a sample
    stands_for: float  # how many speakers each speaker of the sample stands for
    strangers: Voices  # (m) clips of the other gender


def certainties(members: Members, speakers: Voices, cohort: Cohort, rule: ProbabilityRule) -> Floats:
    """Give P(same voice) of each recording and the rest of its speaker (n,).

    It is NaN for a recording that is all that its speaker's profile is made of.

    Args:
        members: The recordings (n).
        speakers: The stored speakers that they are assigned to (s).
        cohort: The stored speakers and strangers that the bar is learned from.
        rule: The constants.
    """
    bar = bar_among(cohort.voices, cohort.strangers, rule, cohort.stands_for)
    found = probability(own_log_odds(members, speakers, bar))
    found[members.are_alone(speakers)] = np.nan
    return found


def own_log_odds(members: Members, speakers: Voices, bar: Bar) -> Floats:
    """Give the log odds of one voice of each recording and the rest of its speaker (n,).

    They mean nothing for a recording that is all that its speaker's profile is made of.

    Args:
        members: The recordings (n).
        speakers: The stored speakers that they are assigned to (s).
        bar: The bar.
    """
    clips = members.as_voices()
    rest = speakers.take(members.own).without(clips, members.is_in_profile)
    return each_log_odds(bar.sets(clips), bar.sets(rest), bar)
