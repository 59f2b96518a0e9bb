"""Sets of clips against stored speakers: who is in reach, how near the one they got is, and who comes next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from registry.core.linking.joining import BLOCK_MARGINS
from registry.core.linking.likeness import Bar, Sets, each_log_odds, probability
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
        maybe = block[(bar.most(sets, stored.take(block)) >= -bar.rule.reach).any(axis=0)]
        near[maybe] = (bar.margins(sets, stored.take(maybe)) >= -bar.rule.reach).any(axis=0)
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
    step = max(1, BLOCK_MARGINS // max(1, len(stored)))
    for start in range(0, len(sets), step):
        block = np.arange(start, min(start + step, len(sets)))
        ones = sets.take(block)
        margins = bar.margins(ones, stored)
        other = [_nearest_other(own, margin) for own, margin in zip(got[block].tolist(), margins, strict=True)]
        chosen = (_choices(ones, stored, rows, speaker_ids, bar) for rows in (got[block], np.array(other)))
        yield from zip(*chosen, strict=True)


def _choices(sets: Sets, stored: Sets, rows: Integers, speaker_ids: Sequence[int], bar: Bar) -> list[Choice | None]:
    """See each set (k,) beside the stored speaker of a row (k,), None for row -1."""
    chosen = np.flatnonzero(rows >= 0)
    ones, others = sets.take(chosen), stored.take(rows[chosen])
    scores = np.einsum("kd,kd->k", ones.voices.mean, others.voices.mean)
    choices: list[Choice | None] = [None] * len(sets)
    for place, row, score, certain in zip(
        chosen.tolist(), rows[chosen].tolist(), scores, probability(each_log_odds(ones, others, bar)), strict=True
    ):
        choices[place] = Choice(speaker_ids[row], float(score), float(certain))
    return choices


def _nearest_other(own: int, margins: Floats) -> int:
    others = margins.copy()
    if own >= 0:
        others[own] = -np.inf
    nearest = int(others.argmax()) if len(others) else -1
    return -1 if nearest == own else nearest
