"""Numbers of speakers at a broadcaster: the next free one, in the order in which voices are first heard."""

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


def give_numbers(heard: Iterable[Key], held: Mapping[Key, int], last_number: int) -> dict[Key, int]:
    """Number the speakers that have no number yet.

    Args:
        heard: Speakers in the order in which they are first heard; repetitions are fine.
        held: Numbers already given, which stay.
        last_number: The highest number ever given here, also to speakers that are gone.

    Returns:
        The new numbers only.
    """
    without = [speaker for speaker in dict.fromkeys(heard) if speaker not in held]
    return {speaker: last_number + position for position, speaker in enumerate(without, start=1)}
