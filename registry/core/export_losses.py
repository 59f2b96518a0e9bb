"""What becomes of files that an export takes out of the exported tree, and when a person has to agree first."""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from registry.core.export_plan import folder_of, is_sound, stem

SMALL_TREE_CLIPS = 100  # up to this size a tenth of a tree is only a few clips, which may go without a question
MOST_UNEXPLAINED = 0.1  # share of a larger tree's clips that may go unexplained without a question


class Held(NamedTuple):
    """A file of the exported tree whose place or content changes."""

    path: str  # where the file is, was or will be, below the top of the tree
    sha256: str  # of its bytes, hex


class Fate(StrEnum):
    """What the registry knows of a file's bytes that leave the tree."""

    ELSEWHERE = "elsewhere"  # there is another copy of the bytes
    SAME_SOUND = "same-sound"  # a clip of the registry has the same recording in a file with other bytes
    FORGOTTEN = "forgotten"  # the file is of a person who was forgotten: no copy may be kept
    LAST = "last"  # the registry knows the bytes, and there is no other copy
    UNKNOWN = "unknown"  # the registry does not know the bytes, so there may be no other copy


KEPT = frozenset({Fate.LAST, Fate.UNKNOWN})  # fates of files that are set aside instead of deleted


def with_mates(fates: Mapping[Held, Fate]) -> dict[Held, Fate]:
    """Give a transcript the fate of its audio file, where the audio file is set aside or forgotten.

    A transcript whose bytes the registry knows keeps its own fate where its audio file is forgotten.

    Args:
        fates: The fate of each file by itself.
    """
    sounds = {stem(held.path): fate for held, fate in fates.items() if is_sound(held.path)}
    return {
        held: fate if is_sound(held.path) else _of_text(fate, sounds.get(stem(held.path)))
        for held, fate in fates.items()
    }


def _of_text(fate: Fate, sound: Fate | None) -> Fate:
    """Give the fate of a transcript, from its own fate and the fate of its audio file, if the audio file leaves too."""
    if sound is not None and (sound in KEPT or (sound is Fate.FORGOTTEN and fate is Fate.UNKNOWN)):
        return sound
    return fate


def count_unexplained(fates: Mapping[Held, Fate]) -> int:
    """Count the clips that leave the tree although no operation of the journal took them out.

    These are the clips whose bytes the registry does not know. Clips that it knows, or has forgotten, leave the tree by
    an operation.
    """
    return sum(fate is Fate.UNKNOWN and is_sound(held.path) for held, fate in fates.items())


def needs_agreement(unexplained: int, all_clips: int) -> bool:
    """Tell whether a person must agree before clips leave a tree: more than stay in it, or many of a large tree.

    Args:
        unexplained: How many clips leave the tree although no operation took them out.
        all_clips: How many clips are in the tree before.
    """
    is_most = unexplained > all_clips - unexplained
    return is_most or (all_clips > SMALL_TREE_CLIPS and unexplained > MOST_UNEXPLAINED * all_clips)


def pair_moves(wanted: Iterable[Held], vacated: Iterable[Held]) -> dict[str, str]:
    """Find files that can be moved to where a file of the same content is wanted. Each file is moved once.

    A file is moved only within a broadcaster's night, because files of another night have other modification times. A
    file that is wanted at its own path is not moved.

    Args:
        wanted: The files to be written.
        vacated: The files that lose their place.

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
    """List the files that lose their place and whose bytes will be nowhere in the tree.

    Args:
        vacated: The files that lose their place.
        staying: Hashes (SHA-256, hex) of all files that the tree will hold.
    """
    return [held for held in vacated if held.sha256 not in staying]
