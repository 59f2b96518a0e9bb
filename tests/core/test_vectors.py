"""Sets of unit vectors, summed up by their means."""

import numpy as np
import pytest

from registry.core.vectors import summarise, unit


def test_the_dot_product_of_means_is_the_mean_cosine_of_all_pairs() -> None:
    units = unit(np.random.default_rng(3).standard_normal((12, 16)).astype(np.float32))
    sets = summarise(units, np.repeat([0, 1], [5, 7]))

    assert sets.means[0] @ sets.means[1] == pytest.approx((units[:5] @ units[5:].T).mean(), abs=1e-6)
    assert sets.counts.tolist() == [5, 7]


def test_means_are_summed_in_double_precision_and_kept_in_single() -> None:
    sets = summarise(np.array([[1, 0], [1e-8, 0], [1e-8, 0], [1e-8, 0]], np.float32), np.zeros(4, np.int64))

    assert sets.means.dtype == np.float32
    assert sets.counts.dtype == np.int64
    assert sets.means[0, 0] == np.float32((1 + 3e-8) / 4)


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_vectors_without_a_direction_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="zero or not finite"):
        unit(np.full((1, 4), bad, dtype=np.float32))
