"""What becomes of files that the tree holds no longer, and when a person has to agree."""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from registry.core.export_plan import folder_of, is_sound, stem

SMALL_TREE_CLIPS = 100  # of fewer, a tenth is a few clips, which may go without a question
MOST_UNEXPLAINED = 0.1  # share of a larger tree


class Held(NamedTuple):
    """A file of the tree whose place or content changes."""

    path: str  # where it is or was, below the top of the tree
    sha256: str  # hex


class Fate(StrEnum):
    """What the registry knows of bytes that leave the tree."""

    ELSEWHERE = "elsewhere"  # there is another copy
    SAME_SOUND = "same-sound"  # a clip that is there has the sound in another file
    FORGOTTEN = "forgotten"  # a person was forgotten: it must be nowhere
    LAST = "last"  # the registry knows them, and there is no other copy
    UNKNOWN = "unknown"  # the registry knows nothing of them, so there may be no other copy


KEPT = frozenset({Fate.LAST, Fate.UNKNOWN})


def with_mates(fates: Mapping[Held, Fate]) -> dict[Held, Fate]:
    """Let a transcript go the way of its sound: forgotten with it, and beside it where the sound is set aside."""
    sounds = {stem(held.path): fate for held, fate in fates.items() if is_sound(held.path)}
    return {
        held: fate if is_sound(held.path) else _of_text(fate, sounds.get(stem(held.path)))
        for held, fate in fates.items()
    }


def _of_text(fate: Fate, sound: Fate | None) -> Fate:
    if sound in KEPT or (sound is Fate.FORGOTTEN and fate is Fate.UNKNOWN):
        return sound if sound is not None else fate
    return fate


def count_unexplained(fates: Mapping[Held, Fate]) -> int:
    """Count the clips that leave the tree though no operation of the journal took them out.

    What the registry knows and has no place for was taken out by an operation; what was forgotten, too.
    """
    return sum(fate is Fate.UNKNOWN and is_sound(held.path) for held, fate in fates.items())


def needs_agreement(unexplained: int, all_clips: int) -> bool:
    """Tell whether so many clips may leave a tree only if a person agrees: more than stay, or many of a large one."""
    is_most = unexplained > all_clips - unexplained
    return is_most or (all_clips > SMALL_TREE_CLIPS and unexplained > MOST_UNEXPLAINED * all_clips)


def pair_moves(wanted: Iterable[Held], vacated: Iterable[Held]) -> dict[str, str]:
    """Find for what is to be written a file of equal content that loses its place, each taken once.

    Only within a night: another one has other modification times. What is wrong in its own place moves nowhere.

    Returns:
        New path -> old path.
    """
    places: dict[tuple[str, str], list[str]] = {}
    wanted = list(wanted)
    for held in sorted(set(vacated).difference(wanted), reverse=True):
        places.setdefault((folder_of(held.path), held.sha256), []).append(held.path)
    moves = {}
    for new in wanted:
        if old := places.get((folder_of(new.path), new.sha256)):
            moves[new.path] = old.pop()
    return moves


def leaving(vacated: Collection[Held], staying: Collection[str]) -> list[Held]:
    """List what loses its place and whose bytes (SHA-256, hex) the tree is to hold nowhere."""
    return [held for held in vacated if held.sha256 not in staying]
