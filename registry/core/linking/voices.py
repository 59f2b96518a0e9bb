"""Sets of clips, each taken for one voice and summed up so that its single clips are not needed again."""

from dataclasses import dataclass

import numpy as np

from registry.core.records import Booleans, Floats, Integers

NARROW = (
    0.5  # least narrowness of a clip that counts as heard by telephone; every other clip counts as heard in a studio
)


@dataclass(frozen=True)
class Voices:
    """The summaries of k sets of clips.

    The mean cosine over all pairs of clips of two sets is the dot product of the means of the two sets.
    """

    mean: Floats  # (k, dim) plain mean of the clips' unit vectors, not normalised again
    size: Integers  # (k,) number of clips
    inverse_s: Floats  # (k,) mean of 1 / duration over the clips, per second: large where clips are short
    narrowness: Floats  # (k,) mean narrowness of the clips: 0 studio, 1 telephone

    def __len__(self) -> int:
        """Count the sets."""
        return len(self.size)

    def take(self, rows: Integers) -> "Voices":
        """Give the sets of some rows (r,), in the order of the rows."""
        return Voices(self.mean[rows], self.size[rows], self.inverse_s[rows], self.narrowness[rows])

    def followed_by(self, other: "Voices") -> "Voices":
        """Append the sets of another to these sets."""
        return Voices(
            np.concatenate([self.mean, other.mean]),
            np.concatenate([self.size, other.size]),
            np.concatenate([self.inverse_s, other.inverse_s]),
            np.concatenate([self.narrowness, other.narrowness]),
        )

    def without(self, clips: "Voices", is_in: Booleans) -> "Voices":
        """Take one clip out of each set. A set of one clip stays as it is.

        Args:
            clips: For each set a clip, as a set of its own (k).
            is_in: Whether the clip is one of the set's clips (k,); where it is not, the set stays as it is.
        """
        gone = (is_in & (self.size > 1)).astype(np.int64)
        left = self.size - gone
        mean = (self.mean * self.size[:, None] - clips.mean * gone[:, None]) / left[:, None]
        inverse_s = (self.inverse_s * self.size - clips.inverse_s * gone) / left
        narrowness = (self.narrowness * self.size - clips.narrowness * gone) / left
        return Voices(mean.astype(np.float32), left, inverse_s.astype(np.float32), narrowness.astype(np.float32))

    def united(self, labels: Integers) -> "Voices":
        """Unite all sets that have the same label (k,). Labels count from 0 without gaps."""
        size = np.bincount(labels, self.size).astype(np.int64)
        mean = weighted_means(self.mean, self.size, labels)
        inverse_s = weighted_means(self.inverse_s[:, None], self.size, labels)[:, 0]
        narrowness = weighted_means(self.narrowness[:, None], self.size, labels)[:, 0]
        return Voices(mean, size, inverse_s, narrowness)


def clips_as_voices(units: Floats, durations_s: Floats, narrowness: Floats) -> Voices:
    """Make a set of each clip.

    Args:
        units: The clips' embeddings, scaled to length 1 (n, dim).
        durations_s: The clips' durations in seconds (n,), more than 0.
        narrowness: The clips' narrowness (n,): 0 studio, 1 telephone.
    """
    ones = np.ones(len(units), dtype=np.int64)
    inverse_s = (1 / durations_s).astype(np.float32)
    return Voices(units.astype(np.float32), ones, inverse_s, narrowness.astype(np.float32))


def weighted_means(values: Floats, weights: Integers, labels: Integers) -> Floats:
    """Give the weighted mean of the rows of each label (l, dim).

    Args:
        values: The rows (n, dim).
        weights: Their weights (n,).
        labels: Their labels (n,), from 0 to l - 1 without gaps.
    """
    totals = np.bincount(labels, weights)
    if len(totals) == 1:  # a fast way for the most frequent use: every step of joining unites two sets
        mean: Floats = ((values * weights[:, None]).sum(axis=0, keepdims=True) / totals).astype(np.float32)
        return mean
    together = np.flatnonzero(np.bincount(labels)[labels] > 1)
    if len(together) == len(labels):
        sums = np.zeros((len(totals), values.shape[1]))
        np.add.at(sums, labels, values * weights[:, None])
        return (sums / totals[:, None]).astype(np.float32)
    means = np.empty((len(totals), values.shape[1]), dtype=np.float32)
    means[labels] = values  # a row that is alone under its label is its own mean; in a large registry most rows are
    several, place = np.unique(labels[together], return_inverse=True)
    means[several] = weighted_means(values[together], weights[together], place)
    return means


def own_cosines(own_squares: Floats, size: Integers) -> Floats:
    """Give the mean cosine over all pairs of different clips of each set (k,).

    A set of a single clip has no such pair, and its value means nothing.

    Args:
        own_squares: Squared lengths of the sets' means (k,).
        size: Numbers of clips (k,).
    """
    alone = (1 / size).astype(np.float32)  # the share of a squared mean that comes from clips paired with themselves
    return ((own_squares - alone) / np.maximum(1 - alone, 0.5)).astype(np.float32)
