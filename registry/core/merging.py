"""Who keeps which number when two speakers turn out to be one voice."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby


@dataclass(frozen=True, order=True)
class Holding:
    """A number at a broadcaster and the speaker it leads to."""

    broadcaster: str
    gender: str
    number: int
    speaker_id: int
    is_alias: bool = False


def heir(one: Iterable[Holding], other: Iterable[Holding]) -> int:
    """Choose which of two speakers lives on: the one with the lower number, at the first broadcaster of both.

    Speakers that share no broadcaster are told apart by their keys, the older one lives on.
    """
    main = [holding for holding in (*one, *other) if not holding.is_alias]
    for _, here in groupby(sorted(main), key=lambda holding: holding.broadcaster):
        rivals = list(here)
        if len(rivals) > 1:
            return rivals[0].speaker_id
    return min(holding.speaker_id for holding in main)


def unite(holdings: Iterable[Holding], heir_id: int) -> list[Holding]:
    """Let all numbers of two speakers lead to the heir: at each broadcaster the lowest, the others as its aliases.

    Returns:
        Every holding as it will be, in order.
    """
    united: list[Holding] = []
    for _, here in groupby(sorted(holdings), key=lambda holding: holding.broadcaster):
        ranked = sorted(here, key=lambda holding: (holding.is_alias, holding.number))
        united += [replace(holding, speaker_id=heir_id, is_alias=rank > 0) for rank, holding in enumerate(ranked)]
    return sorted(united)
