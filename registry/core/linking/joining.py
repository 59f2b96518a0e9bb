"""Greedy joining: of all sets the two with the greatest margin first, until none is left above the bar."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from registry.core.linking.likeness import Bar, Sets, probability
from registry.core.linking.links import Links
from registry.core.records import Floats, Integers

BLOCK_MARGINS = 1_000_000  # margins looked at together: 4 MB, a dozen times over


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

    def within(self, rows: Integers) -> "Constraints":
        """Give those that hold among some rows, rising, by their places there."""
        place = {row: position for position, row in enumerate(rows.tolist())}
        asleep = [place[row] for row in self.asleep if row in place]
        return Constraints(int((rows < self.stored).sum()), asleep).among(place, self.apart, self.confirmed)


@dataclass(frozen=True)
class Merge:
    """Two sets that became one, each called by its lowest row."""

    kept: int
    gone: int  # the higher row
    probability: float  # that they were one voice


@dataclass(frozen=True)
class Joined:
    """The sets that rows ended up in, and how."""

    root: Integers  # (k,) for each row the lowest row of its set
    merges: tuple[Merge, ...]  # in order

    @classmethod
    def of(cls, count: int, merges: Sequence[Merge]) -> "Joined":
        """Take merges of so many rows together."""
        root = np.arange(count)
        for merge in reversed(merges):  # a kept row that goes later has its own root by now
            root[merge.gone] = root[merge.kept]
        return cls(root, tuple(merges))

    def replaced(self, other: "Joined", rows: Integers) -> "Joined":
        """Join whole sets, by their rows (k,), as another does."""
        root = self.root.copy()
        root[rows] = other.root[rows]
        kept = [merge for merge in self.merges if merge.kept not in rows]
        return Joined(root, (*kept, *(merge for merge in other.merges if merge.kept in rows)))

    def renumbered(self, rows: Integers, count: int) -> "Joined":
        """Call the rows joined (k,) by rising others of `count`, of which the rest stay as they are."""
        root = np.arange(count)
        root[rows] = rows[self.root]
        merges = (Merge(int(rows[merge.kept]), int(rows[merge.gone]), merge.probability) for merge in self.merges)
        return Joined(root, tuple(merges))


def join(sets: Sets, bar: Bar, constraints: Constraints | None = None) -> Joined:
    """Join the two sets with the greatest margin, again and again, while it is not negative.

    Every row remembers its best partner. After a merge that memory is, for the rows whose partner changed, only an
    upper bound, and is renewed when such a row comes first, among the rows that it is linked to: exact, without all
    pairs in memory.
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
            rows.close_ranks()
    return Joined.of(len(sets), merges)


class _Rows:
    """Sets under construction, one row each, with the best partner of each."""

    def __init__(self, sets: Sets, bar: Bar, constraints: Constraints) -> None:
        count = len(sets)
        self.sets, self.bar = sets.take(np.arange(count)), bar  # copies, to be written to
        self.links = Links(self.sets, bar)
        self.name = np.arange(count)  # what the caller calls each row
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
        self.second = self.best.copy()  # no margin with another than the partner is greater
        self.is_stale = np.zeros(count, dtype=bool)

    def look_at_all(self) -> None:
        """Find every row's best partner and its links; rows asleep are found by those awake."""
        everything = np.arange(len(self.best))
        asleep = np.flatnonzero(self.is_asleep)
        for block, cosines in self._blocks():
            self.links.link(block, cosines)
            margins = self._allowed(cosines - self.bar.between(self.sets.take(block), self.sets), block, everything)
            self._found(asleep, block, margins[:, asleep].T)
            self._found(block, everything, margins)
        self.second[asleep] = self.best[asleep]

    def _found(self, rows: Integers, others: Integers, margins: Floats) -> None:
        """Note the best partners of some rows (r), by their margins (r, o) with others, which are spoilt."""
        nearest, each = margins.argmax(axis=1), np.arange(len(rows))
        found = margins[each, nearest]
        is_better = found > self.best[rows]
        self.partner[rows[is_better]], self.best[rows] = others[nearest[is_better]], np.maximum(found, self.best[rows])
        margins[each, nearest] = -np.inf
        self.second[rows] = margins.max(axis=1)

    def _blocks(self) -> Iterator[tuple[Integers, Floats]]:
        """Give the rows awake, so many at a time, and their mean cosines with all."""
        awake = np.flatnonzero(~self.is_asleep)
        step = max(1, BLOCK_MARGINS // max(1, len(self.best)))
        for start in range(0, len(awake), step):
            block = awake[start : start + step]
            yield block, self.sets.voices.mean[block] @ self.sets.voices.mean.T

    def look_at(self, row: int) -> tuple[Integers, Floats]:
        """Find a row's best partner anew, and give the rows that were asked and its margins with them."""
        near = self.links.near(row)
        others = self.sets.take(near) if len(near) < len(self.best) else self.sets
        own = np.array([row])
        margins = self._allowed(self.bar.margins(self.sets.take(own), others), own, near)
        self.best[row] = -np.inf
        self._found(own, near, margins.copy())
        self.is_stale[row] = False
        return near, margins[0]

    def _allowed(self, margins: Floats, rows: Integers, others: Integers) -> Floats:
        """Set margins (r, o) of some rows with others to -inf where they may not join."""
        margins[:, self.is_gone[others]] = -np.inf
        margins[rows[:, None] == others] = -np.inf
        forbidden = (
            (self.is_asleep, self.is_asleep),
            (self.is_confirmed, self.is_stored),
            (self.is_stored, self.is_confirmed),
        )
        for ones, twos in forbidden:
            if ones[rows].any():  # of a single row, which is most often asked about, seldom
                margins[np.ix_(ones[rows], twos[others])] = -np.inf
        for position, row in enumerate(rows.tolist()):
            if row in self.apart:
                margins[position, np.isin(others, list(self.apart[row]))] = -np.inf
        return margins

    def merge(self, one: int, other: int) -> Merge:
        kept, gone = sorted((one, other))
        ones, others = self.sets.take(np.array([kept])), self.sets.take(np.array([gone]))
        certain = float(probability(self.bar.log_odds(ones, others))[0, 0])
        merge = Merge(int(self.name[kept]), int(self.name[gone]), certain)
        self._unite(kept, gone)
        before = self.best.copy()
        lost = np.flatnonzero((self.partner == kept) | (self.partner == gone))
        self.best[lost], self.is_stale[lost] = self.second[lost], True
        near, margins = self.look_at(kept)
        self._offer(kept, near, margins, before)
        return merge

    def _offer(self, kept: int, near: Integers, margins: Floats, before: Floats) -> None:
        """Let a set that has grown be the partner of those that it is nearest to.

        Of equals it is preferred to the partner that a row had, but not to one that the row has yet to look for.
        """
        bound = self.best[near]
        is_nearer = ((margins >= before[near]) | (margins > bound)) & (margins > -np.inf)
        self.second[near] = np.where(is_nearer, bound, np.maximum(self.second[near], margins))
        nearer = near[is_nearer]
        self.partner[nearer], self.best[nearer], self.is_stale[nearer] = kept, margins[is_nearer], False

    def _unite(self, kept: int, gone: int) -> None:
        both = np.array([kept, gone])
        sizes = self.sets.voices.size[both]
        self.sets.write(kept, self.bar.united(self.sets.take(both), np.array([0, 0])))
        self.links.unite(kept, gone, sizes)
        for flags in (self.is_stored, self.is_confirmed):
            flags[kept] |= flags[gone]
        self.is_asleep[kept] &= self.is_asleep[gone]
        self.is_gone[gone], self.best[gone], self.second[gone] = True, -np.inf, -np.inf
        for row in self.apart.pop(gone, set()):
            self.apart[row] = self.apart[row] - {gone} | {kept}
            self.apart[kept].add(row)

    def close_ranks(self) -> None:
        """Once half of the rows are gone, drop them, and link the rest anew: by now more is known of them."""
        left = np.flatnonzero(~self.is_gone)
        if 2 * len(left) > len(self.best):
            return
        place = np.zeros(len(self.best), dtype=np.int64)
        place[left] = np.arange(len(left))
        self.partner = place[self.partner[left]]  # where the partner is gone the row is stale
        self.apart = defaultdict(
            set, {int(place[row]): set(place[list(rows)].tolist()) for row, rows in self.apart.items()}
        )
        self.sets = self.sets.take(left)
        for flags in ("name", "is_gone", "is_stored", "is_asleep", "is_confirmed", "best", "second", "is_stale"):
            setattr(self, flags, getattr(self, flags)[left])
        self.links = Links(self.sets, self.bar)
        for block, cosines in self._blocks():
            self.links.link(block, cosines)
