"""How far an embedding model agrees with who is who: the clips that it, too, would give to their speaker."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from registry.core.linking.certainty import Members, own_log_odds
from registry.core.linking.joining import BLOCK_MARGINS
from registry.core.linking.likeness import Bar, Sets, bar_among
from registry.core.linking.probability_rule import ProbabilityRule
from registry.core.linking.voices import Voices
from registry.core.records import Booleans, Integers

MOST_CLIPS = 512  # looked at together: each has a voice of its own, its speaker's without it, 0.4 MB of vectors


@dataclass(frozen=True)
class Carried:
    """Some recordings and how many clips carry each."""

    members: Members
    clips: Integers  # (n,)

    def take(self, rows: slice) -> "Carried":
        """Give some of them."""
        return Carried(self.members.take(rows), self.clips[rows])


@dataclass(frozen=True)
class Agreement:
    """For each stored speaker (s,) its clips, counted."""

    clips: Integers  # those compared
    stay: Integers  # of these, those to whom no other speaker is likelier
    alone: Integers  # those left out: without their recording nothing is known of the speaker


def agreement(stored: Voices, strangers: Voices, batches: Iterable[Carried], rule: ProbabilityRule) -> Agreement:
    """Compare every recording with every stored speaker, its own taken without it, by the bar that an ingest uses.

    Memory is that of one batch.

    Args:
        stored: The speakers (s) that a recording may be of.
        strangers: Clips of the other gender.
        batches: All their recordings, each once for a speaker that it is assigned to.
        rule: The constants.
    """
    bar = bar_among(stored, strangers, rule)
    everybody = bar.sets(stored)
    counts = np.zeros((3, len(stored)), dtype=np.int64)
    step = max(1, min(MOST_CLIPS, BLOCK_MARGINS // max(1, len(stored))))
    for batch in batches:
        for start in range(0, len(batch.members), step):
            block = batch.take(slice(start, start + step))
            is_alone = block.members.are_alone(stored)
            stays = _stays(block.members, stored, everybody, bar)
            for count, chosen in zip(counts, (~is_alone, ~is_alone & stays, is_alone), strict=True):
                np.add.at(count, block.members.own[chosen], block.clips[chosen])
    return Agreement(*counts)


def _stays(members: Members, stored: Voices, everybody: Sets, bar: Bar) -> Booleans:
    """Tell which recordings (n,) no other speaker fits better; of one that is alone it means nothing."""
    others = bar.log_odds(bar.sets(members.as_voices()), everybody)
    others[np.arange(len(members)), members.own] = -np.inf
    stays: Booleans = own_log_odds(members, stored, bar) >= others.max(axis=1)
    return stays
