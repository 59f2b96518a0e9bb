"""Sets of clips beside stored speakers: who is in reach, how probable the speaker of a set is, and who is next best."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from registry.core.linking.joining import BLOCK_MARGINS
from registry.core.linking.likeness import Bar, Sets, each_log_odds, probability
from registry.core.records import Floats, Integers


@dataclass(frozen=True)
class Choice:
    """A stored speaker that a set may belong to."""

    speaker_id: int
    score: float  # mean pairwise cosine of set and speaker
    probability: float  # P(same voice) of set and speaker


def in_reach(sets: Sets, stored: Sets, bar: Bar) -> Integers:
    """Give the rows of the stored speakers that a set may be joined with, now or after the set has grown (r,), rising.

    These are the speakers with which some set has a margin of no less than -`reach`, because joins raise a margin by
    less than that.

    Args:
        sets: The sets (k).
        stored: The stored speakers (s).
        bar: The bar between them.
    """
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
    """Give for each set the stored speaker that it got, and the runner-up; None where there is none.

    The runner-up is the other stored speaker with which the set has the greatest margin.

    Args:
        sets: The sets (k).
        stored: The stored speakers (s), none or more.
        got: The row of the stored speaker that each set got (k,), -1 for a new speaker.
        speaker_ids: Keys of the stored speakers (s,).
        bar: The bar between them.
    """
    step = max(1, BLOCK_MARGINS // max(1, len(stored)))
    for start in range(0, len(sets), step):
        block = np.arange(start, min(start + step, len(sets)))
        ones = sets.take(block)
        margins = bar.margins(ones, stored)
        other = [_runner_up(own, margin) for own, margin in zip(got[block].tolist(), margins, strict=True)]
        choices = _choices(ones, stored, got[block], speaker_ids, bar)
        runners_up = _choices(ones, stored, np.array(other), speaker_ids, bar)
        yield from zip(choices, runners_up, strict=True)


def _choices(sets: Sets, stored: Sets, rows: Integers, speaker_ids: Sequence[int], bar: Bar) -> list[Choice | None]:
    """Compare each set (k) with the stored speaker of its row (k,); None for the row -1."""
    chosen = np.flatnonzero(rows >= 0)
    ones, others = sets.take(chosen), stored.take(rows[chosen])
    scores = np.einsum("kd,kd->k", ones.voices.mean, others.voices.mean)
    choices: list[Choice | None] = [None] * len(sets)
    for place, row, score, certain in zip(
        chosen.tolist(), rows[chosen].tolist(), scores, probability(each_log_odds(ones, others, bar)), strict=True
    ):
        choices[place] = Choice(speaker_ids[row], float(score), float(certain))
    return choices


def _runner_up(own: int, margins: Floats) -> int:
    """Give the row with the greatest margin (s,) but for a row of one's own; -1 if there is no other row."""
    others = margins.copy()
    if own >= 0:
        others[own] = -np.inf
    nearest = int(others.argmax()) if len(others) else -1
    return -1 if nearest == own else nearest
