"""How well the speakers found agree with the true ones, and how far probabilities can be trusted."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from registry.core.records import Integers

Probabilities = npt.NDArray[np.float64]
Shares = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

BINS = 10  # of equal width; wide enough that a few hundred labels say something about each
STILL = 2**62  # as the end of what holds now: after every operation


@dataclass(frozen=True)
class PrecisionRecall:
    """Precision, recall, and their harmonic mean, each from 0 to 1."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Clustering:
    """How well clips were put together."""

    bcubed: PrecisionRecall
    pairwise: PrecisionRecall
    purity: float  # share of clips that are of the true speaker most heard in their speaker found
    coverage: float  # share of clips that are in the speaker found that holds most of their true speaker
    adjusted_rand: float  # 1 for the truth, about 0 for chance


@dataclass(frozen=True)
class Persistence:
    """How many of the nights on which a voice came back it had the number that it was known by."""

    share: float  # kept of returning, 1 where nobody came back
    kept: int
    returning: int


@dataclass(frozen=True)
class Bin:
    """Probabilities above `low`, up to `high`, against what came true."""

    low: float
    high: float
    clips: int
    predicted: float  # their mean
    right: float  # share


@dataclass(frozen=True)
class Calibration:
    """Bins that hold any clip, rising, and the expected calibration error: 0 where all probabilities came true."""

    bins: tuple[Bin, ...]
    clips: int
    expected_error: float  # mean distance from predicted to right, weighted by clips; 0 without clips


@dataclass(frozen=True)
class Spread:
    """A group of clips that another grouping divides."""

    group: int
    parts: tuple[tuple[int, int], ...]  # group of the other grouping, clips in common; the largest first

    @property
    def clips(self) -> int:
        """How many clips there are."""
        return sum(clips for _, clips in self.parts)

    @property
    def astray(self) -> int:
        """How many clips are not in the largest part."""
        return self.clips - self.parts[0][1]


@dataclass(frozen=True)
class Tenures:
    """Which clip was held to be which speaker's, from one operation to another; a clip may have several rows."""

    truth: Integers  # (n,) true speakers, from 0
    arrived: Integers  # (n,) the operation that brought the clip in
    speaker: Integers  # (n,) speakers found
    begins: Integers  # (n,) the operation that made it so
    ends: Integers  # (n,) the operation that ended it, or STILL


def clustering(truth: Integers, found: Integers) -> Clustering:
    """Compare two groupings of the same clips.

    B-cubed precision and recall are the means over all clips, see `bcubed_of_clips`. Pairwise precision and recall ask
    the same of all pairs of clips; where there is no pair to be wrong about, they are 1.

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
    precision, recall = (float(shares.mean()) for shares in bcubed_of_clips(t, f))
    (_, merged), (parted, both) = pair_confusion_matrix(t, f).tolist()
    return Clustering(
        PrecisionRecall(precision, recall, 2 * precision * recall / (precision + recall)),
        _pairwise(both, merged, parted),
        purity=_covered(table.data, table.col) / count,
        coverage=_covered(table.data, table.row) / count,
        adjusted_rand=float(adjusted_rand_score(t, f)),
    )


def bcubed_of_clips(truth: Integers, found: Integers) -> tuple[Shares, Shares]:
    """Give B-cubed precision and recall of each clip (n,), see Bagga and Baldwin (1998).

    Precision is the share of the clips filed with it that are of its true speaker, recall the share of its true
    speaker's clips that are filed with it; it counts itself in both.

    Args:
        truth: True speakers (n,), n > 0; any integers.
        found: Speakers found (n,).
    """
    t, f = from_zero(truth), from_zero(found)
    both = from_zero(t * (f.max() + 1) + f)
    common = np.bincount(both)[both]
    return common / np.bincount(f)[f], common / np.bincount(t)[t]


def from_zero(labels: Integers) -> Integers:
    """Number the different labels (n,) from 0 without gaps, in their order."""
    coded: Integers = np.unique(labels, return_inverse=True)[1]
    return coded


def _pairwise(both: int, merged: int, parted: int) -> PrecisionRecall:
    """Compare pairs: so many are together in both groupings, in the one found only, in the true one only."""
    f1 = _share(2 * both, 2 * both + merged + parted)
    return PrecisionRecall(_share(both, both + merged), _share(both, both + parted), f1)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _covered(common: Integers, group: Integers) -> int:
    """Add up, over groups, the most that any of the other grouping has in common with them."""
    most = np.zeros(int(group.max()) + 1, dtype=np.int64)
    np.maximum.at(most, group, common)
    return int(most.sum())


def persistence(voice: Integers, night: Integers, number: Integers) -> Persistence:
    """Count the nights on which a voice came back, and those filed mainly under the number it was known by.

    That is the number which most of its clips of all earlier nights have; of several, the lowest.

    Args:
        voice: The true speaker of each clip (n,), where numbers are given by place: of each speaker and place.
        night: Its night (n,), rising with time.
        number: The number it was filed under (n,).
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
    return min(counts, key=lambda number: (-counts[number], number))


def calibration(probability: Probabilities, is_right: Booleans) -> Calibration:
    """Hold probabilities against what came true, in ten bins of equal width.

    The expected calibration error is that of Naeini, Cooper and Hauskrecht (2015), "Obtaining well calibrated
    probabilities using Bayesian binning".

    Args:
        probability: What was predicted (n,), from 0 to 1; n may be 0.
        is_right: What came true (n,).
    """
    # The bins are those of sklearn.calibration.calibration_curve, which does not tell how many are in each.
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
    """Tell which clips are of one voice with the rest of their speaker, as it is.

    Whose voice the rest is, most of its clips say; several may be most. A clip of the same recording tells nothing of
    it.

    Args:
        truth: True speakers (n,), n > 0; any integers.
        found: Speakers found (n,).
        recording: What is heard in each (n,); any integers.

    Returns:
        Whether there is any rest to judge by (n,), and whether it is of the clip's true speaker (n,), false without.
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

    Who a speaker was is what most of its clips say that it held right after the decision and that came in with
    earlier operations; several may be most.

    Args:
        tenures: All tenures of the clips whose true speaker is known.
        decided: The rows (k,) in which clips were given to speakers by the operations that brought them in.

    Returns:
        Whether there is any such clip to judge by (k,), and whether it was right (k,), false without.
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
    """Group what one operation gave to one speaker: speaker, operation, and where in `decided`."""
    pairs = np.stack([tenures.speaker[decided], tenures.begins[decided]], axis=1)
    unique, group = np.unique(pairs, axis=0, return_inverse=True)
    at = np.split(np.argsort(group.ravel(), kind="stable"), np.cumsum(np.bincount(group.ravel()))[:-1])
    for (speaker, operation), rows in zip(unique.tolist(), at, strict=False):
        yield speaker, operation, rows


def spreads(group: Integers, other: Integers) -> list[Spread]:
    """List the groups of clips that another grouping divides, in order of group.

    Args:
        group: Their groups (n,).
        other: Their groups in the other grouping (n,).
    """
    pairs = Counter(zip(group.tolist(), other.tolist(), strict=True))
    parts: dict[int, list[tuple[int, int]]] = {}
    for (one, another), clips in sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0])):
        parts.setdefault(one, []).append((another, clips))
    return [Spread(one, tuple(parts[one])) for one in sorted(parts) if len(parts[one]) > 1]
