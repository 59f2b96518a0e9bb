"""Stored speakers in reach of a night's clips, and those that come first and second."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.core.linking import ranking as module
from registry.core.linking.likeness import Sets, probability
from registry.core.linking.ranking import in_reach, rank
from tests.core.given import bar_of, clips_of

BAR = bar_of(voices=20)
DIMENSION = 16


def clips(seed: int, count: int, voices: int = 6) -> Sets:
    rng = np.random.default_rng(seed)
    voice = np.random.default_rng(0).standard_normal((voices, DIMENSION))
    return BAR.sets(clips_of(voice[rng.integers(voices, size=count)] + 0.7 * rng.standard_normal((count, DIMENSION))))


@given(seed=st.integers(0, 10_000), night=st.integers(1, 20), stored=st.integers(0, 40))
@settings(max_examples=40)
def test_whoever_is_above_the_bar_but_for_the_reach_is_in_reach(seed: int, night: int, stored: int) -> None:
    tonight, known = clips(seed, night), clips(seed + 1, stored)
    near = in_reach(tonight, known, BAR)
    above = np.flatnonzero((BAR.margins(tonight, known) >= -BAR.rule.reach).any(axis=0))

    assert set(above.tolist()) <= set(near.tolist())


def test_of_many_strangers_few_are_in_reach() -> None:
    assert len(in_reach(clips(1, 1), clips(2, 300, voices=300), BAR)) < 60


def test_the_nearest_other_comes_second_and_the_nearest_of_all_for_somebody_new() -> None:
    tonight, stored = clips(1, 8), clips(2, 20)
    got = np.array([3, -1, 0, 5, -1, 19, 2, 7])
    odds = BAR.log_odds(tonight, stored)
    choices = list(rank(tonight, stored, got, range(100, 120), BAR))

    assert [own.speaker_id - 100 if own else -1 for own, _ in choices] == got.tolist()
    for row, (own, other) in enumerate(choices):
        assert other is not None
        others = np.where(np.arange(20) == got[row], -np.inf, odds[row])
        assert other.speaker_id - 100 == others.argmax()
        assert other.probability == pytest.approx(float(probability(others.max(keepdims=True))[0]), abs=1e-5)
        assert own is None or own.score == pytest.approx(
            float(tonight.voices.mean[row] @ stored.voices.mean[got[row]]), abs=1e-5
        )


def test_who_is_the_only_one_has_no_other() -> None:
    [(own, other)] = rank(clips(1, 1), clips(2, 1), np.array([0]), [100], BAR)
    [nobody] = rank(clips(1, 1), clips(2, 0), np.array([-1]), [], BAR)

    assert own is not None
    assert (own.speaker_id, other, nobody) == (100, None, (None, None))


def test_it_does_not_matter_how_many_are_looked_at_together(monkeypatch: pytest.MonkeyPatch) -> None:
    tonight, stored, got = clips(1, 8), clips(2, 20), np.array([3, -1, 0, 5, -1, 19, 2, 7])
    near, choices = in_reach(tonight, stored, BAR).tolist(), list(rank(tonight, stored, got, range(20), BAR))
    monkeypatch.setattr(module, "BLOCK_MARGINS", 50)
    again = list(rank(tonight, stored, got, range(20), BAR))

    assert in_reach(tonight, stored, BAR).tolist() == near
    assert [(own and own.speaker_id, other and other.speaker_id) for own, other in again] == [
        (own and own.speaker_id, other and other.speaker_id) for own, other in choices
    ]
