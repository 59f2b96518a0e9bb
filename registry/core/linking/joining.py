"""Greedy joining: the two sets with the greatest margin are joined first, until no margin reaches 0."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from registry.core.linking.likeness import Bar, Sets, probability
from registry.core.linking.links import Links
from registry.core.records import Floats, Integers

BLOCK_MARGINS = 1_000_000  # margins computed at a time: 4 MB, and a dozen arrays of that size


@dataclass(frozen=True)
class Constraints:
    """What may not be joined. A constraint on two rows holds for the whole sets that the rows end up in."""

    stored: int = 0  # number of stored speakers: they are the first rows
    asleep: Collection[int] = ()  # rows asleep: two of them may join only after one has been joined with a row awake
    apart: Sequence[tuple[int, int]] = ()  # pairs of rows that are two voices
    confirmed: Sequence[int] = ()  # rows of stored speakers that no other stored speaker may be joined with

    def among(
        self, place: Mapping[int, int], apart: Iterable[tuple[int, int]], confirmed: Iterable[int]
    ) -> "Constraints":
        """Set the pairs apart and the confirmed speakers, given by key. Keys without a row are left out.

        Args:
            place: Key -> its row.
            apart: Pairs of keys that are two voices.
            confirmed: Keys of confirmed speakers.
        """
        pairs = [(place[one], place[other]) for one, other in apart if one in place and other in place]
        return replace(self, apart=pairs, confirmed=[place[key] for key in confirmed if key in place])

    def within(self, rows: Integers) -> "Constraints":
        """Give the constraints among some rows only (r,), rising. Each row is called by its place among them."""
        place = {row: position for position, row in enumerate(rows.tolist())}
        asleep = [place[row] for row in self.asleep if row in place]
        return Constraints(int((rows < self.stored).sum()), asleep).among(place, self.apart, self.confirmed)


@dataclass(frozen=True)
class Merge:
    """One step of joining: two sets that became one. A set is called by its lowest row."""

    kept: int  # the lower row, by which the joined set is called
    gone: int  # the higher row
    probability: float  # P(same voice) of the two sets


@dataclass(frozen=True)
class Joined:
    """The sets that rows ended up in, and the steps that made them."""

    root: Integers  # (k,) for each row the lowest row of its set
    merges: tuple[Merge, ...]  # in the order in which they were made

    @classmethod
    def of(cls, count: int, merges: Sequence[Merge]) -> "Joined":
        """Find the sets that some merges make of `count` rows."""
        root = np.arange(count)
        for merge in reversed(merges):  # last first: where a kept row goes in a later merge, its root is known by now
            root[merge.gone] = root[merge.kept]
        return cls(root, tuple(merges))

    def replaced(self, other: "Joined", rows: Integers) -> "Joined":
        """Replace whole sets, given by all their rows (r,), by what another joining made of these rows."""
        root = self.root.copy()
        root[rows] = other.root[rows]
        unchanged = [merge for merge in self.merges if merge.kept not in rows]
        replaced = [merge for merge in other.merges if merge.kept in rows]
        return Joined(root, tuple(unchanged + replaced))

    def renumbered(self, rows: Integers, count: int) -> "Joined":
        """Translate places among some rows back to the rows.

        Args:
            rows: The rows that were joined (k,), rising; so far each is called by its place among them.
            count: The number of all rows. A row that is not among `rows` is a set of its own.
        """
        root = np.arange(count)
        root[rows] = rows[self.root]
        merges = (Merge(int(rows[merge.kept]), int(rows[merge.gone]), merge.probability) for merge in self.merges)
        return Joined(root, tuple(merges))


def join(sets: Sets, bar: Bar, constraints: Constraints | None = None) -> Joined:
    """Join the two sets with the greatest margin, again and again, while that margin is 0 or more.

    Every row remembers its best partner and the margin with it. A merge changes the partner of some rows. What such a
    row remembers is then stale: its margin is only an upper bound. When a stale row has the greatest margin of all, its
    best partner is sought again, among the rows that it is linked to. So the result is the same as if all pairs were
    compared before each merge, although not all pairs are in memory.

    Args:
        sets: The sets (k), one row each.
        bar: The bar between them.
        constraints: What may not be joined; None for no constraint.
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
    """The sets while they are being joined, one row each, with the best partner of each row."""

    def __init__(self, sets: Sets, bar: Bar, constraints: Constraints) -> None:
        count = len(sets)
        self.sets, self.bar = sets.take(np.arange(count)), bar  # copies, because merges write to them
        self.links = Links(self.sets, bar)
        self.name = np.arange(count)  # the row by which the caller knows each row: `close_ranks` drops rows
        self.is_gone = np.zeros(count, dtype=bool)  # whether the row was joined to another one
        self.is_stored = np.arange(count) < constraints.stored
        self.is_asleep = np.isin(np.arange(count), list(constraints.asleep))
        self.is_confirmed = np.isin(np.arange(count), list(constraints.confirmed))
        self.apart: defaultdict[int, set[int]] = defaultdict(set)  # row -> rows that are other voices
        for one, other in constraints.apart:
            self.apart[one].add(other)
            self.apart[other].add(one)
        self.partner = np.zeros(count, dtype=np.int64)  # row with which the margin is greatest
        self.best = np.full(count, -np.inf, dtype=np.float32)  # margin with the partner; an upper bound if stale
        self.second = self.best.copy()  # upper bound of the margins with all rows but the partner
        self.is_stale = np.zeros(count, dtype=bool)  # whether the partner has to be sought again

    def look_at_all(self) -> None:
        """Find every row's best partner and its links. Rows asleep are compared with rows awake only."""
        everything = np.arange(len(self.best))
        asleep = np.flatnonzero(self.is_asleep)
        for block, cosines in self._blocks():
            self.links.link(block, cosines)
            margins = self._allowed(cosines - self.bar.between(self.sets.take(block), self.sets), block, everything)
            self._found(asleep, block, margins[:, asleep].T)
            self._found(block, everything, margins)
        self.second[asleep] = self.best[asleep]

    def _found(self, rows: Integers, others: Integers, margins: Floats) -> None:
        """Note the best partners of some rows.

        Args:
            rows: The rows (r,).
            others: The rows that they were compared with (o,).
            margins: The margins between them (r, o); overwritten.
        """
        nearest, each = margins.argmax(axis=1), np.arange(len(rows))
        found = margins[each, nearest]
        is_better = found > self.best[rows]
        self.partner[rows[is_better]], self.best[rows] = others[nearest[is_better]], np.maximum(found, self.best[rows])
        margins[each, nearest] = -np.inf
        self.second[rows] = margins.max(axis=1)

    def _blocks(self) -> Iterator[tuple[Integers, Floats]]:
        """Give the rows awake, a block (r,) at a time, and their mean pairwise cosines with all rows (r, k)."""
        awake = np.flatnonzero(~self.is_asleep)
        step = max(1, BLOCK_MARGINS // max(1, len(self.best)))
        for start in range(0, len(awake), step):
            block = awake[start : start + step]
            yield block, self.sets.voices.mean[block] @ self.sets.voices.mean.T

    def look_at(self, row: int) -> tuple[Integers, Floats]:
        """Find a row's best partner again.

        Returns:
            The rows that the row was compared with (o,), and its margins with them (o,).
        """
        near = self.links.near(row)
        others = self.sets.take(near) if len(near) < len(self.best) else self.sets
        own = np.array([row])
        margins = self._allowed(self.bar.margins(self.sets.take(own), others), own, near)
        self.best[row] = -np.inf
        self._found(own, near, margins.copy())
        self.is_stale[row] = False
        return near, margins[0]

    def _allowed(self, margins: Floats, rows: Integers, others: Integers) -> Floats:
        """Set the margins (r, o) of rows (r,) with other rows (o,) to -inf where the two may not be joined."""
        margins[:, self.is_gone[others]] = -np.inf
        margins[rows[:, None] == others] = -np.inf
        forbidden = (
            (self.is_asleep, self.is_asleep),
            (self.is_confirmed, self.is_stored),
            (self.is_stored, self.is_confirmed),
        )
        for ones, twos in forbidden:
            if ones[rows].any():  # most calls are about a single row, for which this is seldom true
                margins[np.ix_(ones[rows], twos[others])] = -np.inf
        for position, row in enumerate(rows.tolist()):
            if row in self.apart:
                margins[position, np.isin(others, list(self.apart[row]))] = -np.inf
        return margins

    def merge(self, one: int, other: int) -> Merge:
        """Join the sets of two rows, and note which rows have to seek a partner again."""
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
        """Make a set that has grown the partner of each row whose greatest margin is now the margin with this set.

        Where its margin with a row equals the margin with the row's partner before the merge, the grown set becomes the
        partner. Where its margin equals only the upper bound of a stale row, the row stays stale.

        Args:
            kept: The row of the set that has grown.
            near: The rows that it was compared with (o,).
            margins: Its margins with them (o,).
            before: Every row's `best` before the merge (k,).
        """
        bound = self.best[near]
        is_nearer = ((margins >= before[near]) | (margins > bound)) & (margins > -np.inf)
        self.second[near] = np.where(is_nearer, bound, np.maximum(self.second[near], margins))
        nearer = near[is_nearer]
        self.partner[nearer], self.best[nearer], self.is_stale[nearer] = kept, margins[is_nearer], False

    def _unite(self, kept: int, gone: int) -> None:
        """Write the union of two rows' sets over the kept row, with the constraints of both."""
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
        """Once half of the rows are gone, drop these rows and link the others again.

        The new links are fewer, because the bar between sets that have grown is known better.
        """
        left = np.flatnonzero(~self.is_gone)
        if 2 * len(left) > len(self.best):
            return
        place = np.zeros(len(self.best), dtype=np.int64)
        place[left] = np.arange(len(left))
        self.partner = place[self.partner[left]]  # a row whose partner is gone is stale, so its wrong place is not read
        self.apart = defaultdict(
            set, {int(place[row]): set(place[list(rows)].tolist()) for row, rows in self.apart.items()}
        )
        self.sets = self.sets.take(left)
        self.name, self.best, self.second = self.name[left], self.best[left], self.second[left]
        self.is_gone, self.is_stale = self.is_gone[left], self.is_stale[left]
        self.is_stored, self.is_asleep = self.is_stored[left], self.is_asleep[left]
        self.is_confirmed = self.is_confirmed[left]
        self.links = Links(self.sets, self.bar)
        for block, cosines in self._blocks():
            self.links.link(block, cosines)
