"""Which rows may ever come together: a graph of pairs, so that a join is sought only where there can be one.

Every set has a half of the bar. Two halves never add up to more than the bar between their sets:

    half(A) = level A / 2 + least / usual * (1 - z A / usual / 2)      z = 1 / spread ** 2

For the bar is above the level by at least `least` times the root of 1 / (z A * z B), whatever the way, and
1 / sqrt(z A * z B) is convex, so never below its tangent plane where both are as usual.

Two rows are linked if their mean cosine reaches the sum of their allowances; a row's allowance is the half that it
would have if it were part of a large set, whose spread is small, less some slack. The mean cosine of two sets is that
of all pairs of their rows, so of sets without a link it is below the sum of their mean allowances. Where a set's mean
allowance is at most its half, that is below the bar; where it is not, the set is loose and compared with all.

So no join crosses from one connected component to another, and each is joined as if it were alone.
"""

import numpy as np

from registry.core.linking.likeness import Bar, Sets
from registry.core.records import Floats, Integers

SLACK = 0.01  # cosine: less would make sets loose, more links rows in vain; the result is the same
ROUNDING = 1e-5  # cosine, more than sums of 32 bits are wrong by
MOST_LINKS = 3_000  # of a row; one with more is compared with all, which is as fast and takes no memory


def halves(sets: Sets, spread: Floats, bar: Bar, usual: float) -> Floats:
    """Give each set's half of the bar (k,), if its spread were so (k,)."""
    half = sets.level / 2 + bar.least / usual * (1 - 1 / spread**2 / usual / 2)
    return half.astype(np.float32)


class Links:
    """The links of sets under construction, one row each."""

    def __init__(self, sets: Sets, bar: Bar) -> None:
        """Begin without any: rows that are not among those linked count as linked with all."""
        self.sets, self.bar = sets, bar
        large = np.minimum(1, sets.share**bar.rule.spread_exponent) * sets.spread
        self.usual = float(np.median(1 / large**2)) if len(sets) else 1.0
        self.allowance = halves(sets, large, bar, self.usual) - SLACK
        self.rows: list[Integers | None] = [None] * len(sets)  # that each is linked to, itself too; None: to all
        self.set_of = np.arange(len(sets))  # the row of the set that each row is in
        self.is_loose = np.zeros(len(sets), dtype=bool)
        self.loose_sets = 0

    def link(self, rows: Integers, cosines: Floats) -> None:
        """Link some rows (r), by their mean cosines with all (r, k)."""
        allowed = (self.allowance - ROUNDING / 2).astype(np.float32)
        most = min(MOST_LINKS, len(self.rows) // 4)
        for row, is_linked in zip(rows.tolist(), cosines >= allowed[rows, None] + allowed, strict=True):
            linked = np.flatnonzero(is_linked).astype(np.int32)
            self.rows[row] = linked if len(linked) <= most else None

    def near(self, row: int) -> Integers:
        """Give rows among which are all sets that a set may be joined with, rising; all rows if that is as good."""
        linked = self.rows[row]
        if linked is None or self.is_loose[row]:
            return np.arange(len(self.rows))
        is_near = self.is_loose.copy() if self.loose_sets else np.zeros(len(self.rows), dtype=bool)
        is_near[row] = is_near[self.set_of[linked]] = True
        return np.flatnonzero(is_near)

    def unite(self, kept: int, gone: int, sizes: Integers) -> None:
        """Link a set, which has been written to its row, to what it and the one that went into it were linked to.

        Their sizes (2,) are those from before.
        """
        linked, more = self.rows[kept], self.rows[gone]
        self.rows[kept] = None if linked is None or more is None else np.concatenate([linked, more])
        self.rows[gone] = None
        self.set_of[self.set_of == gone] = kept
        self.allowance[kept] = np.average(self.allowance[[kept, gone]], weights=sizes)
        one = self.sets.take(np.array([kept]))
        half = halves(one, one.spread, self.bar, self.usual)[0]
        self.loose_sets -= int(self.is_loose[kept]) + int(self.is_loose[gone])
        self.is_loose[kept], self.is_loose[gone] = self.allowance[kept] > half, False
        self.loose_sets += int(self.is_loose[kept])
