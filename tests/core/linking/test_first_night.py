"""Forty women by telephone on a registry's first night are forty women: strangers on the line are much alike."""

import numpy as np
import numpy.typing as npt
import pytest

from registry.core.linking.decisions import KnownVoices, Linking, link
from registry.core.records import Floats
from tests.core.given import RULE, clips_of, nobody

DIMENSION = 192
WOMEN, CLIPS = 40, 4
STRANGER, ONE_VOICE, OTHER_GENDER = 0.50, 0.85, 0.38  # cosines by telephone


def by_telephone(seed: int, gender: int, spread_over: int) -> Floats:
    """Clips of forty voices of a gender; voices and noise differ in so few directions, so that cosines spread."""
    rng = np.random.default_rng(seed)
    line = np.zeros(DIMENSION)
    line[0], line[1 + gender] = OTHER_GENDER**0.5, (STRANGER - OTHER_GENDER) ** 0.5

    def by_chance(count: int, square: float) -> npt.NDArray[np.float64]:
        rows = np.zeros((count, DIMENSION))
        rows[:, 3 : 3 + spread_over] = rng.standard_normal((count, spread_over)) * (square / spread_over) ** 0.5
        return rows

    voices = np.repeat(by_chance(WOMEN, ONE_VOICE - STRANGER), CLIPS, axis=0)
    return (line + voices + by_chance(WOMEN * CLIPS, 1 - ONE_VOICE)).astype(np.float32)


def first_night(women: Floats, men: Floats | None) -> Linking:
    strangers = nobody(DIMENSION) if men is None else clips_of(men, narrowness=1)
    seconds, narrowness = np.full(len(women), 5, np.float32), np.ones(len(women), np.float32)
    return link(range(len(women)), women, seconds, narrowness, KnownVoices([], nobody(DIMENSION), strangers, {}), RULE)


def largest_wrong_share(linking: Linking) -> float:
    """The clips of the worst speaker that are not its main voice's, of all clips."""
    voices = [np.bincount(np.array(decision.audio_ids) // CLIPS) for decision in linking.decisions]
    return max(float(counts.sum() - counts.max()) for counts in voices) / (WOMEN * CLIPS)


@pytest.mark.parametrize("spread_over", [18, 189])
@pytest.mark.parametrize("with_men", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_forty_women_by_telephone_are_not_one_speaker(seed: int, spread_over: int, *, with_men: bool) -> None:
    men = by_telephone(seed + 100, 1, spread_over) if with_men else None
    linking = first_night(by_telephone(seed, 0, spread_over), men)

    assert largest_wrong_share(linking) <= 0.05


@pytest.mark.parametrize("with_men", [True, False])
def test_where_cosines_hardly_spread_they_are_forty(*, with_men: bool) -> None:
    men = by_telephone(100, 1, 189) if with_men else None

    assert len(first_night(by_telephone(0, 0, 189), men).decisions) == WOMEN
