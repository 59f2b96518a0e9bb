"""Sets of clips are united by their plain means."""

import numpy as np
import pytest

from registry.core.linking.voices import Voices, clips_as_voices, weighted_means

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


def clips(narrowness: list[float]) -> Voices:
    """Clips of four seconds."""
    count = len(narrowness)
    return clips_as_voices(VALUES[:count], np.full(count, 4, np.float32), np.array(narrowness, np.float32))


def test_narrowness_goes_with_the_clips() -> None:
    found = clips([0, 1, 0.25]).followed_by(clips([0.5])).take(np.array([3, 1, 2]))

    assert found.narrowness.tolist() == [0.5, 1, 0.25]


def test_narrowness_of_a_set_is_the_mean_over_its_clips_also_without_one() -> None:
    four = clips([0, 1, 1, 0.5])
    united = four.united(np.zeros(4, dtype=np.int64))
    without = united.take(np.zeros(4, dtype=np.int64)).without(four, np.array([True, True, False, True]))

    assert united.narrowness.tolist() == [0.625]
    np.testing.assert_allclose(without.narrowness, [2.5 / 3, 0.5, 0.625, 2 / 3], rtol=1e-6)


def test_a_clip_taken_out_of_a_set_of_one_leaves_it_as_it_is() -> None:
    one = clips([0.75])

    assert one.without(one, np.array([True])).narrowness.tolist() == [0.75]
