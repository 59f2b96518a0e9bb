"""Measures of agreement against cases counted by hand, against their definitions, and against other implementations."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import homogeneity_score

from registry.core.measures import (
    STILL,
    Bin,
    Persistence,
    PrecisionRecall,
    Spread,
    Tenures,
    bcubed_of_clips,
    calibration,
    clips_right,
    clustering,
    largest_mixed,
    matches_right,
    persistence,
    spreads,
)

LABELS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30)
PREDICTIONS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def arrays(rows: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
    return [np.array(column) for column in zip(*rows, strict=True)]


def test_a_case_counted_by_hand() -> None:
    """Three clips of voice 0 and two of voice 1; one of voice 0 is filed with voice 1."""
    found = clustering(np.array([0, 0, 0, 1, 1]), np.array([7, 7, 8, 8, 8]))

    assert found.bcubed.precision == pytest.approx((1 + 1 + 1 / 3 + 2 / 3 + 2 / 3) / 5)
    assert found.bcubed.recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1) / 5)
    assert found.pairwise == PrecisionRecall(2 / 4, 2 / 4, 2 / 4)
    assert (found.purity, found.coverage) == (4 / 5, 4 / 5)
    assert found.adjusted_rand == pytest.approx((2 - 4 * 4 / 10) / (4 - 4 * 4 / 10))


def test_all_in_one_and_each_alone_are_the_two_ways_to_fail() -> None:
    truth = np.array([0, 0, 1, 1])
    merged, parted = clustering(truth, np.zeros(4, dtype=np.int64)), clustering(truth, np.arange(4))

    assert (merged.bcubed.precision, merged.bcubed.recall, merged.purity, merged.coverage) == (0.5, 1, 0.5, 1)
    assert (parted.bcubed.precision, parted.bcubed.recall, parted.purity, parted.coverage) == (1, 0.5, 1, 0.5)
    assert (merged.pairwise.precision, merged.pairwise.recall) == (2 / 6, 1)
    assert (parted.pairwise.precision, parted.pairwise.recall, parted.pairwise.f1) == (1, 0, 0)


@given(rows=LABELS)
def test_bcubed_is_the_mean_over_clips_of_what_is_shared(rows: list[tuple[int, int]]) -> None:
    both = [[one == other for other in rows] for one in rows]
    with_found = [[one[1] == other[1] for other in rows] for one in rows]
    with_truth = [[one[0] == other[0] for other in rows] for one in rows]
    found = clustering(*arrays(rows))

    assert found.bcubed.precision == pytest.approx(np.mean(np.sum(both, axis=1) / np.sum(with_found, axis=1)))
    assert found.bcubed.recall == pytest.approx(np.mean(np.sum(both, axis=1) / np.sum(with_truth, axis=1)))


def test_each_clip_has_its_own_precision_and_recall() -> None:
    """Voice 0 is filed under 7 and 8; the second 8 is a voice of its own, and 9 holds the rest of voice 1."""
    precision, recall = bcubed_of_clips(np.array([0, 0, 0, 5, 1]), np.array([7, 7, 8, 8, 9]))

    assert precision.tolist() == [1, 1, 1 / 2, 1 / 2, 1]
    assert recall.tolist() == [2 / 3, 2 / 3, 1 / 3, 1, 1]


@given(rows=LABELS)
def test_what_each_clip_shares_is_counted_among_all(rows: list[tuple[int, int]]) -> None:
    precision, recall = bcubed_of_clips(*arrays(rows))

    for at, (truth, found) in enumerate(rows):
        with_found = [one == truth for one, other in rows if other == found]
        with_truth = [other == found for one, other in rows if one == truth]
        assert precision[at] == pytest.approx(np.mean(with_found))
        assert recall[at] == pytest.approx(np.mean(with_truth))


@given(rows=LABELS, seed=st.integers(0, 1000))
def test_neither_the_order_of_clips_nor_what_speakers_are_called_matters(
    rows: list[tuple[int, int]], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    truth, found = arrays(rows)
    order, called = rng.permutation(len(rows)), rng.permutation(5) * 1000

    first, second = clustering(truth, found), clustering(called[truth][order], called[found][order])

    assert second.pairwise == first.pairwise
    assert (second.purity, second.coverage) == (first.purity, first.coverage)
    assert second.adjusted_rand == pytest.approx(first.adjusted_rand)
    assert (second.bcubed.precision, second.bcubed.f1) == pytest.approx((first.bcubed.precision, first.bcubed.f1))


@given(rows=LABELS)
def test_the_truth_under_other_names_is_perfect(rows: list[tuple[int, int]]) -> None:
    truth = arrays(rows)[0]
    found = clustering(truth, 9 - truth)

    assert found.bcubed == found.pairwise == PrecisionRecall(1, 1, 1)
    assert (found.purity, found.coverage, found.adjusted_rand) == (1, 1, 1)


@given(rows=LABELS)
def test_truth_and_found_trade_places_as_precision_and_recall_do(rows: list[tuple[int, int]]) -> None:
    truth, found = arrays(rows)
    one, other = clustering(truth, found), clustering(found, truth)

    assert (one.purity, one.pairwise.precision) == (other.coverage, other.pairwise.recall)
    assert one.bcubed.precision == pytest.approx(other.bcubed.recall)
    assert (one.purity == 1) == (homogeneity_score(truth, found) > 1 - 1e-9)


@pytest.mark.parametrize(
    ("rows", "kept", "returning"),
    [
        ([(0, 5, 1), (0, 6, 1), (0, 7, 2)], 1, 2),
        ([(0, 5, 1), (0, 6, 2), (0, 7, 2)], 0, 2),  # by night 7, numbers 1 and 2 held one clip each
        ([(0, 5, 1), (0, 6, 2), (0, 6, 2), (0, 7, 2)], 1, 2),
        ([(0, 5, 1), (0, 6, 1), (0, 6, 1), (0, 6, 2)], 1, 1),
        ([(0, 5, 1), (1, 6, 2)], 0, 0),
        ([(0, 5, 1), (1, 5, 1), (1, 6, 1), (0, 6, 3)], 1, 2),
    ],
)
def test_a_returning_night_is_kept_if_most_of_it_has_the_number_most_held_before(
    rows: list[tuple[int, int, int]], kept: int, returning: int
) -> None:
    share = kept / returning if returning else 1

    assert persistence(*arrays(rows)) == Persistence(share, kept, returning)
    assert persistence(*arrays(rows[::-1])) == Persistence(share, kept, returning)


def test_calibration_compares_what_was_predicted_with_what_came_true() -> None:
    found = calibration(np.array([0.72, 0.78, 0.95, 1.0]), np.array([True, False, True, True]))

    assert [(each.clips, each.right) for each in found.bins] == [(2, 0.5), (2, 1)]
    assert [each.predicted for each in found.bins] == pytest.approx([0.75, 0.975])
    assert [edge for each in found.bins for edge in (each.low, each.high)] == pytest.approx([0.7, 0.8, 0.9, 1])
    assert found.clips == 4
    assert found.expected_error == pytest.approx((0.25 + 0.025) / 2)


def test_the_error_of_one_prediction_is_all_of_it() -> None:
    assert calibration(np.array([0.75]), np.array([True])).expected_error == pytest.approx(0.25)


def test_without_predictions_there_is_no_error() -> None:
    found = calibration(np.array([]), np.array([], dtype=bool))

    assert (found.bins, found.clips, found.expected_error) == ((), 0, 0)


@given(rows=PREDICTIONS)
def test_bins_are_those_of_scikit_learn_and_hold_everything(rows: list[tuple[float, bool]]) -> None:
    probability, is_right = (np.array(column) for column in zip(*rows, strict=True))
    right, predicted = calibration_curve(is_right, probability, n_bins=10, pos_label=True)
    found = calibration(probability, is_right)

    assert [each.right for each in found.bins] == pytest.approx(right.tolist())
    assert [each.predicted for each in found.bins] == pytest.approx(predicted.tolist())
    assert sum(each.clips for each in found.bins) == len(rows)
    assert isinstance(found.bins[0], Bin)


def right(rows: list[tuple[int, int, int]]) -> list[tuple[bool, bool]]:
    """Judge clips: truth, found, recording."""
    is_judged, is_right = clips_right(*arrays(rows))
    return list(zip(is_judged.tolist(), is_right.tolist(), strict=True))


RIGHT, WRONG, NOT_JUDGED = (True, True), (True, False), (False, False)


def test_a_clip_is_right_if_most_of_the_rest_of_its_speaker_are_of_its_voice() -> None:
    speaker_of_three = [(0, 7, 1), (0, 7, 2), (1, 7, 3)]
    speaker_of_two = [(1, 8, 4), (1, 8, 5)]

    assert right([*speaker_of_three, *speaker_of_two]) == [RIGHT, RIGHT, WRONG, RIGHT, RIGHT]


def test_a_clip_does_not_speak_for_itself() -> None:
    assert right([(0, 7, 1), (1, 7, 2)]) == [WRONG, WRONG]
    assert right([(0, 7, 1), (0, 7, 2), (1, 7, 3), (1, 7, 4), (1, 7, 5)]) == [WRONG, WRONG, RIGHT, RIGHT, RIGHT]


def test_of_several_most_frequent_voices_of_the_rest_any_will_do() -> None:
    assert right([(0, 7, 1), (0, 7, 2), (1, 7, 3)])[0] == RIGHT
    assert right([(0, 7, 1), (0, 7, 2), (1, 7, 3), (1, 7, 4)]) == [WRONG] * 4


def test_a_clip_without_another_one_of_its_speaker_is_not_judged() -> None:
    assert right([(0, 7, 1), (0, 8, 2), (0, 9, 3)]) == [NOT_JUDGED] * 3


def test_the_same_recording_is_not_the_rest_of_its_speaker() -> None:
    assert right([(0, 7, 1), (0, 7, 1)]) == [NOT_JUDGED] * 2
    assert right([(0, 7, 1), (0, 7, 1), (1, 7, 2)]) == [WRONG] * 3


@given(rows=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=30))
def test_the_rest_is_all_that_the_speaker_has_of_other_recordings(rows: list[tuple[int, int, int]]) -> None:
    expected = []
    for truth, found, recording in rows:
        rest = [one for one, speaker, heard in rows if speaker == found and heard != recording]
        expected.append((bool(rest), truth in rest and rest.count(truth) == max(map(rest.count, rest))))

    assert right(rows) == expected


# truth, arrived, speaker, begins, ends
HELD = [(0, 1, 7, 1, STILL), (0, 1, 7, 1, STILL), (1, 2, 7, 2, STILL), (0, 3, 7, 3, STILL)]


def judged(rows: list[tuple[int, int, int, int, int]], decided: list[int]) -> list[tuple[bool, bool]]:
    is_judged, is_right = matches_right(Tenures(*arrays(rows)), np.array(decided, dtype=np.int64))
    return list(zip(is_judged.tolist(), is_right.tolist(), strict=True))


def test_a_match_is_right_if_most_of_what_the_speaker_was_says_so() -> None:
    assert judged(HELD, [2, 3]) == [(True, False), (True, True)]


def test_a_clip_that_the_decision_itself_took_away_says_nothing_of_the_speaker() -> None:
    left = [(0, 1, 7, 1, 3), (0, 1, 7, 1, 3), (1, 2, 7, 2, STILL), (1, 3, 7, 3, STILL)]

    assert judged(left, [3]) == [(True, True)]


def test_a_match_to_a_speaker_without_earlier_labels_is_not_judged() -> None:
    assert judged(HELD, [0]) == [(False, False)]
    assert judged([(0, 2, 7, 2, STILL), (0, 2, 7, 2, STILL)], [0, 1]) == [(False, False)] * 2


def test_of_several_most_frequent_any_will_do() -> None:
    assert judged([(0, 1, 7, 1, STILL), (1, 1, 7, 1, STILL), (1, 2, 7, 2, STILL)], [2]) == [(True, True)]


def test_what_a_speaker_was_is_what_it_held_then() -> None:
    """Clips of voice 0 came by a correction afterwards, one of voice 1 has left since."""
    later = [(0, 1, 8, 1, 5), (0, 1, 7, 5, STILL), (0, 1, 8, 1, 5), (0, 1, 7, 5, STILL)]

    assert judged([*later, (1, 1, 7, 1, 4), (1, 3, 7, 3, STILL)], [5]) == [(True, True)]


def test_what_has_left_a_speaker_before_does_not_count() -> None:
    left = [(0, 1, 7, 1, 2), (0, 1, 7, 1, 3), (1, 1, 7, 1, STILL)]

    assert judged([*left, (1, 3, 7, 3, STILL)], [3]) == [(True, True)]


def test_what_was_joined_by_the_same_operation_counts() -> None:
    joined = [(1, 1, 8, 1, 3), (1, 1, 7, 3, STILL), (1, 1, 8, 1, 3), (1, 1, 7, 3, STILL), (0, 1, 7, 1, STILL)]

    assert judged([*joined, (1, 3, 7, 3, STILL), (0, 3, 7, 3, STILL)], [5, 6]) == [(True, True), (True, False)]


def test_no_matches_are_no_judgements() -> None:
    assert judged(HELD, []) == []


def test_spreads_lists_what_is_divided_with_its_largest_part_first() -> None:
    [spread] = spreads(np.array([1, 1, 1, 1, 2, 2]), np.array([5, 6, 6, 4, 5, 5]))

    assert spread == Spread(1, ((6, 2), (4, 1), (5, 1)))
    assert (spread.clips, spread.astray) == (4, 2)


@given(rows=LABELS)
@settings(max_examples=50)
def test_what_is_astray_is_what_purity_lacks(rows: list[tuple[int, int]]) -> None:
    truth, found = arrays(rows)
    astray = sum(spread.astray for spread in spreads(found, truth))

    assert clustering(truth, found).purity == pytest.approx(1 - astray / len(rows))


def test_the_largest_mixed_is_of_the_gender_that_its_group_swallows_most_of() -> None:
    """Of 4 women's clips the group 0 holds one astray; of 5 men's the group 7 two."""
    group = np.array([0, 0, 0, 1, 7, 7, 7, 7, 8])
    voice = np.array([0, 0, 1, 1, 2, 2, 3, 4, 4])
    gender = np.array(list("FFFFMMMMM"))

    assert largest_mixed(group, voice, gender) == pytest.approx(2 / 5)
    assert largest_mixed(voice, voice, gender) == 0
