"""The alarm for black holes: speakers that take in many clips which are little alike, as a voice's own never are.

It knows neither the bar nor how much a voice varies: it holds a speaker's growth, which is all that it would take in at
once, against two cosines that are told whatever the sound. Clips of one voice are on average nearly as alike as each is
to the clip nearest to it; clips of many voices are nearer to what they have with the other gender.
"""

import numpy as np

from registry.core.linking.joining import Constraints, Joined, join
from registry.core.linking.likeness import Bar, Sets
from registry.core.linking.voices import own_cosines
from registry.core.records import Integers

MOST_SETS = 200  # of a growth whose nearest is looked for: of more, as many at equal steps


def alikeness(growth: Sets, bar: Bar) -> float:
    """Tell where the mean pairwise cosine of some sets of clips (k) stands: 1 at the nearest, 0 at the other gender.

    Where nobody of the other gender is known, 0 is the cosine 0. On labelled speech of all sounds it is 0.4 to 0.9 of
    one voice, and -0.1 to 0.5 of five voices and more; without the other gender 0.6 to 0.9, and by telephone up to 0.8.
    """
    size, mean = growth.voices.size, growth.voices.mean
    whole = np.average(mean, axis=0, weights=size)
    pairwise = own_cosines(np.array([whole @ whole]), size.sum(keepdims=True))[0]
    rule, is_known = bar.rule, len(bar.population.strangers) > 0
    told = (growth.level - rule.other_gender_offset) / rule.other_gender_factor
    other_gender = np.average(told, weights=size) if is_known else 0.0
    some = np.arange(0, len(growth), -(-len(growth) // MOST_SETS))
    cosines = mean[some] @ mean.T
    own = own_cosines((mean[some] ** 2).sum(axis=1), size[some])
    cosines[np.arange(len(some)), some] = np.where(size[some] > 1, own, -1)
    nearest = np.average(cosines.max(axis=1), weights=size[some])
    return float((pairwise - other_gender) / max(nearest - other_gender, np.finfo(np.float32).eps))


def join_without_black_holes(sets: Sets, rows: Integers, bar: Bar, constraints: Constraints) -> Joined:
    """Join some rows; what would be black holes is taken apart and joined again, by an ever stricter bar.

    Args:
        sets: The sets (k): stored speakers, then clips.
        rows: Those that are joined with one another, rising.
        bar: By which they are joined.
        constraints: What may not be joined, of all sets.
    """

    def join_rows(rows: Integers, bar: Bar) -> Joined:
        return join(sets.take(rows), bar, constraints.within(rows)).renumbered(rows, len(sets))

    joined = join_rows(rows, bar)
    while len(holes := _black_holes(sets, constraints.stored, joined, bar)):
        bar = bar.stricter()
        joined = joined.replaced(join_rows(holes, bar), holes)
    return joined


def is_black_hole(growth: Sets, bar: Bar) -> bool:
    """Tell whether some sets of clips (k), taken in at once, are too many and too little alike to be one voice."""
    rule = bar.rule
    least = rule.least_alikeness if len(bar.population.strangers) else rule.least_alikeness_alone
    return bool(growth.voices.size.sum() >= rule.growth_clips) and alikeness(growth, bar) < least


def _black_holes(sets: Sets, stored: int, joined: Joined, bar: Bar) -> Integers:
    """Give the rows of all speakers that would be black holes, rising."""
    grown = np.flatnonzero(np.bincount(joined.root)[joined.root] > 1)
    in_order = grown[np.argsort(joined.root[grown], kind="stable")]
    speakers = np.split(in_order, np.flatnonzero(np.diff(joined.root[in_order])) + 1) if len(grown) else []
    found = [rows for rows in speakers if is_black_hole(sets.take(_growth(sets, rows, stored)), bar)]
    return np.sort(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)


def _growth(sets: Sets, rows: Integers, stored: int) -> Integers:
    """Leave out the largest stored speaker of those rows that would be one."""
    own = rows[rows < stored]
    return rows[rows != own[sets.voices.size[own].argmax()]] if len(own) else rows
