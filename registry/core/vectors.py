"""Unit vectors, and the plain mean of a set of them: all that average linkage needs to know of the set."""

from dataclasses import dataclass

import numpy as np

from registry.core.records import Floats, Integers


@dataclass(frozen=True)
class VectorSets:
    """k sets of clips, each summed up by the plain mean of its unit vectors.

    The dot product of the means of two sets is the mean cosine over all pairs of their clips. So average linkage is
    exact without the pairs.
    """

    means: Floats  # (k, dim) not normalised again: the length of a mean tells how alike the clips of the set are
    counts: Integers  # (k,) number of clips


def unit(vectors: Floats) -> Floats:
    """Scale vectors (n, dim) to length 1.

    Raises:
        ValueError: A vector is zero or not finite. Clips with such an embedding are rejected before.
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.all(np.isfinite(lengths)) or np.any(lengths == 0):
        raise ValueError("an embedding is zero or not finite")
    units: Floats = (vectors / lengths).astype(np.float32)
    return units


def summarise(units: Floats, labels: Integers) -> VectorSets:
    """Sum up sets of clips.

    Args:
        units: The clips' embeddings, scaled to length 1 (n, dim).
        labels: The set of each clip (n,), counting from 0 without gaps.
    """
    counts = np.bincount(labels)
    sums = np.zeros((len(counts), units.shape[1]))
    np.add.at(sums, labels, units)
    return VectorSets((sums / counts[:, None]).astype(np.float32), counts.astype(np.int64))
