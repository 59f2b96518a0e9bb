"""Speech as if it had come another way keeps its length and loses what the way does not let through."""

from typing import get_args

import numpy as np
import pytest

from registry.core.records import Floats
from registry.evaluation.heard_as import Heard, heard_as
from registry.input.narrowness import narrowness

RATE_HZ = 16_000
WAYS = [way for way in get_args(Heard) if way != "as-it-is"]


@pytest.fixture(scope="module")
def wide() -> Floats:
    """Two seconds that sound at all frequencies, as loud as can be."""
    samples: Floats = np.random.default_rng(0).uniform(-1, 1, 2 * RATE_HZ).astype(np.float32)
    return samples


def changed(samples: Floats, heard: Heard) -> Floats:
    return heard_as(samples, heard, np.random.default_rng(1))


@pytest.mark.parametrize("heard", WAYS)
def test_every_way_changes_the_sound_keeps_its_length_and_does_not_clip(wide: Floats, heard: Heard) -> None:
    sound = changed(wide, heard)

    assert abs(len(sound) - len(wide)) < RATE_HZ / 20
    assert np.abs(sound).max() <= 0.99
    shared = min(len(sound), len(wide))
    assert np.abs(sound[:shared] - wide[:shared]).mean() > 0.01


@pytest.mark.parametrize("heard", WAYS)
def test_the_same_draw_gives_the_same_sound(wide: Floats, heard: Heard) -> None:
    assert np.array_equal(changed(wide, heard), changed(wide, heard))


def test_what_is_heard_as_it_is_stays(wide: Floats) -> None:
    assert changed(wide, "as-it-is") is wide


@pytest.mark.parametrize(("heard", "is_narrow"), [("telephone", 1), ("gsm", 1), ("room", 0), ("noise", 0)])
def test_a_telephone_is_narrow_and_a_room_is_not(wide: Floats, heard: Heard, is_narrow: float) -> None:
    assert narrowness(changed(wide, heard)) == is_narrow


def test_noise_is_fifteen_decibels_below_the_voice(wide: Floats) -> None:
    quiet: Floats = 0.1 * wide
    noise = changed(quiet, "noise") - quiet

    assert 10 * np.log10(np.mean(quiet**2) / np.mean(noise**2)) == pytest.approx(15, abs=0.1)
