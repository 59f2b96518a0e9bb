"""Sets join by the greatest margin, but never what must stay apart."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.core.linking.joining import Constraints, Joined, Merge, join
from registry.core.linking.likeness import Sets, probability
from registry.core.linking.voices import Voices
from registry.core.records import Floats, Integers
from registry.core.vectors import unit
from tests.core.given import bar_of, clips_of, sets_at

BAR = bar_of(voices=20)


def line(*degrees: float) -> Sets:
    """Clips of a minute, as directions in a plane."""
    angles = np.radians(degrees)
    return clips(np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32))


def clips(units: Floats, level: float = 0.15) -> Sets:
    return sets_at(clips_of(units, seconds=60), level, BAR)


def cloud(seed: int, count: int, voices: int = 8, spread: float = 0.7, dimension: int = 32) -> Floats:
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((voices, dimension))
    noise = spread * rng.standard_normal((count, dimension))
    return unit((centres[rng.integers(voices, size=count)] + noise).astype(np.float32))


def root(sets: Sets, **constraints: object) -> list[int]:
    return [int(row) for row in join(sets, BAR, Constraints(**constraints)).root]  # type: ignore[arg-type]


def sets_of(labels: Integers) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)}


def mixed(seed: int, count: int, spread: float) -> Sets:
    """Sets of one clip or many, close together or not, of short clips or long ones, at many levels, some stretched."""
    rng = np.random.default_rng(seed)
    size = np.where(rng.random(count) < 0.6, 1, rng.integers(2, 50, size=count))
    length = np.where(size > 1, rng.uniform(0.3, 1, count), 1)[:, None]
    mean = (cloud(seed, count, spread=spread) * length).astype(np.float32)
    inverse_s = np.exp(rng.uniform(-4, 3, count)).astype(np.float32)
    voices = Voices(mean, size, inverse_s, np.zeros(count, np.float32))
    levels, stretch = rng.uniform(0, 0.5, count), rng.uniform(0.9, 1.4, count)
    return sets_at(voices, levels.astype(np.float32), BAR, stretch.astype(np.float32))


def chain(seed: int, count: int) -> Sets:
    """Each clip is like the next, the first and the last are not."""
    degrees = np.cumsum(np.random.default_rng(seed).uniform(1, 30, count))
    return line(*degrees[degrees < 180])


def all_pairs(sets: Sets, constraints: Constraints | None = None) -> list[Merge]:
    """Join by looking at all pairs each time."""
    rules = constraints or Constraints()
    labels, merges = np.arange(len(sets)), list[Merge]()
    while True:
        names, dense = np.unique(labels, return_inverse=True)
        now = BAR.united(sets, dense)
        margins = np.where(forbidden(dense, rules), -np.inf, BAR.margins(now, now))
        if margins.max(initial=-np.inf) < 0:
            return merges
        one, other = sorted(np.unravel_index(margins.argmax(), margins.shape))
        labels[labels == names[other]] = names[one]
        odds = BAR.log_odds(now.take(np.array([one])), now.take(np.array([other])))
        merges.append(Merge(int(names[one]), int(names[other]), float(probability(odds)[0, 0])))


def forbidden(dense: Integers, rules: Constraints) -> np.ndarray:
    """Tell which sets (k, k) may not be joined, from the set of each row."""
    count = int(dense.max(initial=-1)) + 1
    may_not = np.eye(count, dtype=bool)
    for one, other in rules.apart:
        may_not[dense[one], dense[other]] = may_not[dense[other], dense[one]] = True
    rows = np.arange(len(dense))
    stored, confirmed = (
        np.isin(range(count), dense[: rules.stored]),
        np.isin(range(count), dense[list(rules.confirmed)]),
    )
    asleep = ~np.isin(range(count), dense[~np.isin(rows, list(rules.asleep))])
    return may_not | np.outer(asleep, asleep) | np.outer(stored, confirmed) | np.outer(confirmed, stored)


def assert_equals_all_pairs(sets: Sets, constraints: Constraints | None = None) -> None:
    assert_same(join(sets, BAR, constraints).merges, all_pairs(sets, constraints))


def assert_same(merges: Sequence[Merge], expected: Sequence[Merge]) -> None:
    """Compare merges, of which those as good as equal but for rounding may trade places."""
    merges, expected = (sorted(some, key=lambda merge: (merge.kept, merge.gone)) for some in (merges, expected))

    assert [(merge.kept, merge.gone) for merge in merges] == [(merge.kept, merge.gone) for merge in expected]
    np.testing.assert_allclose([m.probability for m in merges], [m.probability for m in expected], atol=1e-3)


def test_near_clips_join_and_far_ones_do_not() -> None:
    assert root(line(0, 90, 5, 95)) == [0, 1, 0, 1]


def test_nothing_joins_nothing() -> None:
    assert root(line()) == []


def test_merges_are_told_in_order_with_falling_rows() -> None:
    joined = join(line(0, 90, 5, 7), BAR)

    assert [(merge.kept, merge.gone) for merge in joined.merges] == [(2, 3), (0, 2)]
    assert all(merge.probability >= 0.5 for merge in joined.merges)


def test_rows_apart_stay_apart() -> None:
    assert root(line(0, 5), apart=[(1, 0)]) == [0, 1]


def test_a_third_does_not_bring_together_what_is_apart() -> None:
    """Row 2 is nearest to row 0; then row 1, which is not row 0's voice, must stay out."""
    assert root(line(0, 8, 3), apart=[(0, 1)]) == [0, 1, 0]


def test_two_pairs_apart_through_their_members_stay_apart() -> None:
    assert root(line(0, 1, 5, 6), apart=[(1, 3)]) == [0, 0, 2, 2]


def test_a_confirmed_speaker_is_joined_by_tonight_but_by_no_stored_speaker() -> None:
    assert root(line(0, 2, 1), stored=2, confirmed=[0]) in ([0, 1, 0], [0, 1, 1])
    assert root(line(0, 2), stored=1, confirmed=[0]) == [0, 0]


def test_stored_speakers_asleep_join_only_through_tonight() -> None:
    assert root(line(0, 2), stored=2, asleep=[0, 1]) == [0, 1]
    assert root(line(0, 2, 1), stored=2, asleep=[0, 1]) == [0, 0, 0]


@given(seed=st.integers(0, 10_000), count=st.integers(1, 70), spread=st.floats(0.1, 1.4))
@settings(max_examples=60)
def test_equals_looking_at_all_pairs_each_time(seed: int, count: int, spread: float) -> None:
    assert_equals_all_pairs(clips(cloud(seed, count, spread=spread)))


@given(seed=st.integers(0, 10_000), count=st.integers(1, 70), spread=st.floats(0.1, 1.4))
@settings(max_examples=60)
def test_so_it_does_with_sets_of_all_kinds(seed: int, count: int, spread: float) -> None:
    assert_equals_all_pairs(mixed(seed, count, spread))


@given(seed=st.integers(0, 10_000), count=st.integers(1, 70))
@settings(max_examples=30)
def test_so_it_does_along_a_chain(seed: int, count: int) -> None:
    assert_equals_all_pairs(chain(seed, count))


@given(seed=st.integers(0, 10_000), count=st.integers(4, 60), spread=st.floats(0.1, 1.4))
@settings(max_examples=60)
def test_so_it_does_where_some_may_not_join(seed: int, count: int, spread: float) -> None:
    rng = np.random.default_rng(seed)
    apart = [tuple(rng.choice(count, 2, replace=False).tolist()) for _ in range(count // 4)]
    stored = count // 2
    asleep, confirmed = (np.flatnonzero(rng.random(stored) < 0.5).tolist() for _ in range(2))

    assert_equals_all_pairs(mixed(seed, count, spread), Constraints(stored, asleep, apart, confirmed[:3]))


@given(seed=st.integers(0, 10_000), count=st.integers(1, 20), copies=st.integers(2, 4))
@settings(max_examples=30)
def test_equal_clips_end_up_where_they_do_when_all_pairs_are_looked_at(seed: int, count: int, copies: int) -> None:
    """Of equal margins any may come first."""
    sets = clips(np.repeat(cloud(seed, count, spread=0.4), copies, axis=0))
    joined = join(sets, BAR)

    assert sets_of(joined.root) == sets_of(Joined.of(len(sets), all_pairs(sets)).root)


def test_a_large_night_finds_the_same_voices_in_any_order() -> None:
    units = cloud(3, 1500, voices=200, spread=0.4, dimension=64)
    order = np.random.default_rng(4).permutation(1500)

    labels, shuffled = join(clips(units), BAR).root, join(clips(units[order]), BAR).root

    assert sets_of(labels) == {frozenset(order[list(rows)].tolist()) for rows in sets_of(shuffled)}
    assert len(sets_of(labels)) == 200


@given(seed=st.integers(0, 10_000), count=st.integers(2, 60))
@settings(max_examples=60)
def test_constraints_hold_for_whole_sets(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    apart = [tuple(rng.choice(count, 2, replace=False).tolist()) for _ in range(count)]
    stored, confirmed = count // 2, list(range(0, count // 2, 3))

    labels = join(clips(cloud(seed, count)), BAR, Constraints(stored=stored, apart=apart, confirmed=confirmed)).root

    assert all(labels[one] != labels[other] for one, other in apart)
    assert all((labels[:stored] == labels[row]).sum() == 1 for row in confirmed)


def test_whole_sets_are_joined_as_another_joins_them() -> None:
    """With the steps that led there, of the others' sets too."""
    one, other = Merge(0, 1, 0.9), Merge(2, 3, 0.8)
    joined = Joined.of(4, [one, other]).replaced(Joined.of(4, [Merge(2, 3, 0.7)]), np.array([2, 3]))

    assert joined.root.tolist() == [0, 0, 2, 2]
    assert joined.merges == (one, Merge(2, 3, 0.7))
