"""Clusters against stored speakers: the speaker each cluster belongs to, if any, and the runner-up."""

from dataclasses import dataclass

import numpy as np

from registry.core.records import Floats
from registry.core.vectors import VectorSets

BLOCK_CLUSTERS = 256  # scores of that many clusters at a time: 50 MB against 50,000 speakers


@dataclass(frozen=True)
class Match:
    """The best stored speaker for a cluster, by row, with its runner-up."""

    row: int
    score: float  # mean pairwise cosine
    margin: float  # score above what is needed for sets of these sizes; negative: not the same voice
    runner_up_row: int | None
    runner_up_score: float | None


def best_matches(
    clusters: VectorSets, speakers: VectorSets, match_cosine: float, scarcity_cosine: float
) -> list[Match]:
    """Rank every cluster's speakers by margin; many clusters may have the same best speaker.

    Args:
        clusters: The night's clusters, (n, dim).
        speakers: The stored speakers, (m, dim), in an order that does not change; m may be 0.
        match_cosine: Mean pairwise cosine that two large sets must reach.
        scarcity_cosine: How much more two single clips must reach.

    Returns:
        One match per cluster, in order; empty if there are no speakers.
    """
    if len(speakers.counts) == 0:
        return []
    matches: list[Match] = []
    for start in range(0, len(clusters.counts), BLOCK_CLUSTERS):
        block = slice(start, start + BLOCK_CLUSTERS)
        scores = clusters.means[block] @ speakers.means.T
        scarcity = (1 / clusters.counts[block, None] + 1 / speakers.counts[None, :]) / 2
        margins = scores - (match_cosine + scarcity_cosine * scarcity).astype(np.float32)
        matches.extend(_best(*row) for row in zip(scores, margins, strict=True))
    return matches


def _best(scores: Floats, margins: Floats) -> Match:
    best = int(np.argmax(margins))
    if len(margins) == 1:
        return Match(best, float(scores[best]), float(margins[best]), None, None)
    others = margins.copy()
    others[best] = -np.inf
    second = int(np.argmax(others))
    return Match(best, float(scores[best]), float(margins[best]), second, float(scores[second]))
