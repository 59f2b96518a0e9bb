"""Voices: sets of clips, each taken for one voice and summed up so that no clip is needed again."""

from dataclasses import dataclass

import numpy as np

from registry.core.records import Booleans, Floats, Integers

NARROW = 0.5  # narrowness from which on a clip counts as heard by telephone, where there are two kinds only


@dataclass(frozen=True)
class Voices:
    """k sets of clips. The mean pairwise cosine of two sets is the dot product of their means."""

    mean: Floats  # (k, dim) plain means of unit vectors, not normalised again
    size: Integers  # (k,) clips
    inverse_s: Floats  # (k,) mean of 1 / duration, per second: short clips make it large
    narrowness: Floats  # (k,) mean of the clips': 0 studio, 1 telephone

    def __len__(self) -> int:
        """Count the sets."""
        return len(self.size)

    def take(self, rows: Integers) -> "Voices":
        """Give some of the sets, in the order asked for."""
        return Voices(self.mean[rows], self.size[rows], self.inverse_s[rows], self.narrowness[rows])

    def followed_by(self, other: "Voices") -> "Voices":
        """Put the sets of another after these."""
        return Voices(
            np.concatenate([self.mean, other.mean]),
            np.concatenate([self.size, other.size]),
            np.concatenate([self.inverse_s, other.inverse_s]),
            np.concatenate([self.narrowness, other.narrowness]),
        )

    def without(self, clips: "Voices", is_in: Booleans) -> "Voices":
        """Take a clip (k) out of each set that it is in; a set of one clip stays as it is."""
        gone = (is_in & (self.size > 1)).astype(np.int64)
        left = self.size - gone
        mean = (self.mean * self.size[:, None] - clips.mean * gone[:, None]) / left[:, None]
        inverse_s = (self.inverse_s * self.size - clips.inverse_s * gone) / left
        narrowness = (self.narrowness * self.size - clips.narrowness * gone) / left
        return Voices(mean.astype(np.float32), left, inverse_s.astype(np.float32), narrowness.astype(np.float32))

    def united(self, labels: Integers) -> "Voices":
        """Unite sets of one label (k,), labels counting from 0 without gaps."""
        size = np.bincount(labels, self.size).astype(np.int64)
        mean = weighted_means(self.mean, self.size, labels)
        inverse_s, narrowness = (
            weighted_means(values[:, None], self.size, labels)[:, 0] for values in (self.inverse_s, self.narrowness)
        )
        return Voices(mean, size, inverse_s, narrowness)


def clips_as_voices(units: Floats, durations_s: Floats, narrowness: Floats) -> Voices:
    """Make a set of each clip, from unit vectors (n, dim), seconds (n,) and narrowness (n,)."""
    ones = np.ones(len(units), dtype=np.int64)
    inverse_s = (1 / durations_s).astype(np.float32)
    return Voices(units.astype(np.float32), ones, inverse_s, narrowness.astype(np.float32))


def weighted_means(values: Floats, weights: Integers, labels: Integers) -> Floats:
    """Average rows (n, dim) by label, weighed (n,); labels count from 0 without gaps."""
    totals = np.bincount(labels, weights)
    if len(totals) == 1:  # two that join, most often: asked for every join
        mean: Floats = ((values * weights[:, None]).sum(axis=0, keepdims=True) / totals).astype(np.float32)
        return mean
    together = np.flatnonzero(np.bincount(labels)[labels] > 1)
    if len(together) == len(labels):
        sums = np.zeros((len(totals), values.shape[1]))
        np.add.at(sums, labels, values * weights[:, None])
        return (sums / totals[:, None]).astype(np.float32)
    means = np.empty((len(totals), values.shape[1]), dtype=np.float32)
    means[labels] = values  # one alone, as most of a large registry are, is its own average
    several, part = np.unique(labels[together], return_inverse=True)
    means[several] = weighted_means(values[together], weights[together], part)
    return means


def own_cosines(own_squares: Floats, size: Integers) -> Floats:
    """Give each set's mean cosine over its pairs of different clips; of single clips the value means nothing.

    Args:
        own_squares: Squared lengths of the means (k,).
        size: Clips (k,).
    """
    alone = (1 / size).astype(np.float32)  # the part of a squared mean that is clips meeting themselves
    return ((own_squares - alone) / np.maximum(1 - alone, 0.5)).astype(np.float32)
