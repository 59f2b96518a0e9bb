"""Which numbers lead to whom when two speakers are merged."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby


@dataclass(frozen=True, order=True)
class Holding:
    """A number at a broadcaster and the speaker that it leads to."""

    broadcaster: str
    gender: str
    number: int
    speaker_id: int
    is_alias: bool = False  # whether the number is retired: it leads to the speaker, but names no folder


def heir(one: Iterable[Holding], other: Iterable[Holding]) -> int:
    """Choose which of two speakers stays when they are merged, and give its key.

    The speaker with the lower number stays. If both have numbers at several broadcasters, their numbers at the
    broadcaster that comes first in the alphabet are compared. If they share no broadcaster, the speaker with the lower
    key stays, which is the older speaker.

    Args:
        one: The numbers of one speaker.
        other: The numbers of the other speaker.
    """
    main = [holding for holding in (*one, *other) if not holding.is_alias]
    for _, here in groupby(sorted(main), key=lambda holding: holding.broadcaster):
        rivals = list(here)
        if len(rivals) > 1:
            return rivals[0].speaker_id
    return min(holding.speaker_id for holding in main)


def unite(holdings: Iterable[Holding], heir_id: int) -> list[Holding]:
    """Let all numbers of two speakers lead to the one that stays.

    At each broadcaster the lowest number that is no alias stays its number, and all others become aliases.

    Args:
        holdings: All numbers of both speakers.
        heir_id: The key of the speaker that stays.

    Returns:
        All numbers as they will be, in order.
    """
    united: list[Holding] = []
    for _, here in groupby(sorted(holdings), key=lambda holding: holding.broadcaster):
        ranked = sorted(here, key=lambda holding: (holding.is_alias, holding.number))
        united += [replace(holding, speaker_id=heir_id, is_alias=rank > 0) for rank, holding in enumerate(ranked)]
    return sorted(united)
