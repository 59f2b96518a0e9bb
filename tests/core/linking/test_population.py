"""What voices, and certain strangers of theirs, tell of strangers and of the spread of one voice."""

from dataclasses import replace

import numpy as np
import pytest

from registry.core.linking.population import Population, effective_voices, population_of, voice_shares
from registry.core.linking.voices import Voices
from registry.core.records import Floats
from tests.core.given import NO_CHANNEL, RULE, clips_of, nobody

DIMENSION = 64


def voices_of(speakers: int, clips: int, spread: float, narrowness: float = 0.0) -> Voices:
    """Speakers, strangers' cosine 0, each with clips around its own direction."""
    rng = np.random.default_rng(1)
    centres = rng.standard_normal((speakers, DIMENSION)) / DIMENSION**0.5
    noise = spread * rng.standard_normal((speakers * clips, DIMENSION)) / DIMENSION**0.5
    units = clips_of(np.repeat(centres, clips, axis=0) + noise, seconds=6, narrowness=narrowness)
    return units.united(np.repeat(np.arange(speakers), clips))


def levels_among(cosines: Floats | list[float]) -> Floats:
    """Give the level of one set that has these cosines with its strangers."""
    axis = np.asarray(cosines, dtype=np.float32)
    strangers = np.stack([axis, np.sqrt(1 - axis**2)], axis=1)
    return Population(NO_CHANNEL, strangers, RULE.base_noise, 20).levels(np.eye(1, 2, dtype=np.float32), RULE)


def by_the_line(cosine: float) -> float:
    return RULE.other_gender_factor * cosine + RULE.other_gender_offset


def around(middle: float, count: int) -> Floats:
    """Cosines as one sound has them."""
    return np.random.default_rng(0).normal(middle, RULE.other_gender_spread, count).astype(np.float32)


def test_without_any_voice_the_usual_values_hold() -> None:
    population = population_of(nobody(DIMENSION), nobody(DIMENSION), RULE)

    assert population.levels(np.eye(1, DIMENSION, dtype=np.float32), RULE) == pytest.approx(RULE.stranger)
    assert population.base_noise == RULE.base_noise
    assert population.voices == RULE.least_voices


@pytest.mark.parametrize(("narrowness", "level"), [(0.0, 0.15), (0.4, 0.29), (1.0, 0.5)])
def test_without_strangers_the_level_is_the_usual_one_of_the_sound(narrowness: float, level: float) -> None:
    night = voices_of(10, 2, spread=0.3, narrowness=narrowness)
    population = population_of(night, nobody(DIMENSION), RULE)

    assert population.levels(night.mean, RULE) == pytest.approx([level] * 10)


def test_of_no_sets_there_are_no_levels() -> None:
    population = population_of(nobody(DIMENSION), voices_of(10, 1, 0.3), RULE)

    assert population.levels(np.zeros((0, DIMENSION), np.float32), RULE).shape == (0,)


@pytest.mark.parametrize("cosine", [0.0, 0.1, 0.4])
def test_strangers_of_ones_gender_are_a_little_more_alike_than_those_of_the_other(cosine: float) -> None:
    assert levels_among([cosine] * 10_000) == pytest.approx([by_the_line(cosine)], abs=1e-3)


@pytest.mark.parametrize(("count", "weight"), [(1, 1 / 4), (3, 1 / 2), (27, 9 / 10)])
def test_few_strangers_say_little(count: int, weight: float) -> None:
    expected = weight * by_the_line(0.4) + (1 - weight) * RULE.stranger

    assert levels_among([0.4] * count) == pytest.approx([expected], abs=1e-5)


@pytest.mark.parametrize("middle", [0.05, 0.4])
def test_of_one_sound_the_nearest_tell_the_mean_of_all(middle: float) -> None:
    assert levels_among(around(middle, 2000)) == pytest.approx([by_the_line(middle)], abs=0.02)


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_of_several_sounds_strangers_are_those_of_ones_own(share: float) -> None:
    """A hall and a studio, say, in one registry: each voice's strangers of the same sound are the nearest."""
    own = round(2000 * share)
    mixed = np.concatenate([around(0.45, own), around(0.0, 2000 - own)])

    assert levels_among(mixed) == pytest.approx([by_the_line(0.45)], abs=0.1)


def test_each_set_is_beside_strangers_of_its_own_channel() -> None:
    """Studio and telephone in one night: with the channel taken out, all have strangers alike."""
    rng = np.random.default_rng(4)
    telephone = 0.9 * np.eye(1, DIMENSION)

    def night(narrowness: float) -> Voices:
        voices = rng.standard_normal((60, DIMENSION)) / DIMENSION**0.5
        return clips_of(voices + narrowness * telephone, narrowness=narrowness)

    women, men = night(0).followed_by(night(1)), night(0).followed_by(night(1))
    population = population_of(women, men, RULE)
    levels = population.levels(population.channel.taken_out(women)[0].mean, RULE)

    assert levels[:60].mean() == pytest.approx(levels[60:].mean(), abs=0.05)


def test_levels_do_not_depend_on_how_many_sets_are_asked_about_together() -> None:
    population = population_of(nobody(DIMENSION), voices_of(40, 1, 0.3), RULE)
    many = voices_of(2500, 1, spread=0.0).mean

    np.testing.assert_allclose(population.levels(many, RULE)[::500], population.levels(many[::500], RULE), atol=1e-6)


def test_the_noise_of_the_voices_is_found_again() -> None:
    """Clips of 6 s have twice the base noise; a spread whose square is 0.8 is such noise in all."""
    rule = replace(RULE, stranger=0.0)
    population = population_of(voices_of(200, 10, spread=0.8**0.5), nobody(DIMENSION), rule)

    assert population.base_noise == pytest.approx(0.4, rel=0.1)


@pytest.mark.parametrize("spreads", [(0.2, 0.6), (0.6, 1.2)])
def test_voices_that_spread_more_mean_more_noise(spreads: tuple[float, float]) -> None:
    less, more = (population_of(voices_of(50, 8, spread), nobody(DIMENSION), RULE).base_noise for spread in spreads)

    assert less < more


def test_single_clips_say_nothing_of_noise() -> None:
    assert population_of(voices_of(50, 1, spread=1.0), nobody(DIMENSION), RULE).base_noise == RULE.base_noise


@pytest.mark.parametrize(
    ("sizes", "voices"), [([4] * 30, 30), ([6] * 30, 30), ([1] * 62, 20), ([1000] + [2] * 50, 3), ([], 3)]
)
def test_voices_count_by_how_seldom_two_clips_are_of_one(sizes: list[int], voices: float) -> None:
    """Single clips may not have met the others of their voice yet."""
    count = len(sizes)
    nothing = np.zeros(count, np.float32)
    some = Voices(np.zeros((count, 2), np.float32), np.array(sizes, np.int64), nothing, nothing)

    assert effective_voices(some, RULE) == pytest.approx(voices)


def test_a_sample_stands_for_a_large_registry() -> None:
    voices = voices_of(50, 6, spread=0.5)

    assert population_of(voices, nobody(DIMENSION), RULE, stands_for=20).voices == pytest.approx(1000)


def test_the_longer_a_clip_the_more_of_it_is_voice() -> None:
    inverse_s = (1 / np.array([0.5, 2, 6, 60, 1e6])).astype(np.float32)
    shares = voice_shares(inverse_s, 0.25, RULE).tolist()

    assert shares == sorted(shares)
    assert shares[2] == pytest.approx((1 / 1.5) ** 0.5)
    assert shares[-1] == pytest.approx((1 / 1.25) ** 0.5, abs=1e-4)
