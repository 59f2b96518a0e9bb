"""Where one set of clips falls in two."""

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage

from registry.core.records import Floats
from registry.core.vectors import summarise, unit

MOST_CLIPS = 5_000  # the tree needs all pairs, 100 MB for these; of more clips an even sample is cut


def cut_in_two(vectors: Floats) -> tuple[npt.NDArray[np.bool_], float]:
    """Cut clips at the top of their average-linkage tree.

    Args:
        vectors: Embeddings (n, dim), two or more.

    Returns:
        Which clips (n,) are in the smaller part, and the mean cosine between the two parts.
    """
    units = unit(vectors)
    step = -(-len(units) // MOST_CLIPS)
    tree = linkage(units[::step].astype(float), method="average", metric="cosine")
    parts = summarise(units[::step], fcluster(tree, t=2, criterion="maxclust").astype(np.int64) - 1)
    labels = np.argmax(units @ parts.means.T, axis=1) if step > 1 else fcluster(tree, t=2, criterion="maxclust") - 1
    smaller = int(np.argmin(np.bincount(labels, minlength=2)))
    return labels == smaller, float(parts.means[0] @ parts.means[1])
