"""Sets without a link cannot be joined, whatever they are made of."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from registry.core.linking.likeness import Sets
from registry.core.linking.links import Links, halves
from registry.core.linking.voices import Voices
from registry.core.vectors import unit
from tests.core.given import bar_of, sets_at

BAR = bar_of(voices=20)


def some_sets(seed: int, count: int, longest: float = 20.0) -> Sets:
    rng = np.random.default_rng(seed)
    mean = unit(rng.standard_normal((count, 8)).astype(np.float32)) * rng.uniform(0.3, 1, (count, 1)).astype(np.float32)
    inverse_s = rng.uniform(1 / 60, longest, count).astype(np.float32)
    voices = Voices(mean, rng.integers(1, 1000, count), inverse_s, np.zeros(count, np.float32))
    levels, stretch = rng.uniform(-0.1, 0.6, count), rng.uniform(0.9, 1.4, count)
    return sets_at(voices, levels.astype(np.float32), BAR, stretch.astype(np.float32))


def linked(sets: Sets) -> Links:
    links = Links(sets, BAR)
    links.link(np.arange(len(sets)), sets.voices.mean @ sets.voices.mean.T)
    return links


@given(seed=st.integers(0, 10_000), count=st.integers(1, 40), usual=st.floats(0.3, 1000))
def test_two_halves_are_no_more_than_the_bar(seed: int, count: int, usual: float) -> None:
    sets = some_sets(seed, count)
    half = halves(sets, sets.spread, BAR, usual)

    assert np.all(half[:, None] + half <= BAR.between(sets, sets) + 1e-5)


def test_two_usual_sets_need_hardly_more_than_both_halves_where_the_bar_is_lowest() -> None:
    alike = some_sets(0, 1).take(np.zeros(2, dtype=np.int64))
    bars = []
    for share in np.linspace(0.2, 1, 200):
        sets = replace(alike, share=np.full(2, share, np.float32))
        bars.append(float((BAR.between(sets, sets) - sets.level)[0, 0]))
    half = halves(alike, alike.spread, BAR, float(1 / alike.spread[0] ** 2))

    assert min(bars) / 1.5 < 2 * float(half[0] - alike.level[0] / 2) <= min(bars)


@given(seed=st.integers(0, 10_000), count=st.integers(2, 60), merges=st.integers(0, 58))
def test_sets_that_are_not_near_are_below_the_bar(seed: int, count: int, merges: int) -> None:
    sets, rng = some_sets(seed, count, longest=0.5), np.random.default_rng(seed)
    links, left = linked(sets), list(range(count))
    for _ in range(min(merges, count - 1)):
        kept, gone = sorted(rng.choice(left, 2, replace=False).tolist())
        both = np.array([kept, gone])
        sizes = sets.voices.size[both]
        sets.write(kept, BAR.united(sets.take(both), np.array([0, 0])))
        links.unite(kept, gone, sizes)
        left.remove(gone)
    margins = BAR.margins(sets, sets)
    far = [(row, np.setdiff1d(left, links.near(row))) for row in left]

    assert all(np.all(margins[row, others] < 0) for row, others in far)


def test_voices_far_apart_are_not_linked() -> None:
    directions = np.repeat(np.eye(8, dtype=np.float32), 3, axis=0)
    voices = Voices(directions, np.ones(24, np.int64), np.full(24, 0.1, np.float32), np.zeros(24, np.float32))
    links = linked(sets_at(voices, 0.15, BAR))

    assert [links.near(row).tolist() for row in (0, 23)] == [[0, 1, 2], [21, 22, 23]]


def test_a_set_less_alike_to_itself_than_expected_is_near_to_all() -> None:
    directions = np.repeat(np.eye(8, dtype=np.float32), 3, axis=0)
    voices = Voices(directions, np.ones(24, np.int64), np.full(24, 0.1, np.float32), np.zeros(24, np.float32))
    sets = sets_at(voices, 0.15, BAR)
    links = linked(sets)
    sets.write(0, BAR.united(sets.take(np.array([0, 5])), np.array([0, 0])))
    links.unite(0, 5, np.ones(2, dtype=np.int64))

    assert links.near(0).tolist() == list(range(24))
    assert links.near(23).tolist() == [0, 21, 22, 23]
