"""Which recordings a model would give to the speaker that they are of, each speaker taken without them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.core.linking import agreement as module
from registry.core.linking.agreement import Agreement, Carried, agreement
from registry.core.linking.certainty import Members
from registry.core.linking.likeness import bar_among
from registry.core.linking.voices import Voices, clips_as_voices
from registry.core.records import Integers
from registry.core.vectors import unit
from tests.core.given import RULE, nobody
from tests.core.given import clips_of as even_clips_of

DIMENSION = 64
STRANGERS = even_clips_of(np.random.default_rng(9).standard_normal((60, DIMENSION)))


def members_of(own: list[int], voice: list[int], spread: float = 0.6) -> Members:
    """Recordings of voices, each filed under a speaker; lengths of embeddings and durations are anything."""
    voices = np.random.default_rng(0).standard_normal((100, DIMENSION))
    rng = np.random.default_rng(len(own))
    vectors = 7 * (voices[voice] + spread * rng.standard_normal((len(own), DIMENSION)))
    durations_s = rng.uniform(1, 9, len(own)).astype(np.float32)
    wide, is_in_profile = np.zeros(len(own), np.float32), np.ones(len(own), dtype=np.bool_)
    return Members(vectors.astype(np.float32), durations_s, wide, np.array(own), is_in_profile)


def clips_of(members: Members) -> Voices:
    return clips_as_voices(unit(members.vectors), members.durations_s, members.narrowness)


def voices_of(members: Members) -> Voices:
    """The speakers' profiles, of the recordings that are in them."""
    chosen = members.is_in_profile
    return clips_of(members).take(np.flatnonzero(chosen)).united(members.own[chosen])


def compared(
    members: Members, parts: int = 1, clips: list[int] | None = None
) -> tuple[list[int], list[int], list[int]]:
    cuts = np.array_split(np.arange(len(members)), parts)
    carried = Carried(members, np.array(clips or [1] * len(members)))
    batches = [carried.take(slice(cut[0], cut[-1] + 1)) for cut in cuts if len(cut)]
    found: Agreement = agreement(voices_of(members), STRANGERS, batches, RULE)
    return found.clips.tolist(), found.stay.tolist(), found.alone.tolist()


def test_recordings_filed_right_stay() -> None:
    assert compared(members_of([0, 0, 0, 1, 1, 2, 2, 2], [5, 5, 5, 6, 6, 7, 7, 7])) == ([3, 2, 3], [3, 2, 3], [0, 0, 0])


def test_a_recording_filed_wrong_would_leave_although_its_speaker_has_its_traces() -> None:
    assert compared(members_of([0, 0, 1, 1, 1], [5, 6, 6, 6, 6])) == ([2, 3], [1, 3], [0, 0])


def test_what_is_all_that_is_known_of_a_speaker_is_left_out() -> None:
    assert compared(members_of([0, 1, 1], [5, 6, 6])) == ([0, 2], [0, 2], [1, 0])


def test_a_doubtful_recording_is_compared_with_the_whole_of_its_speaker() -> None:
    members = members_of([0, 0, 1, 1], [5, 5, 6, 6])
    members.is_in_profile[:] = [True, False, True, True]

    assert compared(members) == ([1, 2], [1, 2], [1, 0])


def test_a_recording_counts_as_its_clips() -> None:
    members = members_of([0, 0, 1, 1], [5, 5, 6, 6])

    assert compared(members, clips=[100, 1, 1, 1]) == ([101, 2], [101, 2], [0, 0])


def test_with_one_speaker_all_stay() -> None:
    assert compared(members_of([0, 0, 0], [5, 6, 7])) == ([3], [3], [0])


def test_nobody_is_no_error() -> None:
    assert agreement(nobody(DIMENSION), STRANGERS, [], RULE).clips.tolist() == []


def one_by_one(members: Members) -> Integers:
    """The same, counted the long way: each speaker's profile made anew without the recording."""
    whole = voices_of(members)
    bar = bar_among(whole, STRANGERS, RULE)
    stay = np.zeros(len(whole), dtype=np.int64)
    for row, own in enumerate(members.own):
        rest = [other for other, speaker in enumerate(members.own) if speaker == own and other != row]
        one = bar.sets(clips_of(members).take(np.array([row])))
        rivals = bar.sets(whole.take(np.array([speaker for speaker in range(len(whole)) if speaker != own])))
        ours = bar.sets(clips_of(members).take(np.array(rest)).united(np.zeros(len(rest), dtype=np.int64)))
        stay[own] += bar.log_odds(one, ours)[0, 0] >= bar.log_odds(one, rivals).max()
    return stay


speakers = st.lists(st.integers(3, 9), min_size=12, max_size=40)


@settings(max_examples=40)
@given(speakers, st.integers(1, 5), st.sampled_from([0.6, 1.5, 3.0]))
def test_it_is_what_leaving_each_out_gives_however_the_recordings_come(
    voice: list[int], parts: int, spread: float
) -> None:
    own = [row % 4 for row in range(len(voice))]  # at random: some would stay and some not
    members = members_of(own, voice, spread)
    clips, stay, alone = compared(members, parts)

    assert stay == one_by_one(members).tolist()
    assert (clips, alone) == (np.bincount(own).tolist(), [0, 0, 0, 0])


@pytest.mark.parametrize("most", [1, 3])
def test_it_does_not_matter_how_many_are_looked_at_together(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    members = members_of([row % 5 for row in range(50)], [row % 7 for row in range(50)], 2.0)
    whole = compared(members)
    monkeypatch.setattr(module, "MOST_CLIPS", most)

    assert compared(members) == whole
