"""Unit vectors and the mean of a set of them: all that average linkage needs to know of a set."""

from dataclasses import dataclass

import numpy as np

from registry.core.records import Floats, Integers


@dataclass(frozen=True)
class VectorSets:
    """Sets of clips, each summed up by the plain mean of its unit vectors.

    The mean cosine over all pairs of two sets is the dot product of their means: average linkage, exact,
    without the pairs.
    """

    means: Floats  # (n, dim), not normalised again: its length tells how close the set keeps together
    counts: Integers  # (n,) clips in each set


def unit(vectors: Floats) -> Floats:
    """Scale vectors (n, dim) to length one.

    Raises:
        ValueError: A vector is zero or not finite; such clips are rejected before they get here.
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.all(np.isfinite(lengths)) or np.any(lengths == 0):
        raise ValueError("an embedding is zero or not finite")
    units: Floats = (vectors / lengths).astype(np.float32)
    return units


def summarise(units: Floats, labels: Integers) -> VectorSets:
    """Sum up unit vectors (n, dim) by their set label (n,), labels counting from 0 without gaps."""
    counts = np.bincount(labels)
    sums = np.zeros((len(counts), units.shape[1]))
    np.add.at(sums, labels, units)
    return VectorSets((sums / counts[:, None]).astype(np.float32), counts.astype(np.int64))
