"""Where one set of clips falls in two, and how likely it is that both parts are one voice all the same."""

from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from registry.core.linking.likeness import Bar, probability
from registry.core.linking.voices import clips_as_voices
from registry.core.records import Booleans, Floats
from registry.core.vectors import summarise, unit

MOST_CLIPS = 5_000  # the tree needs all pairs, 100 MB for these; of more clips an even sample is cut


@dataclass(frozen=True)
class Cut:
    """A set of clips in two parts."""

    leaves: Booleans  # (n,) which clips are in the smaller part
    cosine: float  # mean over the pairs of the two parts


def cut_in_two(vectors: Floats) -> Cut:
    """Cut clips at the top of their average-linkage tree, from their embeddings (n, dim), two or more."""
    units = unit(vectors)
    step = -(-len(units) // MOST_CLIPS)
    tree = linkage(units[::step].astype(float), method="average", metric="cosine")
    parts = summarise(units[::step], fcluster(tree, t=2, criterion="maxclust").astype(np.int64) - 1)
    labels = np.argmax(units @ parts.means.T, axis=1) if step > 1 else fcluster(tree, t=2, criterion="maxclust") - 1
    smaller = int(np.argmin(np.bincount(labels, minlength=2)))
    return Cut(labels == smaller, float(parts.means[0] @ parts.means[1]))


def one_voice(vectors: Floats, durations_s: Floats, narrowness: Floats, cut: Cut, bar: Bar) -> float:
    """Give P(same voice) of the two parts of some clips: embeddings (n, dim), seconds (n,) and narrowness (n,)."""
    clips = clips_as_voices(unit(vectors), durations_s, narrowness)
    labels = cut.leaves.astype(np.int64)
    parts = bar.united(bar.sets(clips), labels)
    return float(probability(bar.log_odds(parts, parts))[0, 1])
