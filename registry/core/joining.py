"""Greedy joining: of all sets the two with the greatest margin first, until none is left above the bar."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from registry.core.likeness import Bar, Sets
from registry.core.records import Floats, Integers

BLOCK_MARGINS = 4_000_000  # margins looked at together: 16 MB, a few times over


@dataclass(frozen=True)
class Constraints:
    """What may not be joined. A rule about two rows holds for the whole sets that they end up in."""

    stored: int = 0  # so many rows, the first, are stored speakers
    asleep: Collection[int] = ()  # two such rows may join only once one has been joined with a row awake
    apart: Sequence[tuple[int, int]] = ()  # rows that are two voices
    confirmed: Sequence[int] = ()  # stored speakers to which no other stored speaker may be joined

    def among(
        self, place: Mapping[int, int], apart: Iterable[tuple[int, int]], confirmed: Iterable[int]
    ) -> "Constraints":
        """Add pairs apart and confirmed speakers given by key, as far as their keys have a row among these."""
        pairs = [(place[one], place[other]) for one, other in apart if one in place and other in place]
        return replace(self, apart=pairs, confirmed=[place[key] for key in confirmed if key in place])


@dataclass(frozen=True)
class Merge:
    """Two sets that became one, each called by its lowest row."""

    kept: int
    gone: int  # the higher row
    margin: float


@dataclass(frozen=True)
class Joined:
    """The sets that rows ended up in, and how."""

    root: Integers  # (k,) for each row the lowest row of its set
    merges: tuple[Merge, ...]  # in order

    def renumbered(self, rows: Integers, count: int) -> "Joined":
        """Call the rows joined (k,) by rising others of `count`, of which the rest stay as they are."""
        root = np.arange(count)
        root[rows] = rows[self.root]
        merges = (Merge(int(rows[merge.kept]), int(rows[merge.gone]), merge.margin) for merge in self.merges)
        return Joined(root, tuple(merges))

    def followed_by(self, later: "Joined") -> "Joined":
        """Join the sets once more."""
        return Joined(later.root[self.root], self.merges + later.merges)


def join(sets: Sets, bar: Bar, constraints: Constraints | None = None) -> Joined:
    """Join the two sets with the greatest margin, again and again, while it is not negative.

    Every row remembers its best partner. After a merge that memory is, for the rows whose partner changed, only an
    upper bound, and is renewed when such a row comes first: exact, without all pairs in memory, and a voice with
    thousands of clips costs no more than others.
    """
    rows = _Rows(sets, bar, constraints or Constraints())
    rows.look_at_all()
    merges: list[Merge] = []
    while len(sets):
        row = int(rows.best.argmax())
        if rows.best[row] < 0:
            break
        if rows.is_stale[row]:
            rows.look_at(row)
        else:
            merges.append(rows.merge(row, int(rows.partner[row])))
    return Joined(_roots(len(sets), merges), tuple(merges))


def _roots(count: int, merges: Sequence[Merge]) -> Integers:
    root = np.arange(count)
    for merge in reversed(merges):  # a kept row that goes later has its own root by now
        root[merge.gone] = root[merge.kept]
    return root


class _Rows:
    """Sets under construction, one row each, with the best partner of each."""

    def __init__(self, sets: Sets, bar: Bar, constraints: Constraints) -> None:
        count = len(sets)
        self.sets, self.bar = sets.take(np.arange(count)), bar  # copies, to be written to
        self.is_gone = np.zeros(count, dtype=bool)
        self.is_stored = np.arange(count) < constraints.stored
        self.is_asleep = np.isin(np.arange(count), list(constraints.asleep))
        self.is_confirmed = np.isin(np.arange(count), list(constraints.confirmed))
        self.apart: defaultdict[int, set[int]] = defaultdict(set)
        for one, other in constraints.apart:
            self.apart[one].add(other)
            self.apart[other].add(one)
        self.partner = np.zeros(count, dtype=np.int64)
        self.best = np.full(count, -np.inf, dtype=np.float32)
        self.is_stale = np.zeros(count, dtype=bool)

    def look_at_all(self) -> None:
        """Find every row's best partner; rows asleep are found by those awake."""
        awake = np.flatnonzero(~self.is_asleep)
        step = max(1, BLOCK_MARGINS // max(1, len(self.best)))
        for start in range(0, len(awake), step):
            block = awake[start : start + step]
            margins = self._margins(block)
            self.partner[block], self.best[block] = margins.argmax(axis=1), margins.max(axis=1)
            nearest = margins.argmax(axis=0)
            margin = margins[nearest, np.arange(len(self.best))]
            found = self.is_asleep & (margin > self.best)
            self.partner[found], self.best[found] = block[nearest[found]], margin[found]

    def look_at(self, row: int) -> Floats:
        """Find a row's best partner anew."""
        margins: Floats = self._margins(np.array([row]))[0]
        self.partner[row] = margins.argmax()
        self.best[row] = margins[self.partner[row]]
        self.is_stale[row] = False
        return margins

    def _margins(self, rows: Integers) -> Floats:
        """Give the margins (r, k) of some rows with all, -inf where they may not join."""
        margins = self.bar.margins(self.sets.take(rows), self.sets)
        margins[:, self.is_gone] = -np.inf
        margins[np.arange(len(rows)), rows] = -np.inf
        forbidden = (
            (self.is_asleep, self.is_asleep),
            (self.is_confirmed, self.is_stored),
            (self.is_stored, self.is_confirmed),
        )
        for ones, others in forbidden:
            if ones[rows].any():  # of a single row, which is most often asked about, seldom
                margins[np.ix_(ones[rows], others)] = -np.inf
        for position, row in enumerate(rows):
            if row in self.apart:
                margins[position, list(self.apart[row])] = -np.inf
        return margins

    def merge(self, one: int, other: int) -> Merge:
        kept, gone = sorted((one, other))
        merge = Merge(kept, gone, float(self.best[one]))
        self._unite(kept, gone)
        self.is_stale |= (self.partner == kept) | (self.partner == gone)
        margins = self.look_at(kept)
        nearer = ~self.is_gone & (margins >= self.best) & (margins > -np.inf)
        nearer[kept] = False
        self.partner[nearer], self.best[nearer], self.is_stale[nearer] = kept, margins[nearer], False
        return merge

    def _unite(self, kept: int, gone: int) -> None:
        both = np.array([kept, gone])
        self.sets.write(kept, self.bar.united(self.sets.take(both), np.array([0, 0])))
        for flags in (self.is_stored, self.is_confirmed):
            flags[kept] |= flags[gone]
        self.is_asleep[kept] &= self.is_asleep[gone]
        self.is_gone[gone], self.best[gone] = True, -np.inf
        for row in self.apart.pop(gone, set()):
            self.apart[row] = self.apart[row] - {gone} | {kept}
            self.apart[kept].add(row)
