"""Stored speakers that are one voice: pairs that are certain enough to be joined, and pairs to ask a person about."""

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
    gone_id: int  # the higher key
    probability: float  # P(same voice) of the two; where several steps joined them, the lowest of the steps


@dataclass(frozen=True)
class Consolidation:
    """What to do about the stored speakers of a gender."""

    joins: tuple[Join, ...]  # certain enough to be made; no join keeps a speaker that is gone by another join
    review: tuple[Join, ...]  # for a person to decide, the most probable first


def consolidate(
    voices: Voices,
    strangers: Voices,
    speaker_ids: Sequence[int],
    apart: Collection[tuple[int, int]],
    confirmed: Collection[int],
    rule: ProbabilityRule,
) -> Consolidation:
    """Find the stored speakers of a gender that are one voice.

    Args:
        voices: The stored speakers (s).
        strangers: Clips of the other gender (m).
        speaker_ids: Keys of the stored speakers (s,), rising.
        apart: Pairs of keys of speakers that are two voices.
        confirmed: Keys of speakers that may not be joined with another; a person is asked about them instead.
        rule: The constants. A lower `false_merge_rate` joins fewer speakers and asks about more.
    """
    bar = bar_among(voices, strangers, rule)
    stored = bar.sets(voices)
    place = {key: row for row, key in enumerate(speaker_ids)}
    constraints = Constraints(len(place)).among(place, apart, confirmed)
    joined = join_without_black_holes(stored, np.arange(len(stored)), bar, constraints)
    return Consolidation(joins_of(joined, speaker_ids), _review(stored, joined, speaker_ids, apart, bar))


def joins_of(joined: Joined, speaker_ids: Sequence[int]) -> tuple[Join, ...]:
    """Give the joins of stored speakers, in order of the speakers that are kept.

    Args:
        joined: What was joined; the stored speakers are the first rows.
        speaker_ids: Keys of the stored speakers (s,), rising.
    """
    least: dict[int, float] = {}  # row that is gone -> probability of the least certain step that took it to its root
    for merge in reversed(joined.merges):  # last first: where a kept row goes in a later merge, its entry is there
        if merge.gone < len(speaker_ids):
            least[merge.gone] = min(merge.probability, least.get(merge.kept, 1.0))
    ordered = sorted((int(joined.root[gone]), gone, probability) for gone, probability in least.items())
    return tuple(Join(speaker_ids[kept], speaker_ids[gone], probability) for kept, gone, probability in ordered)


def _review(
    stored: Sets, joined: Joined, speaker_ids: Sequence[int], apart: Collection[tuple[int, int]], bar: Bar
) -> tuple[Join, ...]:
    """Give the pairs of speakers, as they are once joined, that a person should see; the most probable first."""
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
    """Give the pairs of rows that are probable enough to be seen by a person: lower row, higher row, P(same voice)."""
    step = max(1, BLOCK_MARGINS // max(1, len(present)))
    found: list[tuple[int, int, float]] = []
    for start in range(0, len(present), step):
        block = np.arange(start, min(start + step, len(present)))
        probabilities = probability(bar.log_odds(present.take(block), present))
        is_later = np.arange(len(present)) > block[:, None]
        ones, others = np.nonzero(is_later & (probabilities >= bar.rule.review_probability))
        found += zip((start + ones).tolist(), others.tolist(), probabilities[ones, others].tolist(), strict=True)
    return found
