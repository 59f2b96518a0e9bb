"""A clip builds its speaker's profile only if it is long, and like the rest of the speaker."""

import numpy as np
import pytest

from registry.core.linking.building import builders
from registry.core.linking.likeness import Sets, probability
from registry.core.linking.voices import clips_as_voices
from registry.core.records import Floats
from registry.core.vectors import unit
from tests.core.given import bar_of, sets_at

BAR = bar_of(voices=20, base_noise=0.3)
VOICE, OTHER = np.eye(2, 32, dtype=np.float32)
NOBODY = np.array([-1])


def clips(vectors: list[Floats], seconds: float | list[float] = 5.0) -> Sets:
    units = unit(np.array(vectors, dtype=np.float32).reshape(-1, 32))
    durations_s = np.broadcast_to(np.array(seconds, dtype=np.float32), len(units))
    voices = clips_as_voices(units, durations_s, np.zeros(len(units), dtype=np.float32))
    return sets_at(voices, 0.1, BAR)


def alike(count: int, seed: int = 0) -> list[Floats]:
    noise = np.random.default_rng(seed).standard_normal((count, 32)) / 12
    return [VOICE + row for row in noise.astype(np.float32)]


def one_part(sets: Sets) -> np.ndarray:
    return np.zeros(len(sets), dtype=np.int64)


def test_clips_of_one_voice_build_it() -> None:
    night = clips(alike(4))

    assert builders(night, one_part(night), clips([]), NOBODY, BAR).tolist() == [True] * 4


def test_a_clip_unlike_the_rest_of_tonight_does_not() -> None:
    night = clips([*alike(5), OTHER])

    assert builders(night, one_part(night), clips([]), NOBODY, BAR).tolist() == [True] * 5 + [False]


def test_a_clip_is_not_part_of_what_it_is_compared_with() -> None:
    night = clips([VOICE, OTHER])

    assert builders(night, one_part(night), clips([]), NOBODY, BAR).tolist() == [False, False]


def test_a_clip_unlike_the_stored_speaker_does_not() -> None:
    stored = BAR.united(clips(alike(6, seed=1)), np.zeros(6, dtype=np.int64))
    night = clips([alike(1)[0], OTHER])

    assert builders(night, np.array([0, 0]), stored, np.array([0]), BAR).tolist() == [True, False]


def test_a_lone_clip_builds_what_there_is() -> None:
    night = clips([VOICE, OTHER])

    assert builders(night, np.array([0, 1]), clips([]), np.array([-1, -1]), BAR).tolist() == [True, True]


@pytest.mark.parametrize(("seconds", "builds"), [(0.9, False), (1.0, True)])
def test_a_short_clip_does_not(seconds: float, builds: bool) -> None:
    night = clips(alike(3), [5.0, 5.0, seconds])

    assert builders(night, one_part(night), clips([]), NOBODY, BAR).tolist() == [True, True, builds]


def test_each_clip_is_compared_with_its_own_speaker_without_it() -> None:
    """More clips than fit one block, in two parts, against brute force."""
    rng = np.random.default_rng(3)
    night = clips([*alike(80), *unit((OTHER + rng.standard_normal((70, 32)) / 2).astype(np.float32))])
    part = np.repeat([0, 1], [80, 70])
    got = builders(night, part, clips([]), np.array([-1, -1]), BAR)
    expected = []
    for clip in range(150):
        rest = np.flatnonzero((part == part[clip]) & (np.arange(150) != clip))
        united = BAR.united(night.take(rest), np.zeros(len(rest), dtype=np.int64))
        log_odds = BAR.log_odds(night.take(np.array([clip])), united)
        expected.append(bool(probability(log_odds)[0, 0] >= BAR.rule.builder_probability))

    assert got.tolist() == expected
    assert len(set(expected)) == 2
