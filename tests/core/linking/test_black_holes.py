"""A speaker is not given many clips at once that are little alike, however low the bar."""

from dataclasses import replace

import numpy as np
import pytest

from registry.core.linking.black_holes import alikeness, is_black_hole
from registry.core.linking.consolidation import consolidate
from registry.core.linking.decisions import KnownVoices, Linking, link
from registry.core.linking.likeness import Sets, bar_among
from registry.core.linking.probability_rule import ProbabilityRule
from registry.core.linking.voices import Voices
from registry.core.records import Floats
from tests.core.given import RULE, clips_of, nobody

DIMENSION = 192
LINE, GENDER, VOICE = 0.38, 0.12, 0.35  # squared parts of a telephone's vectors
VOICES, CLIPS = 20, 3
JOINS_ALL = replace(RULE, prior_odds=-500.0)  # a bar gone wrong


def by_telephone(voices: int, clips: int, seed: int = 0, gender: int = 0) -> Floats:
    """Clips of some voices: strangers of a gender have the cosine 0.50, one voice's clips 0.85."""
    rng = np.random.default_rng([seed, gender])
    voice = np.repeat(rng.standard_normal((voices, DIMENSION)), clips, axis=0)
    noise = rng.standard_normal((voices * clips, DIMENSION))
    rows = (VOICE**0.5 * voice + (1 - LINE - GENDER - VOICE) ** 0.5 * noise) / DIMENSION**0.5
    rows[:, 0] += LINE**0.5
    rows[:, 1 + gender] += GENDER**0.5
    vectors: Floats = rows.astype(np.float32)
    return vectors


MEN = clips_of(by_telephone(VOICES, CLIPS, gender=1), narrowness=1)


BAR = bar_among(clips_of(by_telephone(VOICES, CLIPS), narrowness=1), MEN, RULE)


def as_sets(vectors: Floats) -> Sets:
    return bar_among(clips_of(vectors, narrowness=1), MEN, RULE).sets(clips_of(vectors, narrowness=1))


def heard(vectors: Floats, rule: ProbabilityRule, stored: Voices | None = None) -> Linking:
    voices = stored or nobody(DIMENSION)
    known = KnownVoices(range(1, len(voices) + 1), voices, MEN, {})
    count = len(vectors)
    return link(range(count), vectors, np.full(count, 5, np.float32), np.ones(count, np.float32), known, rule)


def test_clips_of_one_voice_are_alike_and_those_of_many_are_not() -> None:
    assert alikeness(as_sets(by_telephone(1, 30)), BAR) == pytest.approx(1, abs=0.1)
    assert alikeness(as_sets(by_telephone(VOICES, CLIPS)), BAR) == pytest.approx(0.26, abs=0.05)


def test_sets_of_clips_are_as_alike_as_their_clips() -> None:
    clips = as_sets(by_telephone(VOICES, CLIPS))
    bar = bar_among(clips.voices, MEN, RULE)
    speakers = bar.united(clips, np.repeat(np.arange(VOICES), CLIPS))

    assert alikeness(speakers, BAR) == pytest.approx(alikeness(clips, BAR), abs=0.03)


def test_of_few_clips_nothing_is_said() -> None:
    several = as_sets(by_telephone(VOICES, 2))

    assert is_black_hole(several.take(np.arange(RULE.growth_clips)), BAR)
    assert not is_black_hole(several.take(np.arange(RULE.growth_clips - 1)), BAR)


def test_a_night_of_many_voices_is_no_speaker_though_the_bar_lets_them_join() -> None:
    linking = heard(by_telephone(VOICES, CLIPS), JOINS_ALL)

    assert max(len(decision.audio_ids) for decision in linking.decisions) < RULE.growth_clips


def test_a_night_of_one_voice_is_one_speaker() -> None:
    assert len(heard(by_telephone(1, 30), JOINS_ALL).decisions) == 1


def test_a_stored_speaker_does_not_take_them_in_and_what_it_does_not_take_in_is_known_to_be_near() -> None:
    host = clips_of(by_telephone(1, 30, seed=9), narrowness=1).united(np.zeros(30, dtype=np.int64))
    decisions = heard(by_telephone(VOICES, CLIPS), JOINS_ALL, host).decisions
    kept_apart = [decision for decision in decisions if decision.speaker_id is None]

    assert sum(len(one.audio_ids) for one in decisions if one.speaker_id is not None) < RULE.growth_clips
    assert kept_apart
    assert all(one.runner_up_probability and one.runner_up_probability > 0.5 for one in kept_apart)


def test_a_stored_speaker_takes_in_a_night_of_its_own() -> None:
    voice = by_telephone(1, 60, seed=9)
    host = clips_of(voice[:30], narrowness=1).united(np.zeros(30, dtype=np.int64))

    assert [one.speaker_id for one in heard(voice[30:], RULE, host).decisions] == [1]


def test_stored_speakers_that_are_many_voices_are_not_joined_but_listed() -> None:
    labels = np.repeat(np.arange(VOICES), CLIPS)
    stored = clips_of(by_telephone(VOICES, CLIPS), narrowness=1).united(labels)
    found = consolidate(stored, MEN, range(1, VOICES + 1), (), (), JOINS_ALL)

    assert len(found.joins) < VOICES / 4
    assert len(found.review) > VOICES


def test_women_alone_whose_telephone_is_not_seen_are_no_speaker_either() -> None:
    """Where hiss hides how narrow the line is and no man is heard, all else takes them for a studio's."""
    women, count = by_telephone(VOICES, CLIPS), VOICES * CLIPS
    known = KnownVoices([], nobody(DIMENSION), nobody(DIMENSION), {})
    linking = link(range(count), women, np.full(count, 5, np.float32), np.zeros(count, np.float32), known, RULE)

    assert max(len(decision.audio_ids) for decision in linking.decisions) < RULE.growth_clips
