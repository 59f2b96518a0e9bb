"""How good a grouping of clips is, against who speaks in truth."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score, pair_confusion_matrix
from sklearn.metrics.cluster import contingency_matrix

from registry.core.records import Integers


@dataclass(frozen=True)
class Scores:
    """All are shares, 1 at best."""

    precision: float  # B-cubed
    recall: float  # B-cubed
    f1: float  # of the two: of every clip, which others were filed with it
    pair_f1: float
    ari: float  # adjusted Rand index
    persistence: float  # of a voice's later nights, those filed under the speaker that it had


def score(truth: np.ndarray, found: np.ndarray, night: Integers) -> Scores:
    """Compare found speakers with true ones, clip by clip (n,)."""
    (_, apart), (split, both) = pair_confusion_matrix(truth, found)
    return Scores(
        *b_cubed(truth, found),
        float(2 * both / max(2 * both + apart + split, 1)),
        float(adjusted_rand_score(truth, found)),
        persistence(truth, found, night),
    )


def b_cubed(truth: np.ndarray, found: np.ndarray) -> tuple[float, float, float]:
    """Give B-cubed precision, recall and F1 (Bagga and Baldwin, LREC 1998)."""
    table = np.asarray(contingency_matrix(truth, found), dtype=float)
    precision = float((table**2 / table.sum(axis=0)).sum() / table.sum())
    recall = float((table**2 / table.sum(axis=1, keepdims=True)).sum() / table.sum())
    return precision, recall, 2 * precision * recall / (precision + recall)


def persistence(truth: np.ndarray, found: np.ndarray, night: Integers) -> float:
    """Give the share of returning speaker-nights filed mainly under the speaker that has most of the earlier clips.

    Among equally many, the first in order counts as the main one.
    """
    clips = pd.DataFrame({"truth": truth, "found": found, "night": night})
    kept = returning = 0
    for _, voice in clips.groupby("truth"):
        for one in sorted(voice["night"].unique())[1:]:
            established = voice.loc[voice["night"] < one, "found"].mode().iloc[0]
            returning += 1
            kept += voice.loc[voice["night"] == one, "found"].mode().iloc[0] == established
    return kept / returning if returning else 1.0
