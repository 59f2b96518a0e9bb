"""Average linkage without the pairs gives what average linkage with the pairs gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.metrics import adjusted_rand_score

from registry.core.clustering import average_linkage
from registry.core.records import Floats
from registry.core.vectors import summarise, unit


def night_of_voices(seed: int, voices: int, clips: int, spread: float, dimension: int = 16) -> Floats:
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((voices, dimension))
    clips_of = centres[rng.integers(voices, size=clips)]
    return unit((clips_of + spread * rng.standard_normal((clips, dimension))).astype(np.float32))


@given(
    seed=st.integers(0, 10_000),
    voices=st.integers(1, 12),
    clips=st.integers(2, 80),
    spread=st.floats(0.05, 1.5),
    cut=st.floats(-0.2, 0.95),
)
@settings(deadline=None, max_examples=150)
def test_equals_scipy(seed: int, voices: int, clips: int, spread: float, cut: float) -> None:
    units = night_of_voices(seed, voices, clips, spread)
    tree = linkage(units.astype(float), method="average", metric="cosine")
    expected = fcluster(tree, t=1 - cut - 1e-6, criterion="distance")

    labels = average_linkage(units, cut)

    assert adjusted_rand_score(expected, labels) == pytest.approx(1.0)


@given(seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=30)
def test_order_of_clips_does_not_matter(seed: int) -> None:
    units = night_of_voices(seed, voices=6, clips=50, spread=0.6)
    order = np.random.default_rng(seed).permutation(len(units))

    labels, shuffled = average_linkage(units, 0.5), average_linkage(units[order], 0.5)

    assert adjusted_rand_score(labels[order], shuffled) == pytest.approx(1.0)


def test_labels_count_from_zero_in_the_order_seen() -> None:
    units = np.array([[0, 1], [1, 0], [0, 1], [1, 0]], dtype=np.float32)

    assert average_linkage(units, 0.5).tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("copies", [1, 2, 3, 50])
def test_equal_clips_are_one_cluster(copies: int) -> None:
    """Also where rounding could send a chain of equal neighbours in circles."""
    one = night_of_voices(1, voices=1, clips=1, spread=1.0, dimension=192)

    assert average_linkage(np.repeat(one, copies, axis=0), 0.5).tolist() == [0] * copies


def test_the_dot_product_of_means_is_the_mean_cosine_of_all_pairs() -> None:
    units = night_of_voices(3, voices=2, clips=12, spread=0.5)
    sets = summarise(units, np.repeat([0, 1], [5, 7]))

    assert sets.means[0] @ sets.means[1] == pytest.approx((units[:5] @ units[5:].T).mean(), abs=1e-6)
    assert sets.counts.tolist() == [5, 7]


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_vectors_without_a_direction_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="zero or not finite"):
        unit(np.full((1, 4), bad, dtype=np.float32))
