"""Cosines of strangers and of one voice as two Gaussians: what a cosine says for one voice, and which says so much.

Cosines are given as positions: how far above the mean of strangers' they are, in deviations of strangers'. One voice's
have the mean `way` there, and `variance` times the variance of strangers', 1 at the most.

Between the two means the log odds are those of the densities. Outside they go on along straight lines: a cosine above
the mean of one voice's speaks no less for one voice, and one below the mean of strangers' no less against it.
"""

import numpy as np

from registry.core.records import Floats


def log_odds(position: Floats, way: Floats, variance: Floats) -> Floats:
    """Give the log odds of one voice, were it as likely as not before (...)."""
    between = np.clip(position, 0, way)
    inside = (between**2 - (between - way) ** 2 / variance - np.log(variance)) / 2
    outside = np.maximum(position - way, 0) * way + np.minimum(position, 0) * way / variance
    odds: Floats = inside + outside
    return odds


def position_at(odds: float, way: Floats, variance: Floats) -> Floats:
    """Give the lowest position with such log odds (...), but none below the mean of strangers'."""
    above_way = np.float32(odds) - (way**2 - np.log(variance)) / 2  # odds that are left beyond one voice's mean
    missing = np.maximum(above_way + (way**2 + way**2 / variance) / 2, 0)  # odds from strangers' mean on
    slope, bend = way / variance, 1 / variance - 1
    between = 2 * missing / (slope + np.sqrt(np.maximum(slope**2 - 2 * bend * missing, 0)))
    found: Floats = np.where(above_way > 0, way + above_way / way, between)
    return found


def least_position(odds: float, least_variance: float) -> float:
    """Give the least position with such log odds, whatever the way, if one voice's variance is no less than this."""
    return float(max(0.0, 2 * odds + np.log(least_variance)) ** 0.5)
