"""Two Gaussians, of strangers' cosines and of one voice's: from a cosine to log odds, and from log odds to a cosine.

Strangers' cosines are cosines of two sets of different voices. One voice's cosines are cosines of two sets of one
voice.

Cosines are given as positions. A position is how far a cosine is above the mean of strangers' cosines, in standard
deviations of strangers' cosines. So strangers' positions have the mean 0 and the variance 1. One voice's positions have
the mean `separation`, 0 or more, and the variance `variance`, 1 at the most.

Between the two means the log odds are the logarithm of the ratio of the two densities. Beyond the two means they go on
along straight lines, because a greater cosine must never say less for one voice: a cosine above the mean of one voice
says no less for one voice than that mean, and a cosine below the mean of strangers says no less against one voice.
"""

import numpy as np

from registry.core.records import Floats


def log_odds(position: Floats, separation: Floats, variance: Floats) -> Floats:
    """Give the log odds of one voice at a position, where one voice and two are equally likely beforehand.

    Args:
        position: The positions, of any shape.
        separation: The mean of one voice's positions, of the same shape.
        variance: The variance of one voice's positions, of the same shape.
    """
    between = np.clip(position, 0, separation)
    inside = (between**2 - (between - separation) ** 2 / variance - np.log(variance)) / 2
    outside = np.maximum(position - separation, 0) * separation + np.minimum(position, 0) * separation / variance
    odds: Floats = inside + outside
    return odds


def position_at(odds: float, separation: Floats, variance: Floats) -> Floats:
    """Give the lowest position at which the log odds of one voice are `odds`, or 0 where that is below 0.

    Args:
        odds: The log odds.
        separation: The mean of one voice's positions, of any shape.
        variance: The variance of one voice's positions, of the same shape.
    """
    beyond = np.float32(odds) - (separation**2 - np.log(variance)) / 2  # log odds less those at one voice's mean
    missing = np.maximum(beyond + (separation**2 + separation**2 / variance) / 2, 0)  # less those at strangers' mean
    slope, bend = separation / variance, 1 / variance - 1
    between = 2 * missing / (slope + np.sqrt(np.maximum(slope**2 - 2 * bend * missing, 0)))
    found: Floats = np.where(beyond > 0, separation + beyond / separation, between)
    return found


def least_position(odds: float, least_variance: float) -> float:
    """Give a position that `position_at` never falls below, whatever the separation.

    Args:
        odds: The log odds.
        least_variance: The least variance of one voice's positions.
    """
    return float(max(0.0, 2 * odds + np.log(least_variance)) ** 0.5)
