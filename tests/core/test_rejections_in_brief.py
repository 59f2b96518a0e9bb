"""A night that is gone is told in a few lines."""

import pytest

from registry.core.records import Rejected
from registry.core.rejections_in_brief import MOST_LETTERS, Alike, by_cause, shortened


def rejected(reason: str, *names: int) -> list[Rejected]:
    return [Rejected(str(name), reason, "gone") for name in names]


@pytest.mark.parametrize(("count", "shown", "more"), [(1, 1, 0), (5, 5, 0), (6, 3, 3), (210, 3, 207)])
def test_a_few_of_each_cause_are_shown(count: int, shown: int, more: int) -> None:
    assert by_cause(rejected("lost", *range(count))) == [Alike("lost", rejected("lost", *range(shown)), more)]


def test_causes_come_in_order_of_their_first() -> None:
    mixed = [*rejected("b", 1), *rejected("a", 2), *rejected("b", 3)]

    assert by_cause(mixed) == [Alike("b", rejected("b", 1, 3), 0), Alike("a", rejected("a", 2), 0)]


def test_of_a_name_made_to_flood_the_reader_the_middle_is_left_out() -> None:
    (alike,) = by_cause([Rejected("a" * 4000 + "z", "lost", "b" * 4000)])
    (shown,) = alike.shown

    assert max(len(shown.path), len(shown.message)) < 1_010
    assert (shown.path[0], shown.path[-1]) == ("a", "z")


def test_as_much_is_left_before_what_is_left_out_as_behind_it() -> None:
    assert shortened("a" * MOST_LETTERS) == "a" * MOST_LETTERS
    assert shortened("a" * MOST_LETTERS + "z") == "a" * 500 + " ... " + "a" * 499 + "z"
