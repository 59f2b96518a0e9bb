"""Clusters of one night: exact average linkage with memory that grows with the clips, not with their pairs."""

import numpy as np

from registry.core.records import Floats, Integers

ROUNDING = 1e-6  # of a cosine in single precision


def average_linkage(units: Floats, cluster_cosine: float) -> Integers:
    """Merge the closest sets until no two have a mean pairwise cosine of `cluster_cosine` or more.

    Nearest-neighbour chains (Benzécri 1982; Müllner 2011, arXiv:1109.2378) give the same clusters as merging
    the closest pair first. The mean cosine of two sets is the dot product of their means, so n vectors are kept
    and no n x n matrix: 20,000 clips take 15 MB.

    Args:
        units: Unit vectors (n, dim).
        cluster_cosine: Where merging stops.

    Returns:
        A label (n,) for each clip, counting from 0 in the order in which clusters are first seen.
    """
    forest = _Forest(units)
    for start in range(len(units)):
        chain = [start] if forest.is_open(start) else []
        while chain:
            _grow(chain, forest, cluster_cosine)
    return _in_order_seen(forest.roots())


def _grow(chain: list[int], forest: "_Forest", cluster_cosine: float) -> None:
    """Lengthen the chain to its tip's nearest set, merge two that are each other's nearest, or close the tip."""
    tip = chain[-1]
    nearest, cosine = forest.nearest(tip, preferred=chain[-2] if len(chain) > 1 else None)
    if cosine < cluster_cosine:
        forest.close(tip)  # averaging only moves other sets away, so nothing will reach it later
        chain.pop()
    elif len(chain) > 1 and nearest == chain[-2]:
        forest.merge(into=nearest, other=tip)
        del chain[-2:]
        if not chain:
            chain.append(nearest)
    else:
        chain.append(nearest)


class _Forest:
    """Sets under construction: one row of means each, dead once merged into another or closed."""

    def __init__(self, units: Floats) -> None:
        self.means = units.astype(np.float32, copy=True)
        self.sizes = np.ones(len(units), dtype=np.int64)
        self.parents = np.arange(len(units))
        self.penalty = np.zeros(len(units), dtype=np.float32)  # -inf for the dead

    def is_open(self, row: int) -> bool:
        return bool(self.penalty[row] == 0)

    def nearest(self, row: int, preferred: int | None) -> tuple[int, float]:
        cosines = self.means @ self.means[row] + self.penalty
        cosines[row] = -np.inf
        best = int(np.argmax(cosines))
        if preferred is not None and cosines[preferred] >= cosines[best] - ROUNDING:
            best = preferred  # else equal sets could lead the chain in circles
        return best, float(cosines[best])

    def merge(self, into: int, other: int) -> None:
        total = self.sizes[into] + self.sizes[other]
        weighted = self.means[into] * self.sizes[into] + self.means[other] * self.sizes[other]
        self.means[into] = weighted / total
        self.sizes[into] = total
        self.parents[other] = into
        self.close(other)

    def close(self, row: int) -> None:
        self.penalty[row] = -np.inf

    def roots(self) -> Integers:
        roots = self.parents
        while np.any(roots != roots[roots]):
            roots = roots[roots]
        return roots.astype(np.int64)


def _in_order_seen(roots: Integers) -> Integers:
    _, first_seen, inverse = np.unique(roots, return_index=True, return_inverse=True)
    rank = np.empty(len(first_seen), dtype=np.int64)
    rank[np.argsort(first_seen)] = np.arange(len(first_seen))
    return rank[inverse]
