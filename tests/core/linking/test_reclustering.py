"""Clusters live on as the speakers with which they share the most clips."""

from hypothesis import given
from hypothesis import strategies as st

from registry.core.linking.reclustering import Succession, succeed


def test_the_greatest_overlap_decides() -> None:
    found = succeed([[1, 2, 3], [4, 5]], [None, None], {1: 7, 2: 7, 3: 8, 4: 8, 5: 8})

    assert found.speaker_ids == (7, 8)
    assert found.heirs == {}


def test_the_greatest_overlap_decides_whoever_is_older() -> None:
    assert succeed([[1, 2], [3]], [None, None], {1: 8, 2: 8, 3: 7}).speaker_ids == (8, 7)
    assert succeed([[1, 2, 3]], [None], {1: 7, 2: 8, 3: 8}) == Succession((8,), {7: 0})


def test_who_is_a_decided_cluster_is_no_other() -> None:
    assert succeed([[1], [2, 3]], [7, None], {1: 7, 2: 7, 3: 7}).speaker_ids == (7, None)


def test_a_voice_that_nobody_was_is_new() -> None:
    assert succeed([[1, 2], [3]], [None, None], {1: 7, 2: 7, 3: 7}).speaker_ids == (7, None)


def test_a_speaker_that_is_no_cluster_leaves_its_numbers_to_the_one_with_most_of_its_clips() -> None:
    found = succeed([[1, 2, 3, 4], [5, 6, 7]], [None, None], {1: 7, 2: 7, 3: 9, 4: 9, 5: 8, 6: 8, 7: 9})

    assert found.speaker_ids == (7, 8)
    assert found.heirs == {9: 0}


def test_equal_overlaps_go_to_the_older_speaker() -> None:
    assert succeed([[1, 2]], [None], {1: 9, 2: 8}).speaker_ids == (8,)


def test_a_cluster_that_is_decided_stays_so() -> None:
    found = succeed([[1, 2], [3]], [5, None], {1: 7, 2: 7, 3: 7})

    assert found.speaker_ids == (5, 7)


@given(st.dictionaries(st.integers(0, 30), st.tuples(st.integers(1, 6), st.integers(0, 5)), min_size=1))
def test_every_speaker_lives_on_once_or_has_an_heir(clips: dict[int, tuple[int, int]]) -> None:
    labels = sorted({cluster for _, cluster in clips.values()})
    clusters = [[clip for clip, (_, cluster) in clips.items() if cluster == label] for label in labels]
    speaker_of = {clip: speaker for clip, (speaker, _) in clips.items()}
    found = succeed(clusters, [None] * len(clusters), speaker_of)
    living = [speaker for speaker in found.speaker_ids if speaker is not None]

    assert len(living) == len(set(living))
    assert set(living) | set(found.heirs) == set(speaker_of.values())
    assert not set(living) & set(found.heirs)
