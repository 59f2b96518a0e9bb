"""How good a grouping of clips is, against who speaks in truth; as `registry evaluate` and score.py measure."""

from dataclasses import dataclass

import numpy as np

from registry.core import measures
from registry.core.measures import PrecisionRecall, Shares
from registry.core.records import Booleans, Integers


@dataclass(frozen=True)
class Scores:
    """All are shares, 1 at best."""

    f1: float  # B-cubed: of every clip, which others were filed with it
    persistence: float  # of a voice's later nights, those filed under the speaker that it had


def score(truth: np.ndarray, found: np.ndarray, night: Integers) -> Scores:
    """Compare found speakers with true ones, clip by clip (n,)."""
    voice, number = codes(truth), codes(found)
    return Scores(bcubed(truth, found).f1, measures.persistence(voice, night, number).share)


def bcubed(truth: np.ndarray, found: np.ndarray) -> PrecisionRecall:
    """Give B-cubed precision, recall and F1 of found speakers (n,)."""
    return measures.clustering(codes(truth), codes(found)).bcubed


def precisions(truth: np.ndarray, found: np.ndarray) -> Shares:
    """Give of each clip (n,) the share of its speaker's clips that are of its voice."""
    return measures.bcubed_of_clips(codes(truth), codes(found))[0]


def largest_mixed(truth: np.ndarray, found: np.ndarray, gender: np.ndarray) -> float:
    """Give the share of a gender's clips that the worst of its speakers holds and that are not of its main voice."""
    return measures.largest_mixed(codes(found), codes(truth), gender)


def one_number(truth: np.ndarray, found: np.ndarray, has_sound: Booleans) -> float:
    """Give the share of the people heard by two sounds who have the most clips of both with one speaker.

    NaN where nobody is.
    """
    heard_both_ways = sorted(set(truth[has_sound]) & set(truth[~has_sound]))
    mains = [[_main(found[(truth == who) & one]) for one in (has_sound, ~has_sound)] for who in heard_both_ways]
    return float(np.mean([one == other for one, other in mains])) if mains else float("nan")


def _main(found: np.ndarray) -> object:
    names, counts = np.unique(found, return_counts=True)
    return names[counts.argmax()]


def codes(labels: np.ndarray) -> Integers:
    """Count labels from 0, in their order."""
    coded: Integers = np.unique(labels, return_inverse=True)[1]
    return coded
