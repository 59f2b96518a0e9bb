"""How far an embedding model agrees with who is who: how many clips it, too, would give to their present speaker."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from registry.core.linking.certainty import Members, own_log_odds
from registry.core.linking.joining import BLOCK_MARGINS
from registry.core.linking.likeness import Bar, Sets, bar_among
from registry.core.linking.probability_rule import ProbabilityRule
from registry.core.linking.voices import Voices
from registry.core.records import Booleans, Integers

MOST_CLIPS = 512  # recordings compared at a time: each takes a set of its own, its speaker less it; 0.4 MB of vectors


@dataclass(frozen=True)
class Carried:
    """Some recordings, and how many clips carry each."""

    members: Members  # the recordings (n)
    clips: Integers  # (n,) number of clips

    def take(self, rows: slice) -> "Carried":
        """Give a slice of the recordings."""
        return Carried(self.members.take(rows), self.clips[rows])


@dataclass(frozen=True)
class Agreement:
    """Numbers of clips of each stored speaker."""

    clips: Integers  # (s,) clips that were compared
    stay: Integers  # (s,) compared clips for which no other speaker is more probable
    alone: Integers  # (s,) clips left out, because without their recording nothing is known of the speaker


def agreement(stored: Voices, strangers: Voices, batches: Iterable[Carried], rule: ProbabilityRule) -> Agreement:
    """Compare every recording with every stored speaker, by the bar that an ingest uses.

    A recording is compared with its own speaker less the recording. Memory holds one batch at a time.

    Args:
        stored: The stored speakers that a recording may belong to (s).
        strangers: Clips of the other gender (m).
        batches: All recordings of the stored speakers; a recording comes once for each speaker that it is assigned to.
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
    clips, stay, alone = counts
    return Agreement(clips, stay, alone)


def _stays(members: Members, stored: Voices, everybody: Sets, bar: Bar) -> Booleans:
    """Tell for which recordings no other speaker is more probable than their own (n,).

    The value means nothing for a recording that is all that its speaker's profile is made of.

    Args:
        members: The recordings (n).
        stored: The stored speakers (s).
        everybody: The stored speakers as the bar's sets (s).
        bar: The bar.
    """
    others = bar.log_odds(bar.sets(members.as_voices()), everybody)
    others[np.arange(len(members)), members.own] = -np.inf
    stays: Booleans = own_log_odds(members, stored, bar) >= others.max(axis=1)
    return stays
