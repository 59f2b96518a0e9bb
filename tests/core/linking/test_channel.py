"""What a telephone does to all voices alike is taken out of them."""

import numpy as np
import pytest

from registry.core.linking.channel import Channel, channels
from registry.core.linking.voices import Voices
from registry.core.records import Floats
from registry.core.vectors import unit
from tests.core.given import RULE, clips_of, nobody

DIMENSION = 64
TELEPHONE = np.eye(1, DIMENSION)[0]  # what it adds to every voice
CLIPS = 4


def heard(voices: int, narrowness: float, seed: int, of: int = 0) -> Voices:
    """Clips of voices, numbered from `of`: by telephone strangers' cosine is 0.5, in a studio 0."""
    voice = np.random.default_rng(of).standard_normal((voices, DIMENSION)) / DIMENSION**0.5
    noise = np.random.default_rng(seed).standard_normal((voices * CLIPS, DIMENSION)) / DIMENSION**0.5
    return clips_of(np.repeat(voice, CLIPS, axis=0) + 0.4 * noise + narrowness * TELEPHONE, narrowness=narrowness)


def learned(voices: Voices, strangers: Voices | None = None) -> tuple[Channel, Channel]:
    return channels(voices, strangers or nobody(DIMENSION), RULE)


def length(vector: Floats) -> float:
    return float(np.linalg.norm(vector))


def test_a_voice_by_studio_and_by_telephone_comes_together_and_strangers_come_apart() -> None:
    both = heard(40, 0, seed=1).followed_by(heard(40, 1, seed=2))
    moved, _ = learned(both)[0].taken_out(both)
    before, after = both.mean @ both.mean.T, moved.mean @ moved.mean.T

    assert np.ptp(mean_cosines(before, of_one_voice=True)) > 0.2
    assert np.ptp(mean_cosines(before, of_one_voice=False)) > 0.4
    assert np.ptp(mean_cosines(after, of_one_voice=True)) < 0.05
    assert np.ptp(mean_cosines(after, of_one_voice=False)) < 0.1


def mean_cosines(cosines: Floats, *, of_one_voice: bool) -> list[float]:
    """Average pairs of 40 voices by studio and again by telephone: both by studio, both by telephone, one by each."""
    voice, is_narrow = np.tile(np.repeat(np.arange(40), CLIPS), 2), np.repeat([False, True], 40 * CLIPS)
    pairs = (voice[:, None] == voice) == of_one_voice
    np.fill_diagonal(pairs, val=False)
    sounds = (np.outer(~is_narrow, ~is_narrow), np.outer(is_narrow, is_narrow), np.outer(is_narrow, ~is_narrow))
    return [float(cosines[pairs & sound].mean()) for sound in sounds]


def test_vectors_stay_of_unit_length_on_average() -> None:
    both = heard(40, 0, seed=1).followed_by(heard(40, 1, seed=2, of=1))
    moved, stretch = learned(both)[0].taken_out(both)
    squares = (moved.mean**2).sum(axis=1)

    assert [squares[:160].mean(), squares[160:].mean()] == pytest.approx([1, 1], abs=0.02)
    assert stretch[160:].mean() > stretch[:160].mean()


def test_of_one_sound_nothing_is_moved() -> None:
    night = heard(20, 1, seed=1)
    moved, stretch = learned(night, heard(20, 1, seed=2, of=1))[0].taken_out(night)

    np.testing.assert_allclose(moved.mean, night.mean, atol=1e-5)
    np.testing.assert_allclose(stretch, 1, atol=1e-5)


@pytest.mark.parametrize(("voices", "low", "high"), [(1, 0, 0.75), (3, 0.5, 0.95), (60, 0.95, 1.02)])
def test_the_more_voices_the_more_of_the_way_they_are_moved(voices: int, low: float, high: float) -> None:
    """The difference between a few voices of one sound and a few of another is mostly that of the voices."""
    studio, telephone = heard(voices, 0, seed=1), heard(voices, 1, seed=2)
    own, _ = learned(studio.followed_by(telephone))
    apart = telephone.mean.mean(axis=0) - studio.mean.mean(axis=0)

    assert low <= length(own.slope) / length(apart) <= high


def test_a_gender_of_one_sound_learns_from_the_other() -> None:
    women = heard(20, 1, seed=1)
    men = heard(20, 0, seed=2, of=1).followed_by(heard(20, 1, seed=3, of=2))
    own, other = learned(women, men)

    assert length(own.slope - other.slope) < 0.1 * length(other.slope)
    assert own.narrowness == other.narrowness == pytest.approx(2 / 3)


def test_each_gender_is_moved_by_its_own_line_where_it_knows_one() -> None:
    women = heard(40, 0, seed=1).followed_by(heard(40, 1, seed=2))
    turned = np.roll(women.mean, 1, axis=1)
    men = Voices(turned, women.size, women.inverse_s, women.narrowness)
    own, other = learned(women, men)

    np.testing.assert_allclose(np.roll(own.slope, 1), other.slope, atol=0.05)


def test_a_set_is_moved_as_its_clips_are() -> None:
    rng = np.random.default_rng(5)
    clips = Voices(
        unit(rng.standard_normal((12, DIMENSION)).astype(np.float32)),
        np.ones(12, np.int64),
        np.full(12, 0.2, np.float32),
        rng.uniform(0, 1, 12).astype(np.float32),
    )
    slope = (TELEPHONE / 3).astype(np.float32)
    channel = Channel((TELEPHONE / 2).astype(np.float32), slope, 0.4)
    labels = np.repeat([0, 1, 2], 4)
    moved, stretch = channel.taken_out(clips)
    whole, whole_stretch = channel.taken_out(clips.united(labels))
    unstretched = Voices(moved.mean / stretch[:, None], clips.size, clips.inverse_s, clips.narrowness)

    np.testing.assert_allclose(whole.mean / whole_stretch[:, None], unstretched.united(labels).mean, atol=1e-6)


def test_a_voice_weighs_the_same_however_many_clips_it_has() -> None:
    """Up to a few: a hundred clips of one voice say little about a channel that others are heard through too."""
    few = heard(10, 0, seed=1).followed_by(heard(10, 1, seed=2))
    one_more = np.roll(few.take(np.array([0])).mean, 9, axis=1)
    often, always = (learned(few.followed_by(by_telephone(one_more, size)))[0].slope for size in (100, 10_000))

    np.testing.assert_allclose(often, always, atol=0.01)


def by_telephone(mean: Floats, size: int) -> Voices:
    return Voices(mean, np.array([size]), np.full(1, 0.2, np.float32), np.ones(1, np.float32))


def test_of_nobody_nothing_is_learned() -> None:
    own, _ = learned(nobody(DIMENSION))
    night = heard(2, 1, seed=1)

    assert own.narrowness == 0
    assert own.taken_out(night)[0].mean.tobytes() == night.mean.tobytes()
