"""How good a grouping of clips is, against who speaks in truth; measured as `registry evaluate` measures."""

from dataclasses import dataclass

import numpy as np

from registry.core import measures
from registry.core.records import Integers


@dataclass(frozen=True)
class Scores:
    """All are shares, 1 at best."""

    f1: float  # B-cubed: of every clip, which others were filed with it
    persistence: float  # of a voice's later nights, those filed under the speaker that it had


def score(truth: np.ndarray, found: np.ndarray, night: Integers) -> Scores:
    """Compare found speakers with true ones, clip by clip (n,)."""
    voice, number = codes(truth), codes(found)
    f1 = measures.clustering(voice, number).bcubed.f1
    return Scores(f1, measures.persistence(voice, night, number).share)


def codes(labels: np.ndarray) -> Integers:
    """Count labels from 0, in their order."""
    coded: Integers = np.unique(labels, return_inverse=True)[1]
    return coded
