"""How sure it is that each recording is its speaker's: it is compared with what is left of the speaker without it."""

from dataclasses import dataclass

import numpy as np

from registry.core.likeness import Bar, Sets
from registry.core.population import Population, estimate_population, stranger_levels
from registry.core.probability_rule import ProbabilityRule
from registry.core.records import Booleans, Floats, Integers
from registry.core.vectors import unit
from registry.core.voices import Voices, clips_as_voices

BLOCK_CLIPS = 64  # compared at a time, each with its own speaker only: of the margins the diagonal is needed


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


@dataclass(frozen=True)
class Cohort:
    """Stored speakers that stand for all strangers of a gender."""

    voices: Voices  # (m,)
    rows: Integers  # (s,) for each of the speakers whose recordings are judged its row here, -1 where it is none
    speakers: int  # how many there are in all


def certainties(members: Members, speakers: Voices, cohort: Cohort, rule: ProbabilityRule) -> Floats:
    """Give P(same voice) of each recording and the rest of its speaker (n,); NaN for one that is all there is.

    Args:
        members: The recordings.
        speakers: Their speakers (s,).
        cohort: Who else there is.
        rule: The constants.
    """
    population = estimate_population(cohort.voices, cohort.voices.mean[:0], rule)
    bar = Bar(rule, population.base_noise, cohort.speakers)
    found = np.full(len(members), np.nan, dtype=np.float32)
    for start in range(0, len(members), BLOCK_CLIPS):
        block = members.take(slice(start, start + BLOCK_CLIPS))
        margins = own_margins(block, as_sets(block, population, bar), speakers, cohort.rows, population, bar)
        found[start : start + BLOCK_CLIPS] = [bar.probability(float(margin)) for margin in margins]
    found[members.are_alone(speakers)] = np.nan
    return found


def as_sets(members: Members, population: Population, bar: Bar) -> Sets:
    """See each recording as a set of its own."""
    clips = clips_as_voices(unit(members.vectors), members.durations_s, members.narrowness)
    return bar.sets(clips, stranger_levels(clips.mean, population, bar.rule))


def own_margins(
    members: Members, ones: Sets, speakers: Voices, cohort_rows: Integers, population: Population, bar: Bar
) -> Floats:
    """Give the margin of each recording to the rest of its speaker (n,); of one that is alone it means nothing.

    Args:
        members: The recordings.
        ones: The same as sets.
        speakers: Their speakers (s,).
        cohort_rows: Rows of those among the population's (s,), -1 for none.
        population: Of whom they are.
        bar: What they are compared by.
    """
    rest = speakers.take(members.own).without(ones.voices, members.is_in_profile)
    levels = stranger_levels(rest.mean, population, bar.rule, cohort_rows[members.own])
    margins: Floats = np.diagonal(bar.margins(ones, bar.sets(rest, levels)))
    return margins
