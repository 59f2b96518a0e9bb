"""Giving numbers to speakers at a broadcaster, in the order in which they are first heard there."""

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


def give_numbers(heard: Iterable[Key], held: Mapping[Key, int], last_number: int) -> dict[Key, int]:
    """Number the speakers that have no number yet.

    Args:
        heard: Speakers in the order in which they are first heard; a speaker may come more than once.
        held: Speaker -> the number already given, which stays.
        last_number: The highest number ever given at the broadcaster, also to speakers that are gone.

    Returns:
        Speaker -> new number, for the speakers that had none.
    """
    without = [speaker for speaker in dict.fromkeys(heard) if speaker not in held]
    return {speaker: last_number + position for position, speaker in enumerate(without, start=1)}
