"""The bar between two Gaussians, strangers' cosines and one voice's, and the probability on either side of it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.core.linking.likeness import Bar, Sets, bar_among, each_log_odds, probability
from registry.core.linking.voices import Voices
from registry.core.records import Floats
from tests.core.given import RULE, bar_of, clips_of, nobody, sets_at

BAR = bar_of(voices=20)
ALONE = np.array([0])


def two(cosine: float = 0.5, seconds: float = 5.0, level: float = 0.15, bar: Bar = BAR) -> tuple[Sets, Sets]:
    """Two clips of such a cosine."""
    other = np.array([[cosine, (1 - cosine**2) ** 0.5]])
    return sets_at(clips_of(np.eye(1, 2), seconds), level, bar), sets_at(clips_of(other, seconds), level, bar)


def some_sets(seed: int, count: int) -> Sets:
    rng = np.random.default_rng(seed)
    units = clips_of(rng.standard_normal((count, 8))).mean
    mean = units * rng.uniform(0.3, 1, (count, 1)).astype(np.float32)
    inverse_s = rng.uniform(1 / 60, 5, count).astype(np.float32)
    voices = Voices(mean, rng.integers(1, 100, count), inverse_s, np.zeros(count, np.float32))
    levels, stretch = rng.uniform(-0.1, 0.6, count), rng.uniform(0.9, 1.4, count)
    return sets_at(voices, levels.astype(np.float32), BAR, stretch.astype(np.float32))


def above_level(sets: Sets, bar: Bar = BAR) -> Floats:
    """How far above the level of strangers the bar is (k, k)."""
    level: Floats = bar.between(sets, sets) - (sets.level[:, None] + sets.level) / np.float32(2)
    return level


def odds_at_the_bar(bar: Bar, seconds: float = 5.0, level: float = 0.15) -> Floats:
    needed = float(bar.between(*two(0.5, seconds, level, bar))[0, 0])
    return bar.log_odds(*two(needed, seconds, level, bar))


@given(level=st.floats(-0.1, 0.6), seconds=st.floats(1, 60), voices=st.floats(5, 500))
def test_at_the_bar_the_odds_are_even(level: float, seconds: float, voices: float) -> None:
    odds = odds_at_the_bar(bar_of(voices), seconds, level)

    assert odds[0, 0] == pytest.approx(0, abs=1e-2)
    assert probability(odds)[0, 0] == pytest.approx(0.5, abs=1e-2)


@pytest.mark.parametrize(("rate", "expected"), [(0.02, 1 / 2), (0.01, 2 / 3), (0.04, 1 / 3)])
def test_joining_begins_at_the_odds_that_are_accepted(rate: float, expected: float) -> None:
    odds = odds_at_the_bar(bar_of(rule=replace(RULE, false_merge_rate=rate)))

    assert float(probability(odds)[0, 0]) == pytest.approx(expected, abs=1e-3)


def test_the_probability_does_not_depend_on_the_accepted_rate() -> None:
    strict = bar_of(rule=replace(RULE, false_merge_rate=0.001))

    assert strict.log_odds(*two())[0, 0] == pytest.approx(float(BAR.log_odds(*two())[0, 0]), abs=1e-4)


@given(one=st.floats(0.001, 0.5), other=st.floats(0.001, 0.5))
def test_accepting_fewer_false_merges_raises_the_bar(one: float, other: float) -> None:
    strict, loose = sorted((one, other))
    bars = [bar_of(rule=replace(RULE, false_merge_rate=rate)) for rate in (strict, loose)]

    assert bars[0].between(*two())[0, 0] >= bars[1].between(*two())[0, 0]


@given(fewer=st.floats(1, 1e5), more=st.floats(1, 1e5))
def test_more_voices_raise_the_bar(fewer: float, more: float) -> None:
    low, high = sorted((fewer, more))

    assert bar_of(low).between(*two())[0, 0] <= bar_of(high).between(*two())[0, 0]


def test_between_two_gaussians_the_odds_are_those_of_their_densities() -> None:
    """The knob and the number of voices apart, they are the logarithm of the densities' ratio."""
    one, other = two(cosine=0.4)
    level, share = 0.15, float(one.share[0] * other.share[0])
    unlike = (1 - level) * (1 - share)
    strangers = RULE.stranger_variance * ((1 - RULE.spread_loss * level) ** 2 + RULE.level_error)
    of_one_voice = strangers * RULE.voice_variance * unlike**1.5 + (RULE.voice_drift * (1 - level) * share) ** 2
    voice = level + (1 - level) * share
    density = [
        np.exp(-((0.4 - middle) ** 2) / 2 / variance) / variance**0.5
        for middle, variance in ((level, strangers), (voice, of_one_voice))
    ]
    before = RULE.prior_odds + RULE.voices_odds * np.log(20)

    assert RULE.least_voice_variance < of_one_voice / strangers < 1
    assert float(BAR.log_odds(one, other)[0, 0]) == pytest.approx(np.log(density[1] / density[0]) - before, abs=1e-3)


def test_a_shorter_way_needs_a_larger_part_of_it() -> None:
    """On a telephone strangers are so alike that one voice is not much more so."""
    parts = []
    for level in (0.0, 0.2, 0.4, 0.6):
        one, other = two(level=level)
        way = (1 - level) * one.share[0] * other.share[0]
        parts.append(float((BAR.between(one, other)[0, 0] - level) / way))

    assert parts == sorted(parts)
    assert parts[-1] > 1.2 * parts[0]


def test_a_studio_and_a_telephone_need_less_of_one_another_than_either_of_its_own() -> None:
    """Part of what tells a voice is lost between them."""
    clips = clips_of(np.eye(2, 8))
    both = replace(sets_at(clips, 0.15, BAR), voices=replace(clips, narrowness=np.array([0, 1], np.float32)))
    bar = BAR.between(both, both)

    assert bar[0, 0] == bar[1, 1]
    assert bar[0, 1] < bar[0, 0] - 0.02


def test_short_clips_hold_less_of_the_voice() -> None:
    longer, shorter = two(seconds=10)[0], two(seconds=1)[0]

    assert shorter.share[0] < longer.share[0]


def test_more_evidence_lowers_the_bar() -> None:
    """The mean of many clips is short, as their noise goes: its cosines with strangers vary less."""
    rng = np.random.default_rng(0)
    noisy = np.eye(1, 200) + rng.standard_normal((1000, 200)) / 200**0.5
    bars = []
    for count in (1, 2, 4, 20, 1000):
        whole = clips_of(noisy[:count]).united(np.zeros(count, np.int64))
        sets = replace(sets_at(whole, 0.15, BAR), share=np.full(1, 0.8, np.float32))
        bars.append(float(BAR.between(sets, sets)[0, 0]))

    assert bars == sorted(bars, reverse=True)
    assert bars[0] > bars[-1] + 0.02


def test_what_was_stretched_needs_more() -> None:
    """Taking a channel out stretches what is by chance in a vector too."""
    clip = clips_of(np.eye(1, 8))
    plain, stretched = (sets_at(clip, 0.15, BAR, stretch) for stretch in (1.0, 1.3))

    assert above_level(stretched)[0, 0] > above_level(plain)[0, 0]


def test_a_set_alike_to_itself_is_trusted_to_hold_more_of_its_voice() -> None:
    shares = []
    for own in (0.4, 0.6, 0.8):
        mean = np.full((1, 1), ((1 + 9 * own) / 10) ** 0.5, np.float32)
        voices = Voices(mean, np.array([10]), np.full(1, 0.2, np.float32), np.zeros(1, np.float32))
        shares.append(float(sets_at(voices, 0.15, BAR).share[0]))

    assert shares == sorted(set(shares))


@given(seed=st.integers(0, 10_000), count=st.integers(1, 30))
def test_no_margin_is_greater_than_the_most_that_is_told_of_it(seed: int, count: int) -> None:
    sets = some_sets(seed, count)

    assert np.all(BAR.margins(sets, sets) <= BAR.most(sets, sets) + 1e-5)


@given(seed=st.integers(0, 10_000), count=st.integers(1, 150))
@settings(max_examples=30)
def test_pair_by_pair_is_what_all_with_all_gives(seed: int, count: int) -> None:
    ones, others = some_sets(seed, count), some_sets(seed + 1, count)

    np.testing.assert_allclose(
        each_log_odds(ones, others, BAR), np.diagonal(BAR.log_odds(ones, others)), rtol=1e-4, atol=1e-3
    )


def test_a_clip_taken_out_of_a_set_is_as_if_it_had_never_been_in() -> None:
    rng = np.random.default_rng(2)
    clips = BAR.sets(clips_of(np.eye(1, 8) + rng.standard_normal((5, 8)) / 4))
    whole = BAR.united(clips, np.zeros(5, np.int64))
    left = BAR.without(whole, clips.take(ALONE), np.array([True]))
    rest = BAR.united(clips.take(np.arange(1, 5)), np.zeros(4, np.int64))

    for found, expected in ((left, rest), (BAR.without(whole, clips.take(ALONE), np.array([False])), whole)):
        np.testing.assert_allclose(found.voices.mean, expected.voices.mean, atol=1e-6)
        for name in ("level", "share", "stretch", "spread"):
            np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-5)


def test_a_set_is_as_far_from_strangers_as_its_clips_on_average() -> None:
    """Uniting sets in the joining asks no stranger again."""
    rng = np.random.default_rng(3)
    voices, strangers = (clips_of(0.6 * np.eye(1, 144) + rng.standard_normal((count, 144)) / 12) for count in (40, 200))
    bar = bar_among(voices, strangers, RULE)
    labels = np.repeat(np.arange(10), 4)
    united, anew = bar.united(bar.sets(voices), labels), bar.sets(voices.united(labels))

    np.testing.assert_allclose(united.level, anew.level, atol=0.03)


def test_likelier_is_never_more_than_certain() -> None:
    assert probability(np.array([-1e6, 0, 1e6], np.float32)).tolist() == pytest.approx([0, 0.5, 1])


def test_nobody_has_a_bar() -> None:
    bar = bar_among(nobody(8), nobody(8), RULE)

    assert bar.sets(nobody(8)).level.shape == (0,)
    assert bar.margins(bar.sets(nobody(8)), bar.sets(nobody(8))).shape == (0, 0)


def test_a_stricter_bar_accepts_a_tenth_of_the_false_merges() -> None:
    assert BAR.stricter().rule == replace(BAR.rule, false_merge_rate=BAR.rule.false_merge_rate / 10)


def columns(sets: Sets) -> Floats:
    return np.stack([sets.level, sets.share, sets.stretch, sets.spread, sets.voices.mean[:, 0], sets.voices.size])


def test_sets_put_behind_one_another_stay_as_they_are() -> None:
    sets = some_sets(seed=1, count=7)
    again = sets.take(np.arange(3)).followed_by(sets.take(np.arange(3, 7)))

    np.testing.assert_array_equal(columns(again), columns(sets))


def test_a_clip_is_taken_out_of_no_set_that_it_is_not_in() -> None:
    sets, clips = some_sets(seed=1, count=7), some_sets(seed=2, count=7)
    outside = BAR.without(sets, clips, np.zeros(7, np.bool_))

    np.testing.assert_allclose(columns(outside), columns(sets), rtol=1e-5)
