"""Links: the pairs of rows that may ever be joined, so that a set is compared only with sets it may be joined with.

Every set has a half of the bar. The halves of two sets never add up to more than the bar between the sets:

    half(A) = level A / 2 + least / usual * (1 - z A / usual / 2)

where z A = 1 / spread A ** 2, usual is a typical z, and least is `Bar.least`. Proof: whatever the separation, the bar
is above the level by at least least / sqrt(z A * z B). The function 1 / sqrt(z A * z B) is convex, so it is never below
its tangent plane at z A = z B = usual. The two halves add up to the level and that plane times least.

A row's allowance is the half that the row would have as part of a large set, whose spread is small, less some slack.
Two rows are linked if their mean cosine is at least the sum of their allowances. A set's allowance is the mean of its
rows' allowances, weighted by clips. The mean cosine of two sets is the mean over all pairs of their rows. So the mean
cosine of two sets without a link between them is below the sum of their allowances. If the allowance of each set is at
most its half, the mean cosine is therefore below the bar, and the two sets cannot be joined. A set whose allowance is
more than its half is loose, and is compared with all sets.

So, but for loose sets, no join crosses from one connected component of the graph to another. Each component is joined
as if it were alone.
"""

import numpy as np

from registry.core.linking.likeness import Bar, Sets
from registry.core.records import Floats, Integers

SLACK = 0.01  # cosine: less makes more sets loose, more makes more needless links; the joins are the same
ROUNDING = 1e-5  # cosine: more than the rounding error of a mean cosine in 32 bits
MOST_LINKS = 3_000  # links of a row; a row with more is compared with all rows, which is as fast and takes no memory


def halves(sets: Sets, spread: Floats, bar: Bar, usual: float) -> Floats:
    """Give each set's half of the bar (k,), as it would be with another spread.

    Args:
        sets: The sets (k).
        spread: The spread to take for each set (k,).
        bar: The bar.
        usual: The usual 1 / spread ** 2; see the docstring of this module.
    """
    half = sets.level / 2 + bar.least / usual * (1 - 1 / spread**2 / usual / 2)
    return half.astype(np.float32)


class Links:
    """The links between the rows of sets that are being joined, one row for each set."""

    def __init__(self, sets: Sets, bar: Bar) -> None:
        """Begin without links. Until `link` has been called for a row, the row counts as linked to all rows."""
        self.sets, self.bar = sets, bar
        # The spread that each row would have as part of a large set.
        large = np.minimum(1, sets.share**bar.rule.spread_exponent) * sets.spread
        self.usual = float(np.median(1 / large**2)) if len(sets) else 1.0
        self.allowance = halves(sets, large, bar, self.usual) - SLACK
        self.rows: list[Integers | None] = [None] * len(sets)  # rows that each row is linked to, itself too; None: all
        self.set_of = np.arange(len(sets))  # the row of the set that each row is part of
        self.is_loose = np.zeros(len(sets), dtype=bool)  # whether the set's allowance is more than its half
        self.loose_sets = 0  # number of loose sets

    def link(self, rows: Integers, cosines: Floats) -> None:
        """Link some rows (r,) to others, by their mean pairwise cosines with all rows (r, k)."""
        allowed = (self.allowance - ROUNDING / 2).astype(np.float32)
        most = min(MOST_LINKS, len(self.rows) // 4)
        for row, is_linked in zip(rows.tolist(), cosines >= allowed[rows, None] + allowed, strict=True):
            linked = np.flatnonzero(is_linked).astype(np.int32)
            self.rows[row] = linked if len(linked) <= most else None

    def near(self, row: int) -> Integers:
        """Give the rows of all sets that the set of a row may be joined with, rising.

        There may be other rows among them. They are all rows where the links say nothing.
        """
        linked = self.rows[row]
        if linked is None or self.is_loose[row]:
            return np.arange(len(self.rows))
        is_near = self.is_loose.copy() if self.loose_sets else np.zeros(len(self.rows), dtype=bool)
        is_near[row] = is_near[self.set_of[linked]] = True
        return np.flatnonzero(is_near)

    def unite(self, kept: int, gone: int, sizes: Integers) -> None:
        """Give the links of two sets to the one set that they were joined to.

        Args:
            kept: The row of the joined set; the caller has written the joined set there.
            gone: The row of the set that was joined to it.
            sizes: The numbers of clips of the two sets before (2,).
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
