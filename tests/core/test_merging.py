"""Of two speakers that are one voice the lower number lives on, and the other leads to it."""

import pytest

from registry.core.merging import Holding, heir, unite


def holding(number: int, speaker_id: int, broadcaster: str = "andaiafm", *, is_alias: bool = False) -> Holding:
    return Holding(broadcaster, "F", number, speaker_id, is_alias)


@pytest.mark.parametrize(
    ("one", "other", "lives_on"),
    [
        ([holding(3, 1)], [holding(2, 9)], 9),
        ([holding(2, 9)], [holding(3, 1)], 9),
        ([holding(3, 1), holding(1, 1, "novafm")], [holding(2, 9), holding(2, 9, "novafm")], 9),  # at the first of both
        ([holding(1, 9), holding(5, 9, "novafm")], [holding(7, 1, "novafm")], 9),  # only the second is one of both
        ([holding(1, 9)], [holding(2, 4, "novafm")], 4),  # of no station both: the older
        ([holding(5, 4), holding(1, 4, is_alias=True)], [holding(2, 9)], 9),  # a retired number is none
    ],
)
def test_the_lower_number_at_the_first_station_of_both_lives_on(
    one: list[Holding], other: list[Holding], lives_on: int
) -> None:
    assert heir(one, other) == lives_on


def test_at_each_station_the_lowest_number_is_kept_and_all_others_lead_to_it() -> None:
    united = unite([holding(3, 1), holding(5, 9, "novafm"), holding(2, 9), holding(4, 1, "novafm")], 9)

    assert united == [
        holding(2, 9),
        holding(3, 9, is_alias=True),
        holding(4, 9, "novafm"),
        holding(5, 9, "novafm", is_alias=True),
    ]


def test_a_retired_number_stays_retired_however_low_it_is() -> None:
    united = unite([holding(1, 4, is_alias=True), holding(3, 4), holding(5, 9)], 4)

    assert united == [holding(1, 4, is_alias=True), holding(3, 4), holding(5, 4, is_alias=True)]
