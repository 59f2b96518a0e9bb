"""A set of clips is cut where it falls in two, and the parts are judged by the bar."""

import numpy as np
import pytest

from registry.core.linking.splitting import MOST_CLIPS, cut_in_two, one_voice
from registry.core.records import Floats
from tests.core.given import bar_of

BAR = bar_of(voices=20, base_noise=0.3)


def clips(of_first: int, of_second: int) -> Floats:
    centres = np.eye(2, 32)[np.repeat([0, 1], [of_first, of_second])]
    vectors: Floats = (centres + np.random.default_rng(0).standard_normal(centres.shape) / 12).astype(np.float32)
    return vectors


def test_the_smaller_part_leaves() -> None:
    cut = cut_in_two(clips(5, 3))

    assert cut.leaves.tolist() == [False] * 5 + [True] * 3
    assert cut.cosine < 0.3


def test_parts_are_as_alike_as_all_their_pairs_are_not_as_the_nearest() -> None:
    """A row of clips, each like the next, falls in the middle; by the nearest pair its last clip would leave."""
    degrees = np.array([0, 20, 40, 60, 80, 101], dtype=np.float32)
    row = np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], axis=1).astype(np.float32)

    assert 2 <= cut_in_two(row).leaves.sum() <= 3


def test_how_loud_an_embedding_is_does_not_matter() -> None:
    vectors = clips(5, 3)

    assert cut_in_two(vectors * np.arange(1, 9, dtype=np.float32)[:, None]).leaves.sum() == 3


def test_of_very_many_clips_a_sample_is_cut_and_the_rest_follows() -> None:
    cut = cut_in_two(clips(MOST_CLIPS, 300))

    assert cut.leaves.tolist() == [False] * MOST_CLIPS + [True] * 300


@pytest.mark.parametrize(("of_second", "low", "high"), [(4, 0, 0.01), (0, 0.9, 1)])
def test_two_voices_are_unlikely_to_be_one(of_second: int, low: float, high: float) -> None:
    vectors = clips(4, of_second)
    durations_s, narrowness = np.full(len(vectors), 5, dtype=np.float32), np.zeros(len(vectors), dtype=np.float32)

    assert low <= one_voice(vectors, durations_s, narrowness, cut_in_two(vectors), BAR) <= high
