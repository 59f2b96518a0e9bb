"""What a cosine's position says for one voice, and the position that says so much, are one another's inverse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from registry.core.linking.gaussians import least_position, log_odds, position_at

WAYS, VARIANCES = st.floats(0.1, 8), st.floats(0.15, 1)


def odds_at(position: float, way: float, variance: float) -> float:
    return float(log_odds(*(np.array([value], np.float32) for value in (position, way, variance)))[0])


def position(odds: float, way: float, variance: float) -> float:
    return float(position_at(odds, np.array([way], np.float32), np.array([variance], np.float32))[0])


@pytest.mark.parametrize("at", [0.0, 0.7, 2.5, 3.0])
def test_between_the_means_they_are_the_ratio_of_the_densities(at: float) -> None:
    way, variance = 3.0, 0.3
    expected = norm.logpdf(at, way, variance**0.5) - norm.logpdf(at)

    assert odds_at(at, way, variance) == pytest.approx(expected, abs=1e-4)


@given(way=WAYS, variance=VARIANCES)
def test_a_greater_cosine_never_speaks_less_for_one_voice(way: float, variance: float) -> None:
    odds = [odds_at(at, way, variance) for at in np.linspace(-3, way + 3, 50)]

    assert all(np.diff(odds) >= -1e-4)


@given(odds=st.floats(0, 20), way=WAYS, variance=VARIANCES)
def test_at_its_position_the_odds_are_those_asked_for(odds: float, way: float, variance: float) -> None:
    at = position(odds, way, variance)
    there = odds_at(at, way, variance)

    assert at >= 0
    assert there == pytest.approx(odds, rel=1e-2, abs=1e-2) or (at == 0 and there >= odds)


@given(odds=st.floats(0, 20), way=WAYS, variance=VARIANCES)
def test_none_is_below_the_least(odds: float, way: float, variance: float) -> None:
    assert position(odds, way, variance) >= least_position(odds, 0.15) - 1e-3
