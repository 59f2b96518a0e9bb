"""What a registry's own voices tell of strangers and of the spread of one voice."""

import numpy as np
import pytest

from registry.core.population import estimate_population, night_levels, stranger_levels
from registry.core.probability_rule import ProbabilityRule
from registry.core.vectors import unit
from registry.core.voices import Voices, clips_as_voices

RULE = ProbabilityRule()
NOBODY = np.zeros((0, 64), dtype=np.float32)
NO_VOICES = clips_as_voices(NOBODY, *np.zeros((2, 0), dtype=np.float32))


def voices_of(speakers: int, clips: int, spread: float, common: float = 0.0) -> Voices:
    """Speakers around a common direction, each with clips around its own."""
    rng = np.random.default_rng(1)
    centres = unit(rng.standard_normal((speakers, 64)).astype(np.float32)) + common * np.eye(1, 64, dtype=np.float32)
    noise = spread / 8 * rng.standard_normal((speakers * clips, 64)).astype(np.float32)
    units = unit(np.repeat(centres, clips, axis=0) + noise)
    labels = np.repeat(np.arange(speakers), clips)
    durations_s, narrowness = np.full(len(units), 6.0, dtype=np.float32), np.zeros(len(units), dtype=np.float32)
    return clips_as_voices(units, durations_s, narrowness).united(labels)


def test_without_any_voice_the_usual_values_hold() -> None:
    population = estimate_population(NO_VOICES, NOBODY, RULE)

    assert population.stranger == pytest.approx(0.15)
    assert population.base_noise == pytest.approx(0.23)


@pytest.mark.parametrize(("common", "cosine"), [(0.0, 0.0), (0.5, 0.2), (1.0, 0.5)])
def test_strangers_in_a_large_registry_are_as_alike_as_its_speakers(common: float, cosine: float) -> None:
    population = estimate_population(voices_of(300, 1, spread=0.0, common=common), NOBODY, RULE)

    assert population.stranger == pytest.approx(cosine, abs=0.03)


def test_a_night_of_one_voice_does_not_take_itself_for_strangers() -> None:
    one_voice = np.repeat(np.eye(1, 64, dtype=np.float32), 100, axis=0)

    population = estimate_population(NO_VOICES, one_voice, RULE)

    assert population.stranger == pytest.approx((3 * RULE.stranger + 5 * RULE.night_cap) / 8)


def test_the_noise_of_the_voices_is_found_again() -> None:
    """Clips of 6 s have twice the base noise; a spread whose square is 0.8 is such noise in all."""
    population = estimate_population(voices_of(200, 10, spread=0.8**0.5), NOBODY, RULE)

    assert population.base_noise == pytest.approx(0.4, rel=0.1)


@pytest.mark.parametrize("spreads", [(0.2, 0.6), (0.6, 1.2)])
def test_voices_that_spread_more_mean_more_noise(spreads: tuple[float, float]) -> None:
    less, more = (estimate_population(voices_of(50, 8, spread), NOBODY, RULE).base_noise for spread in spreads)

    assert less < more


def test_a_cohort_stands_for_a_large_registry() -> None:
    rule = ProbabilityRule(cohort_speakers=100)
    voices = voices_of(950, 1, spread=0.0)

    population = estimate_population(voices, NOBODY, rule)

    assert population.cohort_rows.tolist() == list(range(0, 950, 10))
    assert population.stranger == pytest.approx(estimate_population(voices, NOBODY, RULE).stranger, abs=0.01)


def test_a_stored_speaker_is_no_stranger_to_itself() -> None:
    """Its own mean is short, as of clips that hardly agree, and would pass for a stranger's."""
    means = np.array([[0.3, 0.0], [0.0, 0.3]], dtype=np.float32)
    voices = Voices(means, np.array([9, 9]), np.ones(2, dtype=np.float32), np.zeros(2, dtype=np.float32))
    population = estimate_population(voices, means[:0], RULE)

    levels = stranger_levels(means, population, RULE, stored_rows=np.arange(2))

    assert levels == pytest.approx([population.stranger / 2] * 2)


def of_two_sounds(speakers: int, clips: int) -> Voices:
    """As many speakers of one sound as of another: studio and telephone, say; in each, strangers' cosine is 0.5."""
    studio, telephone = (voices_of(speakers, clips, spread=0.5, common=common) for common in (1.0, -1.0))
    return studio.followed_by(telephone)


def test_where_two_sounds_share_a_registry_strangers_are_those_of_ones_own() -> None:
    voices = of_two_sounds(30, 6)
    population = estimate_population(voices, NOBODY, RULE)
    alone = voices_of(30, 6, spread=0.5, common=1.0)

    levels = stranger_levels(voices.mean, population, RULE, np.arange(60))

    assert population.stranger < 0.2
    assert levels[:30] == pytest.approx([float((alone.mean @ alone.mean.T)[0, 1:].mean())] * 30, abs=0.1)
    assert population.base_noise == pytest.approx(estimate_population(alone, NOBODY, RULE).base_noise, rel=0.25)


def test_a_first_night_of_two_sounds_knows_which_clip_is_of_which() -> None:
    tonight = of_two_sounds(20, 1).mean
    population = estimate_population(NO_VOICES, tonight, RULE)
    tonight_and_one = np.concatenate([tonight[:20], np.roll(tonight[:1], 7, axis=1)])  # of yet another sound

    levels = night_levels(tonight_and_one, population, RULE)

    assert levels[:20].min() > levels[20] + 0.1
    assert levels[20] == pytest.approx(population.stranger, abs=0.15)
