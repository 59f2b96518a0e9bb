"""Who may be one voice is asked about, the likeliest first, whatever pairs are looked at together."""

import numpy as np
import pytest

from registry.core.linking import consolidation as module
from registry.core.linking.consolidation import Join, consolidate
from registry.core.linking.voices import Voices
from tests.core.given import RULE, clips_of

DIMENSION = 64
STRANGERS = clips_of(np.random.default_rng(9).standard_normal((60, DIMENSION)))
KEYS = range(101, 141)


def stored() -> Voices:
    """Forty speakers, of whom each two that follow one another are somewhat alike."""
    rng = np.random.default_rng(3)
    voices = np.repeat(rng.standard_normal((len(KEYS) // 2, DIMENSION)), 2, axis=0)
    return clips_of(voices + rng.uniform(0.9, 1.3, (len(KEYS), 1)) * rng.standard_normal((len(KEYS), DIMENSION)))


def review(*apart: tuple[int, int]) -> tuple[Join, ...]:
    return consolidate(stored(), STRANGERS, KEYS, apart, (), RULE).review


def test_the_likeliest_come_first() -> None:
    probabilities = [one.probability for one in review()]

    assert len(probabilities) > 3
    assert probabilities == sorted(probabilities, reverse=True)
    assert probabilities[-1] >= RULE.review_probability


@pytest.mark.parametrize("margins", [1, 3 * len(KEYS), 7 * len(KEYS)])
def test_how_many_pairs_are_looked_at_together_does_not_matter(monkeypatch: pytest.MonkeyPatch, margins: int) -> None:
    expected = [(one.kept_id, one.gone_id) for one in review()]
    monkeypatch.setattr(module, "BLOCK_MARGINS", margins)

    assert [(one.kept_id, one.gone_id) for one in review()] == expected


def test_those_that_are_two_are_not_asked_about_also_where_one_is_told_apart_from_somebody_elsewhere() -> None:
    first, *others = review()

    assert review((first.kept_id, first.gone_id), (first.kept_id, 999), (999, 1000)) == tuple(others)


def test_the_first_of_all_speakers_is_asked_about_like_any_other() -> None:
    likeliest = review()[0]
    pair = [KEYS.index(likeliest.kept_id), KEYS.index(likeliest.gone_id)]
    order = np.array([*pair, *(row for row in range(len(KEYS)) if row not in pair)])
    found = consolidate(stored().take(order), STRANGERS, KEYS, (), (), RULE).review

    assert (found[0].kept_id, found[0].gone_id) == (KEYS[0], KEYS[1])
