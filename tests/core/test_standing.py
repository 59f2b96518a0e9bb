"""An operation that was taken back counts no longer, unless what took it back was taken back too."""

import pytest

from registry.core.standing import still_counting, undone_by


@pytest.mark.parametrize(
    ("undos", "gone"),
    [
        ({}, {}),
        ({5: 2}, {2: 5}),
        ({5: 2, 6: 3}, {2: 5, 3: 6}),
        ({5: 2, 6: 5}, {5: 6}),
        ({5: 2, 6: 5, 7: 6}, {6: 7, 2: 5}),
    ],
)
def test_an_undo_that_is_undone_takes_nothing_back(undos: dict[int, int], gone: dict[int, int]) -> None:
    assert undone_by(undos) == gone


@pytest.mark.parametrize(
    ("after", "undos", "counting"),
    [
        (2, {}, {3, 4, 5}),
        (5, {}, set()),
        (2, {5: 3}, {4}),  # what came later and was taken back, and what took it back
        (2, {5: 2}, {3, 4, 5}),  # what takes an earlier one back makes a difference
        (2, {5: 1}, {3, 4, 5}),
        (0, {4: 2, 5: 4}, {1, 2, 3}),
    ],
)
def test_what_was_done_and_taken_back_later_makes_no_difference(
    after: int, undos: dict[int, int], counting: set[int]
) -> None:
    assert still_counting(range(1, 6), after, undos) == counting
