"""Sets of clips against stored speakers: who is in reach, how near the one they got is, and who comes next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from registry.core.joining import BLOCK_MARGINS
from registry.core.likeness import Bar, Sets, probability
from registry.core.records import Floats, Integers


@dataclass(frozen=True)
class Choice:
    """A stored speaker to whom a set may belong."""

    speaker_id: int
    score: float  # mean pairwise cosine
    probability: float  # of one voice


def in_reach(sets: Sets, stored: Sets, bar: Bar) -> Integers:
    """Give the rows of the stored speakers that joining may bring above the bar to any of the sets."""
    step = max(1, BLOCK_MARGINS // max(1, len(sets)))
    near = np.zeros(len(stored), dtype=bool)
    for start in range(0, len(stored), step):
        block = np.arange(start, min(start + step, len(stored)))
        near[block] = (bar.most(sets, stored.take(block)) >= -bar.rule.reach).any(axis=0)
    return np.flatnonzero(near)


def rank(
    sets: Sets, stored: Sets, got: Integers, speaker_ids: Sequence[int], bar: Bar
) -> Iterator[tuple[Choice | None, Choice | None]]:
    """Give for each set the stored speaker that it got and the nearest other, None where there is none.

    Args:
        sets: The sets (k,).
        stored: The stored speakers (s,); they may be none.
        got: The row of the speaker that each set got (k,), -1 for a new one.
        speaker_ids: Keys of the stored speakers (s,).
        bar: What they are compared by.
    """

    def choose(row: int, scores: Floats, log_odds: Floats) -> Choice | None:
        return None if row < 0 else Choice(speaker_ids[row], float(scores[row]), float(probability(log_odds[row])))

    step = max(1, BLOCK_MARGINS // max(1, len(stored)))
    for start in range(0, len(sets), step):
        block = np.arange(start, min(start + step, len(sets)))
        scores = sets.voices.mean[block] @ stored.voices.mean.T
        log_odds = bar.log_odds(sets.take(block), stored)
        for score, odds, own in zip(scores, log_odds, got[block].tolist(), strict=True):
            yield choose(own, score, odds), choose(_nearest_other(own, odds), score, odds)


def _nearest_other(own: int, log_odds: Floats) -> int:
    others = log_odds.copy()
    if own >= 0:
        others[own] = -np.inf
    nearest = int(others.argmax()) if len(others) else -1
    return -1 if nearest == own else nearest
