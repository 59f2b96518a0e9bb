"""How far an embedding model agrees with who is who: the clips that it, too, would give to their speaker."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from registry.core.joining import BLOCK_MARGINS
from registry.core.likeness import Bar, Sets, bar_among
from registry.core.population import Population, stranger_levels
from registry.core.probability_rule import ProbabilityRule
from registry.core.records import Booleans, Floats, Integers
from registry.core.vectors import unit
from registry.core.voices import Voices, clips_as_voices

MOST_CLIPS = 512  # looked at together: each has a voice of its own, its speaker's without it, 0.4 MB of vectors


@dataclass(frozen=True)
class Members:
    """Some recordings with the speakers that they are assigned to, one of the stored each."""

    vectors: Floats  # (n, dim) embeddings, of any length but zero
    durations_s: Floats  # (n,) more than 0
    own: Integers  # (n,) row of the speaker
    is_in_profile: Booleans  # (n,) whether it is part of the speaker's mean
    clips: Integers  # (n,) how many clips carry it

    def take(self, rows: slice) -> "Members":
        """Give some of them."""
        return Members(
            self.vectors[rows], self.durations_s[rows], self.own[rows], self.is_in_profile[rows], self.clips[rows]
        )


@dataclass(frozen=True)
class Agreement:
    """For each stored speaker (s,) its clips, counted."""

    clips: Integers  # those compared
    stay: Integers  # of these, those to whom no other speaker is likelier
    alone: Integers  # those left out: without their recording nothing is known of the speaker


def agreement(stored: Voices, batches: Iterable[Members], rule: ProbabilityRule) -> Agreement:
    """Compare every recording with every stored speaker, its own taken without it, by the bar that an ingest uses.

    The speaker with the greatest margin is the most probable one. Memory is that of one batch.

    Args:
        stored: The speakers (s) that a recording may be of.
        batches: All their recordings, each once for a speaker that it is assigned to.
        rule: The constants.
    """
    population, bar = bar_among(stored, rule)
    everybody = bar.sets(stored, stranger_levels(stored.mean, population, rule, np.arange(len(stored))))
    counts = np.zeros((3, len(stored)), dtype=np.int64)
    step = max(1, min(MOST_CLIPS, BLOCK_MARGINS // max(1, len(stored))))
    for batch in batches:
        for start in range(0, len(batch.own), step):
            block = batch.take(slice(start, start + step))
            is_alone = block.is_in_profile & (stored.size[block.own] == 1)
            stays = _stays(block, everybody, population, bar)
            for count, chosen in zip(counts, (~is_alone, ~is_alone & stays, is_alone), strict=True):
                np.add.at(count, block.own[chosen], block.clips[chosen])
    return Agreement(*counts)


def _stays(block: Members, everybody: Sets, population: Population, bar: Bar) -> Booleans:
    """Tell which recordings (n,) no other speaker fits better; of one that is alone it means nothing."""
    clips = clips_as_voices(unit(block.vectors), block.durations_s)
    ones = bar.sets(clips, stranger_levels(clips.mean, population, bar.rule))
    margins = bar.margins(ones, everybody)
    rest = everybody.voices.take(block.own).without(clips, block.is_in_profile)
    own = bar.sets(rest, stranger_levels(rest.mean, population, bar.rule, block.own))
    margin = np.diagonal(bar.margins(ones, own))
    margins[np.arange(len(block.own)), block.own] = -np.inf
    stays: Booleans = margin >= margins.max(axis=1)
    return stays
