"""Stored speakers that are one voice: those certain enough to be joined, and those to ask a person about."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from registry.core.linking.black_holes import join_without_black_holes
from registry.core.linking.joining import BLOCK_MARGINS, Constraints, Joined
from registry.core.linking.likeness import Bar, Sets, bar_among, probability
from registry.core.linking.probability_rule import ProbabilityRule
from registry.core.linking.voices import Voices


@dataclass(frozen=True, order=True)
class Join:
    """Two stored speakers that are one voice, or may be."""

    kept_id: int  # the lower key
    gone_id: int
    probability: float  # of the least certain step that joins them


@dataclass(frozen=True)
class Consolidation:
    """What to do about a registry's speakers."""

    joins: tuple[Join, ...]  # certain enough; none keeps a speaker that another one takes away
    review: tuple[Join, ...]  # likely, the likeliest first; a person decides


def consolidate(
    voices: Voices,
    strangers: Voices,
    speaker_ids: Sequence[int],
    apart: Collection[tuple[int, int]],
    confirmed: Collection[int],
    rule: ProbabilityRule,
) -> Consolidation:
    """Look for one voice among all stored speakers.

    Args:
        voices: The stored speakers of a gender.
        strangers: Those of the other.
        speaker_ids: Their keys, rising.
        apart: Pairs of keys of two voices.
        confirmed: Keys of speakers that are joined with no other; they are reviewed instead.
        rule: The constants; a lower `false_merge_rate` joins less and reviews more.
    """
    bar = bar_among(voices, strangers, rule)
    stored = bar.sets(voices)
    place = {key: row for row, key in enumerate(speaker_ids)}
    constraints = Constraints(len(place)).among(place, apart, confirmed)
    joined = join_without_black_holes(stored, np.arange(len(stored)), bar, constraints)
    return Consolidation(joins_of(joined, speaker_ids), _review(stored, joined, speaker_ids, apart, bar))


def joins_of(joined: Joined, speaker_ids: Sequence[int]) -> tuple[Join, ...]:
    """Give the stored speakers, the first rows, that were joined with others; each goes to the one that stays."""
    least: dict[int, float] = {}
    for merge in reversed(joined.merges):  # a kept row that goes later has been seen by now
        if merge.gone < len(speaker_ids):
            least[merge.gone] = min(merge.probability, least.get(merge.kept, 1.0))
    ordered = sorted((int(joined.root[gone]), gone, probability) for gone, probability in least.items())
    return tuple(Join(speaker_ids[kept], speaker_ids[gone], probability) for kept, gone, probability in ordered)


def _review(
    stored: Sets, joined: Joined, speaker_ids: Sequence[int], apart: Collection[tuple[int, int]], bar: Bar
) -> tuple[Join, ...]:
    kept, label = np.unique(joined.root, return_inverse=True)
    present = bar.united(stored, label)
    keys = [speaker_ids[row] for row in kept]
    survivor = {key: speaker_ids[row] for key, row in zip(speaker_ids, joined.root, strict=True)}
    settled = {
        frozenset((survivor[one], survivor[other])) for one, other in apart if one in survivor and other in survivor
    }
    pairs = [Join(keys[one], keys[other], p) for one, other, p in _likely(present, bar)]
    asked = [pair for pair in pairs if frozenset((pair.kept_id, pair.gone_id)) not in settled]
    return tuple(sorted(asked, key=lambda pair: (-pair.probability, pair)))


def _likely(present: Sets, bar: Bar) -> list[tuple[int, int, float]]:
    """Give pairs of rows, the lower first, that a person should see, with their probabilities."""
    step = max(1, BLOCK_MARGINS // max(1, len(present)))
    found: list[tuple[int, int, float]] = []
    for start in range(0, len(present), step):
        block = np.arange(start, min(start + step, len(present)))
        probabilities = probability(bar.log_odds(present.take(block), present))
        is_later = np.arange(len(present)) > block[:, None]
        ones, others = np.nonzero(is_later & (probabilities >= bar.rule.review_probability))
        found += zip((start + ones).tolist(), others.tolist(), probabilities[ones, others].tolist(), strict=True)
    return found
