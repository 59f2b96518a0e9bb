"""Measures of quality: how well the speakers found agree with the true speakers, and how true the probabilities are."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from registry.core.records import Booleans, Integers

Probabilities = npt.NDArray[np.float64]
Shares = npt.NDArray[np.float64]

BINS = 10  # number of bins, of equal width: so wide that a few hundred labels say something about each
STILL = 2**62  # stands for the operation that ends what holds now: greater than the key of every operation


@dataclass(frozen=True)
class PrecisionRecall:
    """Precision, recall, and their harmonic mean, each from 0 to 1."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Clustering:
    """How well the speakers found agree with the true speakers of the same clips."""

    bcubed: PrecisionRecall  # mean over all clips
    pairwise: PrecisionRecall  # over all pairs of clips
    purity: float  # share of clips whose true speaker is the one with the most clips in their speaker found
    coverage: float  # share of clips whose speaker found is the one with the most clips of their true speaker
    adjusted_rand: float  # adjusted Rand index: 1 for the truth, about 0 for chance


@dataclass(frozen=True)
class Persistence:
    """How often a voice that came back on a later night had the number that it was known by."""

    share: float  # kept / returning; 1 where no voice came back
    kept: int  # times that a voice came back and had its number
    returning: int  # times that a voice came back: a voice on one night counts once


@dataclass(frozen=True)
class Bin:
    """The clips with a probability above `low` and up to `high`: what was predicted, and what came true."""

    low: float
    high: float
    clips: int  # how many there are
    predicted: float  # mean of their probabilities
    right: float  # share of them for which the prediction came true


@dataclass(frozen=True)
class Calibration:
    """How true probabilities are."""

    bins: tuple[Bin, ...]  # the bins that hold any clip, rising
    clips: int  # in all bins
    expected_error: float  # mean of |predicted - right| over the bins, weighted by clips; 0 without clips


@dataclass(frozen=True)
class Spread:
    """A group of clips that another grouping divides into parts."""

    group: int  # label of the group
    parts: tuple[tuple[int, int], ...]  # label in the other grouping and number of clips; the largest part first

    @property
    def clips(self) -> int:
        """The number of clips in the group."""
        return sum(clips for _, clips in self.parts)

    @property
    def astray(self) -> int:
        """The number of clips that are not in the largest part."""
        return self.clips - self.parts[0][1]


@dataclass(frozen=True)
class Tenures:
    """The speakers that clips have had, each from one operation to another. A clip may have several rows."""

    truth: Integers  # (n,) the clip's true speaker, from 0
    arrived: Integers  # (n,) the operation that brought the clip in
    speaker: Integers  # (n,) the speaker found
    begins: Integers  # (n,) the operation that gave the clip this speaker
    ends: Integers  # (n,) the operation that took the speaker away again, or STILL


def clustering(truth: Integers, found: Integers) -> Clustering:
    """Compare the speakers found with the true speakers of the same clips.

    B-cubed precision and recall are means over all clips, see `bcubed_of_clips`. Pairwise precision is the share of the
    pairs of clips put together that are of one true speaker. Pairwise recall is the share of the pairs of one true
    speaker that were put together. Each of the two is 1 where there is no such pair.

    Args:
        truth: True speakers (n,), n > 0; any integers.
        found: Speakers found (n,).
    """
    from sklearn.metrics.cluster import (
        adjusted_rand_score,
        contingency_matrix,
        pair_confusion_matrix,
    )

    t, f = from_zero(truth), from_zero(found)
    table, count = contingency_matrix(t, f, sparse=True).tocoo(), len(t)
    precisions, recalls = bcubed_of_clips(t, f)
    precision, recall = float(precisions.mean()), float(recalls.mean())
    (_, only_found), (only_true, both) = pair_confusion_matrix(t, f).tolist()
    return Clustering(
        PrecisionRecall(precision, recall, 2 * precision * recall / (precision + recall)),
        _pairwise(both, only_found, only_true),
        purity=_covered(table.data, table.col) / count,
        coverage=_covered(table.data, table.row) / count,
        adjusted_rand=float(adjusted_rand_score(t, f)),
    )


def bcubed_of_clips(truth: Integers, found: Integers) -> tuple[Shares, Shares]:
    """Give the B-cubed precision (n,) and recall (n,) of each clip, see Bagga and Baldwin (1998).

    The precision of a clip is the share of the clips of its speaker found that are of its true speaker. The recall of a
    clip is the share of its true speaker's clips that are of its speaker found. The clip itself counts in both.

    Args:
        truth: True speakers (n,), n > 0; any integers.
        found: Speakers found (n,).
    """
    t, f = from_zero(truth), from_zero(found)
    both = from_zero(t * (f.max() + 1) + f)
    common = np.bincount(both)[both]
    return common / np.bincount(f)[f], common / np.bincount(t)[t]


def from_zero(labels: Integers) -> Integers:
    """Replace labels (n,) by numbers from 0 without gaps, in the order of the labels (n,)."""
    coded: Integers = np.unique(labels, return_inverse=True)[1]
    return coded


def _pairwise(both: int, only_found: int, only_true: int) -> PrecisionRecall:
    """Compute pairwise precision and recall.

    Args:
        both: Number of pairs that are together in both groupings.
        only_found: Number of pairs that are together among the speakers found only.
        only_true: Number of pairs that are together among the true speakers only.
    """
    f1 = _share(2 * both, 2 * both + only_found + only_true)
    return PrecisionRecall(_share(both, both + only_found), _share(both, both + only_true), f1)


def _share(part: int, whole: int) -> float:
    """Give part / whole, or 1 where the whole is 0."""
    return part / whole if whole else 1.0


def _covered(common: Integers, group: Integers) -> int:
    """Add up, over the groups of a grouping, the clips of each group's largest part.

    Args:
        common: Number of clips of each part (p,): the clips that a group has in common with one of another grouping.
        group: The group that each part belongs to (p,), from 0.
    """
    most = np.zeros(int(group.max()) + 1, dtype=np.int64)
    np.maximum.at(most, group, common)
    return int(most.sum())


def persistence(voice: Integers, night: Integers, number: Integers) -> Persistence:
    """Count how often a voice came back on a later night, and how often it then had the number that it was known by.

    A voice is known by the number that most of its clips of all earlier nights have. It has the number that most of its
    clips of the night have. Of several numbers with the most clips the lowest is taken.

    Args:
        voice: The true speaker of each clip (n,). Where each broadcaster gives numbers of its own, a true speaker
            at two broadcasters is two voices.
        night: The night of each clip (n,), rising with time.
        number: The number of each clip's speaker found (n,).
    """
    kept = returning = 0
    rows = sorted(zip(voice.tolist(), night.tolist(), number.tolist(), strict=True))
    for _, of_voice in groupby(rows, itemgetter(0)):
        earlier: Counter[int] = Counter()
        for _, of_night in groupby(of_voice, itemgetter(1)):
            tonight = Counter(number for _, _, number in of_night)
            if earlier:
                returning += 1
                kept += _most_frequent(tonight) == _most_frequent(earlier)
            earlier += tonight
    return Persistence(_share(kept, returning), kept, returning)


def _most_frequent(counts: Counter[int]) -> int:
    """Give the most frequent number; of several, the lowest."""
    return min(counts, key=lambda number: (-counts[number], number))


def calibration(probability: Probabilities, is_right: Booleans) -> Calibration:
    """Compare probabilities with what came true, in ten bins of equal width.

    The expected calibration error is that of Naeini, Cooper and Hauskrecht (2015), "Obtaining well calibrated
    probabilities using Bayesian binning".

    Args:
        probability: The predicted probability of each clip (n,), from 0 to 1; n may be 0.
        is_right: Whether the prediction came true (n,).
    """
    # The bins are those of sklearn.calibration.calibration_curve, which does not tell how many clips are in each.
    edges = np.linspace(0, 1, BINS + 1)
    place = np.searchsorted(edges[1:-1], probability)
    bins: list[Bin] = []
    for at in np.unique(place).tolist():
        here = place == at
        predicted, right = float(probability[here].mean()), float(is_right[here].mean())
        bins.append(Bin(at / BINS, (at + 1) / BINS, int(here.sum()), predicted, right))
    count = len(probability)
    error = sum(each.clips * abs(each.predicted - each.right) for each in bins) / max(count, 1)
    return Calibration(tuple(bins), count, error)


def clips_right(truth: Integers, found: Integers, recording: Integers) -> tuple[Booleans, Booleans]:
    """Tell which clips are of the same voice as the rest of their speaker found.

    The rest of a clip's speaker is its clips of other recordings: clips of the same recording tell nothing. The rest is
    of the true speaker that most of its clips are of. If several true speakers have the most clips, it is of each.

    Args:
        truth: True speakers (n,), n > 0; any integers.
        found: Speakers found (n,).
        recording: The recording that each clip carries (n,); any integers.

    Returns:
        Whether there is any rest (n,), and whether the rest is of the clip's true speaker (n,), false without any rest.
    """
    is_judged, is_right = np.zeros(len(truth), dtype=np.bool_), np.zeros(len(truth), dtype=np.bool_)
    for members in _groups(found):
        voice = from_zero(truth[members])
        votes = np.bincount(voice)
        for own in _groups(recording[members]):
            rest = votes - np.bincount(voice[own], minlength=len(votes))
            is_judged[members[own]] = rest.any()
            is_right[members[own]] = rest.any() & (rest[voice[own]] == rest.max())
    return is_judged, is_right


def _groups(labels: Integers) -> list[Integers]:
    """List the rows of every label (n,), n > 0."""
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)


def matches_right(tenures: Tenures, decided: Integers) -> tuple[Booleans, Booleans]:
    """Tell which decisions gave a clip to a speaker that was the clip's true speaker.

    A decision is judged by the clips that its speaker had right after it and that earlier operations had brought in.
    The speaker was the true speaker that most of these clips are of. If several true speakers have the most clips, it
    was each of them.

    Args:
        tenures: All tenures of the clips whose true speaker is known.
        decided: The rows of the decisions (k,): each gave a clip its speaker, by the operation that brought it in.

    Returns:
        Whether there is any clip to judge by (k,), and whether the decision was right (k,), false without any clip.
    """
    order = np.argsort(tenures.speaker, kind="stable")
    grouped = tenures.speaker[order]
    is_judged, is_right = np.zeros(len(decided), dtype=np.bool_), np.zeros(len(decided), dtype=np.bool_)
    for speaker, operation, at in _by_decision(tenures, decided):
        rows = order[slice(*np.searchsorted(grouped, [speaker, speaker + 1]))]
        held = rows[(tenures.begins[rows] <= operation) & (operation < tenures.ends[rows])]
        votes = np.bincount(tenures.truth[held[tenures.arrived[held] < operation]], minlength=tenures.truth.max() + 1)
        is_judged[at] = votes.any()
        is_right[at] = votes.any() & (votes[tenures.truth[decided[at]]] == votes.max())
    return is_judged, is_right


def _by_decision(tenures: Tenures, decided: Integers) -> Iterator[tuple[int, int, Integers]]:
    """Group the decisions of one operation for one speaker: speaker, operation, and the decisions' places (d,)."""
    pairs = np.stack([tenures.speaker[decided], tenures.begins[decided]], axis=1)
    unique, group = np.unique(pairs, axis=0, return_inverse=True)
    at = np.split(np.argsort(group.ravel(), kind="stable"), np.cumsum(np.bincount(group.ravel()))[:-1])
    for (speaker, operation), rows in zip(unique.tolist(), at, strict=False):
        yield speaker, operation, rows


def spreads(group: Integers, other: Integers) -> list[Spread]:
    """List the groups of clips that another grouping divides, in order of group.

    Args:
        group: The group of each clip (n,).
        other: The group of each clip in the other grouping (n,).
    """
    pairs = Counter(zip(group.tolist(), other.tolist(), strict=True))
    parts: dict[int, list[tuple[int, int]]] = {}
    for (one, another), clips in sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0])):
        parts.setdefault(one, []).append((another, clips))
    return [Spread(one, tuple(parts[one])) for one in sorted(parts) if len(parts[one]) > 1]


def largest_mixed(group: Integers, other: Integers, gender: npt.NDArray[np.str_]) -> float:
    """Give the share of a gender's clips that its worst group holds and that are not in the group's largest part.

    Args:
        group: The groups of the clips (n,), of one gender each.
        other: Their groups in the other grouping (n,).
        gender: The gender of each clip (n,), at least one.
    """
    genders = [gender == one for one in np.unique(gender)]
    return max(_most_astray(group[is_of], other[is_of]) / int(is_of.sum()) for is_of in genders)


def _most_astray(group: Integers, other: Integers) -> int:
    return max((spread.astray for spread in spreads(group, other)), default=0)
