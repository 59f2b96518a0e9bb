"""Sets of clips are united by their plain means."""

import numpy as np
import pytest

from registry.core.voices import weighted_means

VALUES = np.random.default_rng(3).standard_normal((6, 4)).astype(np.float32)
WEIGHTS = np.array([1, 7, 2, 10_000, 3, 5])


@pytest.mark.parametrize(
    "labels",
    [[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [0, 1, 0, 2, 1, 3], [0, 0, 1, 1, 2, 2], [0] * 6],
    ids=["all alone", "in another order", "some together", "all in pairs", "all together"],
)
def test_means_are_weighed_by_label(labels: list[int]) -> None:
    means = weighted_means(VALUES, WEIGHTS, np.array(labels))
    rows = [np.flatnonzero(np.array(labels) == label) for label in range(max(labels) + 1)]

    np.testing.assert_allclose(means, [np.average(VALUES[r], axis=0, weights=WEIGHTS[r]) for r in rows], rtol=1e-6)


def test_one_alone_stays_as_it_is_to_the_bit() -> None:
    means = weighted_means(VALUES, WEIGHTS, np.array([0, 1, 1, 2, 3, 4]))

    assert means[[0, 2, 3, 4]].tobytes() == VALUES[[0, 3, 4, 5]].tobytes()


def test_nothing_has_no_means() -> None:
    assert weighted_means(VALUES[:0], WEIGHTS[:0], np.zeros(0, dtype=np.int64)).shape == (0, 4)
