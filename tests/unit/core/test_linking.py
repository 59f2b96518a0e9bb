"""One decision for every audio of a night."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.core.linking import Decision, KnownSpeakers, LinkingRule, link
from registry.core.records import Floats
from registry.core.vectors import VectorSets

RULE = LinkingRule(cluster_cosine=0.5, match_cosine=0.6, scarcity_cosine=0.1)
EAST, NORTH, BETWEEN = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.6, 0.6, 0.5)


def vectors(*rows: tuple[float, ...]) -> Floats:
    return np.array(rows, dtype=np.float32)


def known(*rows: tuple[float, ...], counts: int = 10, of_audio: dict[int, int] | None = None) -> KnownSpeakers:
    means = np.array(rows, dtype=np.float32).reshape(len(rows), 3)
    profiles = VectorSets(means, np.full(len(rows), counts))
    return KnownSpeakers([100 + row for row in range(len(rows))], profiles, of_audio or {})


def test_in_an_empty_registry_every_cluster_is_a_new_speaker() -> None:
    decisions = link([1, 2, 3], vectors(EAST, NORTH, EAST), known(), RULE)

    assert decisions == [Decision((1, 3), None, "new"), Decision((2,), None, "new")]


def test_a_cluster_joins_its_speaker_and_keeps_score_and_runner_up() -> None:
    [decision] = link([1], vectors(EAST), known(NORTH, EAST), RULE)

    assert decision == Decision((1,), 101, "matched", 1.0, 100, 0.0)


def test_a_new_speaker_keeps_who_came_nearest() -> None:
    [decision] = link([1], vectors(NORTH), known(EAST), RULE)

    assert decision == Decision((1,), None, "new", None, 100, 0.0)


def test_many_clusters_may_join_one_speaker() -> None:
    night = vectors((0.8, 0.6, 0.0), (0.8, -0.6, 0.0))

    decisions = link([1, 2], night, known(EAST), RULE)

    assert [decision.speaker_id for decision in decisions] == [100, 100]


@pytest.mark.parametrize(("stored_clips", "joins"), [(1000, True), (1, False)])
def test_single_clips_need_more_than_large_sets(stored_clips: int, joins: bool) -> None:
    """The cosine is 0.66: enough against many clips (0.65), too little against one (0.70)."""
    [decision] = link([1], vectors((0.66, 0.7513, 0.0)), known(EAST, counts=stored_clips), RULE)

    assert (decision.speaker_id == 100) is joins


def test_audio_heard_before_keeps_its_speaker_whatever_it_sounds_like() -> None:
    decisions = link([1, 2], vectors(NORTH, EAST), known(EAST, NORTH, of_audio={1: 100}), RULE)

    assert decisions[0] == Decision((1,), 100, "same-audio")
    assert decisions[1].speaker_id == 100


@given(seed=st.integers(0, 10_000), clips=st.integers(1, 60), speakers=st.integers(0, 8))
@settings(deadline=None, max_examples=60)
def test_every_audio_gets_exactly_one_decision_in_any_order(seed: int, clips: int, speakers: int) -> None:
    rng = np.random.default_rng(seed)
    night = rng.standard_normal((clips, 3)).astype(np.float32)
    stored = known(*(tuple(row) for row in rng.standard_normal((speakers, 3))))
    order = rng.permutation(clips)

    forward = link(list(range(clips)), night, stored, RULE)
    shuffled = link(order.tolist(), night[order], stored, RULE)

    assert sorted(audio for decision in forward for audio in decision.audio_ids) == list(range(clips))
    assert {(frozenset(d.audio_ids), d.speaker_id) for d in forward} == {
        (frozenset(d.audio_ids), d.speaker_id) for d in shuffled
    }
