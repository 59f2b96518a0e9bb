"""Splitting: where a set of clips falls in two, and how probable it is that both parts are one voice all the same."""

from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from registry.core.linking.likeness import Bar, probability
from registry.core.linking.voices import clips_as_voices
from registry.core.records import Booleans, Floats
from registry.core.vectors import summarise, unit

MOST_CLIPS = 5_000  # clips in the tree, which needs all pairs: 100 MB; of more clips, these are taken at equal steps


@dataclass(frozen=True)
class Cut:
    """A set of clips cut in two parts."""

    leaves: Booleans  # (n,) whether each clip is in the smaller part
    cosine: float  # mean over the pairs of a clip of one part and a clip of the other


def cut_in_two(vectors: Floats) -> Cut:
    """Cut a set of clips at the top of its average-linkage tree.

    Where the tree is of a sample, each clip goes to the part with which it has the greater mean cosine.

    Args:
        vectors: The clips' embeddings (n, dim), of any length but zero; n is 2 or more.
    """
    units = unit(vectors)
    step = -(-len(units) // MOST_CLIPS)
    tree = linkage(units[::step].astype(float), method="average", metric="cosine")
    parts = summarise(units[::step], fcluster(tree, t=2, criterion="maxclust").astype(np.int64) - 1)
    labels = np.argmax(units @ parts.means.T, axis=1) if step > 1 else fcluster(tree, t=2, criterion="maxclust") - 1
    smaller = int(np.argmin(np.bincount(labels, minlength=2)))
    return Cut(labels == smaller, float(parts.means[0] @ parts.means[1]))


def one_voice(vectors: Floats, durations_s: Floats, narrowness: Floats, cut: Cut, bar: Bar) -> float:
    """Give P(same voice) of the two parts of a set of clips.

    Args:
        vectors: The clips' embeddings (n, dim), of any length but zero.
        durations_s: The clips' durations in seconds (n,), more than 0.
        narrowness: The clips' narrowness (n,): 0 studio, 1 telephone.
        cut: Where the set was cut.
        bar: The bar.
    """
    clips = clips_as_voices(unit(vectors), durations_s, narrowness)
    labels = cut.leaves.astype(np.int64)
    parts = bar.united(bar.sets(clips), labels)
    return float(probability(bar.log_odds(parts, parts))[0, 1])
