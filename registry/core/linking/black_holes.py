"""The alarm for black holes: speakers that take in the clips of many people.

A speaker's growth is all the clips that it would take in at once. The alarm looks at how alike the clips of a growth
are. It uses neither the bar nor how much a voice varies, so that it does not err where they err. It compares the mean
pairwise cosine of the growth with two other mean cosines, which can be measured on every kind of sound: the cosine of
each clip and the clip nearest to it, and the cosine of each clip and clips of the other gender. Clips of one voice are
on average nearly as alike as the nearest clips are. Clips of many voices are on average little more alike than clips of
different gender.
"""

import numpy as np

from registry.core.linking.joining import Constraints, Joined, join
from registry.core.linking.likeness import Bar, Sets
from registry.core.linking.voices import own_cosines
from registry.core.records import Integers

MOST_SETS = 200  # sets of a growth whose nearest set is looked for; of more sets, these are taken at equal steps


def alikeness(growth: Sets, bar: Bar) -> float:
    """Give where the mean pairwise cosine of a growth lies between two others: 0 and 1 stand for these.

    0 stands for the mean cosine with clips of the other gender, or for the cosine 0 where no such clip is known. 1
    stands for the mean cosine of each set and the set nearest to it. On labelled speech of all kinds of sound, growths
    of one voice have 0.4 to 0.9, and growths of five voices or more have -0.1 to 0.5. Where no clip of the other
    gender is known, growths of one voice have 0.6 to 0.9, and growths of five voices or more, by telephone, up to 0.8.

    Args:
        growth: The sets of clips that a speaker would take in at once (k).
        bar: The bar, for its constants and its population.
    """
    size, mean = growth.voices.size, growth.voices.mean
    whole = np.average(mean, axis=0, weights=size)
    pairwise = own_cosines(np.array([whole @ whole]), size.sum(keepdims=True))[0]
    rule, is_known = bar.rule, len(bar.population.strangers) > 0
    cosine_with_other_gender = (growth.level - rule.other_gender_offset) / rule.other_gender_factor
    other_gender = np.average(cosine_with_other_gender, weights=size) if is_known else 0.0
    some = np.arange(0, len(growth), -(-len(growth) // MOST_SETS))
    cosines = mean[some] @ mean.T
    own = own_cosines((mean[some] ** 2).sum(axis=1), size[some])
    cosines[np.arange(len(some)), some] = np.where(size[some] > 1, own, -1)
    nearest = np.average(cosines.max(axis=1), weights=size[some])
    return float((pairwise - other_gender) / max(nearest - other_gender, np.finfo(np.float32).eps))


def join_without_black_holes(sets: Sets, rows: Integers, bar: Bar, constraints: Constraints) -> Joined:
    """Join some rows. Speakers that would be black holes are taken apart and joined again, by an ever stricter bar.

    Args:
        sets: The sets (k): stored speakers, then clips.
        rows: The rows to join with one another (r,), rising.
        bar: The bar between them.
        constraints: What may not be joined, in rows of `sets`.
    """

    def join_rows(rows: Integers, bar: Bar) -> Joined:
        return join(sets.take(rows), bar, constraints.within(rows)).renumbered(rows, len(sets))

    joined = join_rows(rows, bar)
    while len(holes := _black_holes(sets, constraints.stored, joined, bar)):
        bar = bar.stricter()
        joined = joined.replaced(join_rows(holes, bar), holes)
    return joined


def is_black_hole(growth: Sets, bar: Bar) -> bool:
    """Tell whether the clips of a growth (k) are too many and too little alike to be of one voice."""
    rule = bar.rule
    least = rule.least_alikeness if len(bar.population.strangers) else rule.least_alikeness_alone
    return bool(growth.voices.size.sum() >= rule.growth_clips) and alikeness(growth, bar) < least


def _black_holes(sets: Sets, stored: int, joined: Joined, bar: Bar) -> Integers:
    """Give the rows of all speakers that would be black holes (r,), rising."""
    grown = np.flatnonzero(np.bincount(joined.root)[joined.root] > 1)
    in_order = grown[np.argsort(joined.root[grown], kind="stable")]
    speakers = np.split(in_order, np.flatnonzero(np.diff(joined.root[in_order])) + 1) if len(grown) else []
    found = [rows for rows in speakers if is_black_hole(sets.take(_growth(sets, rows, stored)), bar)]
    return np.sort(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)


def _growth(sets: Sets, rows: Integers, stored: int) -> Integers:
    """Give the rows of a speaker's growth: all its rows without the row of its largest stored speaker, if any."""
    own = rows[rows < stored]
    return rows[rows != own[sets.voices.size[own].argmax()]] if len(own) else rows
