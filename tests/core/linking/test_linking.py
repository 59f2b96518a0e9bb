"""One decision, with its probability, for every audio of a night; and stored speakers that are one voice."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.core.linking.consolidation import consolidate
from registry.core.linking.decisions import KnownVoices, Linking, link
from registry.core.linking.voices import clips_as_voices
from registry.core.records import Floats
from registry.core.vectors import unit
from tests.core.given import RULE, clips_of, nobody

DIMENSION = 64
STRANGERS = clips_of(np.random.default_rng(9).standard_normal((60, DIMENSION)))


def spoken(seed: int, speakers: list[int], spread: float = 0.6) -> Floats:
    """A clip of each speaker asked for; a number is the same voice under every seed."""
    voices = np.random.default_rng(0).standard_normal((100, DIMENSION))
    noise = np.random.default_rng(seed + 1).standard_normal((len(speakers), DIMENSION))
    return unit((voices[speakers] + spread * noise).astype(np.float32))


def sounds(count: int) -> tuple[Floats, Floats]:
    """Five seconds each, as from a studio."""
    return np.full(count, 5.0, dtype=np.float32), np.zeros(count, dtype=np.float32)


def known(speakers: list[int], clips: int = 6, seed: int = 99, **more: object) -> KnownVoices:
    """Speakers with keys 100, 101, ..., of so many clips each."""
    units = spoken(seed, [speaker for speaker in speakers for _ in range(clips)]).reshape(-1, DIMENSION)
    voices = clips_as_voices(units, *sounds(len(units))).united(np.repeat(np.arange(len(speakers)), clips))
    keys = range(100, 100 + len(speakers))
    return KnownVoices(keys, voices, STRANGERS, **{"of_audio": {}, **more})  # type: ignore[arg-type]


def who(linking: Linking) -> set[tuple[tuple[int, ...], int | None]]:
    return {(decision.audio_ids, decision.speaker_id) for decision in linking.decisions}


def nightly(speakers: list[int], stored: KnownVoices, *, may_join_stored: bool = True) -> Linking:
    count = len(speakers)
    return link(range(count), spoken(1, speakers), *sounds(count), stored, RULE, may_join_stored=may_join_stored)


def test_in_an_empty_registry_every_voice_is_a_new_speaker() -> None:
    linking = nightly([1, 2, 1], known([]))

    assert who(linking) == {((0, 2), None), ((1,), None)}
    assert {decision.runner_up_id for decision in linking.decisions} == {None}


def test_a_night_without_audio_decides_nothing() -> None:
    assert nightly([], known([1])) == Linking((), ())


def test_pieces_of_voices_are_not_counted_as_voices() -> None:
    """Counted again by the bar that broke them up, the pieces raised it further: these hundred ended in 344."""
    speakers = [voice for voice in range(100) for _ in range(10)]
    linking = link(range(1000), spoken(1, speakers, spread=1.05), *sounds(1000), known([]), RULE)

    assert len(linking.decisions) <= 250


def test_a_voice_joins_its_speaker_and_keeps_probability_and_runner_up() -> None:
    [decision] = nightly([1, 1], known([2, 1])).decisions

    assert (decision.audio_ids, decision.speaker_id, decision.reason) == ((0, 1), 101, "matched")
    assert decision.runner_up_id == 100
    assert decision.probability is not None
    assert decision.probability > 0.9
    assert decision.runner_up_probability is not None
    assert decision.runner_up_probability < 0.01


def test_a_new_speaker_keeps_who_came_nearest_and_how_likely_that_was() -> None:
    [decision] = nightly([3], known([1, 2])).decisions

    assert (decision.speaker_id, decision.reason, decision.score, decision.probability) == (None, "new", None, None)
    assert decision.runner_up_id in (100, 101)
    assert decision.runner_up_probability is not None
    assert decision.runner_up_probability < 0.01


def test_audio_heard_before_keeps_its_speaker_whatever_it_sounds_like() -> None:
    linking = nightly([2, 1], known([1, 2], of_audio={0: 100}))

    assert who(linking) == {((0,), 100), ((1,), 100)}
    assert linking.decisions[0].reason == "same-audio"


def test_stored_speakers_of_one_voice_are_joined_when_it_is_heard_again() -> None:
    linking = nightly([1, 1, 2], known([1, 2, 1], of_audio={}))
    [join] = linking.joins

    assert (join.kept_id, join.gone_id) == (100, 102)
    assert join.probability > 0.5
    assert who(linking) == {((0, 1), 100), ((2,), 101)}


def test_audio_heard_before_follows_its_speaker_where_that_is_joined() -> None:
    linking = nightly([1, 1], known([1, 2, 1], of_audio={1: 102}))

    assert who(linking) == {((0,), 100), ((1,), 100)}


@pytest.mark.parametrize(
    "stored",
    [known([1, 2, 1], apart=[(102, 100)]), known([1, 2, 1], confirmed=[100]), known([1, 2, 1], confirmed=[102])],
)
def test_what_a_person_decided_is_not_joined(stored: KnownVoices) -> None:
    linking = nightly([1, 1], stored)

    assert linking.joins == ()
    assert {decision.speaker_id for decision in linking.decisions} <= {100, 102}


def test_stored_speakers_are_left_alone_where_they_may_not_join() -> None:
    assert nightly([1, 1], known([1, 2, 1]), may_join_stored=False).joins == ()


@pytest.mark.parametrize(("settled_speakers", "joins"), [(3, 1), (2, 0)])
def test_stored_speakers_that_nobody_heard_are_settled_in_small_registries_only(
    settled_speakers: int, joins: int
) -> None:
    rule = replace(RULE, settled_speakers=settled_speakers)

    linking = link([0], spoken(1, [3]), *sounds(1), known([1, 2, 1]), rule)

    assert len(linking.joins) == joins


def test_what_nobody_heard_is_left_to_consolidate() -> None:
    stored = known([1, 2, 1])

    assert len(consolidate(stored.voices, STRANGERS, stored.speaker_ids, (), (), RULE).joins) == 1


@given(
    seed=st.integers(0, 10_000),
    clips=st.integers(1, 60),
    speakers=st.integers(0, 8),
    spread=st.floats(0.2, 1.5),
)
@settings(max_examples=60)
def test_every_audio_gets_exactly_one_decision_in_any_order(
    seed: int, clips: int, speakers: int, spread: float
) -> None:
    rng = np.random.default_rng(seed)
    night = spoken(seed, rng.integers(10, size=clips).tolist(), spread)
    stored, order = known(rng.integers(10, size=speakers).tolist(), seed=seed), rng.permutation(clips)

    forward = link(range(clips), night, *sounds(clips), stored, RULE)
    shuffled = link(order.tolist(), night[order], *sounds(clips), stored, RULE)

    assert sorted(audio for decision in forward.decisions for audio in decision.audio_ids) == list(range(clips))
    assert (who(forward), [join.gone_id for join in forward.joins]) == (
        who(shuffled),
        [join.gone_id for join in shuffled.joins],
    )


@given(seed=st.integers(0, 10_000), spread=st.floats(0.2, 1.2))
@settings(max_examples=60)
def test_apart_and_confirmed_hold_for_any_night(seed: int, spread: float) -> None:
    rng = np.random.default_rng(seed)
    rule = replace(RULE, settled_speakers=seed % 2 * 2000)
    apart = [(100, 101), (102, 103), (103, 104)]
    stored = known(rng.integers(3, size=8).tolist(), seed=seed, apart=apart, confirmed=[106])

    linking = link(range(30), spoken(seed, rng.integers(3, size=30).tolist(), spread), *sounds(30), stored, rule)

    kept = {join.gone_id: join.kept_id for join in linking.joins}
    assert all(kept.get(one, one) != kept.get(other, other) for one, other in apart)
    assert 106 not in kept.keys() | kept.values()
    assert not kept.keys() & {decision.speaker_id for decision in linking.decisions}
    assert not kept.keys() & set(kept.values())


def test_a_summary_is_as_good_as_its_clips() -> None:
    """Sums, sizes, mean inverse durations and mean narrowness of parts make those of the whole."""
    units = spoken(5, [1, 1, 1, 2, 2])
    durations = np.array([2.0, 4.0, 4.0, 1.0, 1.0], dtype=np.float32)
    narrowness = np.array([0.0, 1.0, 0.5, 1.0, 0.0], dtype=np.float32)
    clips = clips_as_voices(units, durations, narrowness)

    whole = clips.united(np.array([0, 0, 0, 1, 1]))
    in_parts = clips.united(np.array([0, 0, 1, 2, 2])).united(np.array([0, 0, 1]))

    assert whole.size.tolist() == in_parts.size.tolist() == [3, 2]
    assert whole.inverse_s == pytest.approx([1 / 3, 1.0])
    assert in_parts.inverse_s == pytest.approx(whole.inverse_s)
    assert whole.narrowness.tolist() == in_parts.narrowness.tolist() == [0.5, 0.5]
    assert whole.mean == pytest.approx(in_parts.mean, abs=1e-6)
    assert whole.mean[0] == pytest.approx(units[:3].mean(axis=0), abs=1e-6)


@pytest.mark.parametrize("rate", [0.05, 0.01, 0.001])
def test_fewer_false_merges_mean_no_more_joins(rate: float) -> None:
    stored = known([1, 2, 1, 3, 2, 4, 1], clips=1, seed=7)

    joins = [
        len(
            consolidate(
                stored.voices, STRANGERS, stored.speaker_ids, (), (), replace(RULE, false_merge_rate=accepted)
            ).joins
        )
        for accepted in (rate, 2 * rate)
    ]

    assert joins == sorted(joins)


def test_consolidate_joins_one_voice_and_asks_about_the_confirmed() -> None:
    stored = known([1, 2, 1, 2, 3])

    consolidation = consolidate(stored.voices, STRANGERS, stored.speaker_ids, (), [103], RULE)

    assert [(join.kept_id, join.gone_id) for join in consolidation.joins] == [(100, 102)]
    assert [(join.kept_id, join.gone_id) for join in consolidation.review] == [(101, 103)]
    assert consolidation.review[0].probability > 0.9


def test_consolidate_does_not_ask_about_what_a_person_kept_apart() -> None:
    stored = known([1, 2, 1, 1])

    consolidation = consolidate(
        stored.voices, STRANGERS, stored.speaker_ids, [(102, 100), (103, 102), (100, 103)], (), RULE
    )

    assert (consolidation.joins, consolidation.review) == ((), ())


def test_an_empty_registry_is_consolidated() -> None:
    assert consolidate(nobody(DIMENSION), nobody(DIMENSION), (), (), (), RULE).joins == ()
