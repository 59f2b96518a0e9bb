"""P(its speaker) of a recording: what is left of the speaker without it decides."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.core.linking.certainty import Cohort, Members, certainties
from registry.core.linking.identification import Suspects
from registry.core.linking.voices import Voices, clips_as_voices
from registry.core.records import Floats
from registry.core.vectors import unit
from tests.core.given import RULE, clips_of

DIMENSION = 64
STRANGERS = clips_of(np.random.default_rng(9).standard_normal((60, DIMENSION)))


def members_of(own: list[int], voice: list[int], spread: float = 0.6) -> Members:
    voices = np.random.default_rng(0).standard_normal((100, DIMENSION))
    rng = np.random.default_rng(len(own))
    vectors = voices[voice] + spread * rng.standard_normal((len(own), DIMENSION))
    return Members(
        vectors.astype(np.float32),
        rng.uniform(1, 9, len(own)).astype(np.float32),
        np.zeros(len(own), np.float32),
        np.array(own),
        np.ones(len(own), dtype=np.bool_),
    )


def profiles(members: Members) -> Voices:
    return clips_as_voices(unit(members.vectors), members.durations_s, members.narrowness).united(members.own)


def judged(members: Members) -> Floats:
    speakers = profiles(members)
    return certainties(members, speakers, Cohort(speakers, 1, STRANGERS), RULE)


def test_recordings_of_one_voice_are_sure_and_one_filed_wrong_is_not() -> None:
    found = judged(members_of([0, 0, 0, 0, 1, 1, 1], [5, 5, 5, 6, 6, 6, 6]))

    assert (found[[0, 1, 2, 4, 5, 6]] > 0.8).all()
    assert found[3] < 0.1


def test_of_one_that_is_all_there_is_nothing_can_be_said() -> None:
    assert np.isnan(judged(members_of([0, 1, 1], [5, 6, 6]))).tolist() == [True, False, False]


def test_a_doubtful_recording_is_compared_with_the_whole_of_its_speaker() -> None:
    members = members_of([0, 0, 1, 1], [5, 5, 6, 6])
    doubtful = members.is_in_profile.copy()
    doubtful[1] = False
    outside = replace(members, is_in_profile=doubtful)
    speakers = profiles(members.take(slice(0, 1))).followed_by(profiles(members_of([0, 0], [6, 6])))
    found = certainties(outside, speakers, Cohort(speakers, 1, STRANGERS), RULE)

    assert np.isnan(found).tolist() == [True, False, False, False]
    assert found[1] > 0.9


@settings(max_examples=30)
@given(st.lists(st.integers(3, 9), min_size=130, max_size=140))
def test_a_recording_is_judged_alike_whatever_is_judged_beside_it(voice: list[int]) -> None:
    own = [row % 4 for row in range(len(voice))]
    members = members_of(own, voice, 1.5)
    speakers = profiles(members)
    cohort = Cohort(speakers, 1, STRANGERS)

    together = certainties(members, speakers, cohort, RULE)
    one_by_one = [
        certainties(members.take(slice(row, row + 1)), speakers, cohort, RULE)[0] for row in range(0, 130, 13)
    ]

    assert np.allclose(together[0:130:13], one_by_one, atol=1e-4)


def test_it_is_what_a_clip_from_outside_would_be_told() -> None:
    """With the recording's speaker made without it, identifying says nearly the same."""
    members = members_of([0, 0, 0, 0, 1, 1, 1, 1], [5, 5, 5, 5, 6, 6, 6, 6], 1.2)
    without = members_of([0, 0, 0, 0, 1, 1, 1, 1], [5, 5, 5, 5, 6, 6, 6, 6], 1.2).take(slice(1, 8))
    suspects = Suspects.among(profiles(without), STRANGERS, RULE)
    _, outside = suspects.identify(members.vectors[0], float(members.durations_s[0]), 0)

    assert abs(float(outside[0]) - float(judged(members)[0])) < 0.1


def test_the_more_speakers_each_stands_for_the_less_sure_a_recording_is() -> None:
    members = members_of([0, 0, 0, 1, 1, 1], [5, 5, 5, 6, 6, 6], 1.2)
    speakers = profiles(members)
    few, many = (certainties(members, speakers, Cohort(speakers, each, STRANGERS), RULE) for each in (1, 1000))

    assert (many < few).all()
