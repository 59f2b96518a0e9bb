"""What leaves a tree goes only if that is right, and much of it only if a person agrees."""

import pytest

from registry.core.export_losses import Fate, Held, count_unexplained, leaving, needs_agreement, pair_moves, with_mates

A, B = "n20201105/n20201105-F0001/n20201105F0001_000000", "n20201105/n20201105-F0001/n20201105F0001_000001"


@pytest.mark.parametrize(
    ("unexplained", "all_clips", "is_needed"),
    [(0, 0, False), (1, 1, True), (1, 2, False), (2, 3, True), (11, 100, False), (11, 110, False), (12, 110, True)],
)
def test_more_than_stays_or_a_tenth_of_a_large_tree_needs_agreement(
    unexplained: int, all_clips: int, is_needed: bool
) -> None:
    assert needs_agreement(unexplained, all_clips) == is_needed


def test_only_sounds_that_the_registry_does_not_know_are_unexplained() -> None:
    fates = {Held(f"{number}.wav", ""): fate for number, fate in enumerate(Fate)} | {Held("x.txt", ""): Fate.UNKNOWN}

    assert count_unexplained(fates) == 1


@pytest.mark.parametrize(
    ("sound", "text", "is_then"),
    [
        (Fate.LAST, Fate.ELSEWHERE, Fate.LAST),
        (Fate.UNKNOWN, Fate.ELSEWHERE, Fate.UNKNOWN),
        (Fate.FORGOTTEN, Fate.UNKNOWN, Fate.FORGOTTEN),
        (Fate.FORGOTTEN, Fate.ELSEWHERE, Fate.ELSEWHERE),
        (Fate.ELSEWHERE, Fate.LAST, Fate.LAST),
        (Fate.FORGOTTEN, Fate.LAST, Fate.LAST),
    ],
)
def test_a_transcript_goes_the_way_of_its_sound(sound: Fate, text: Fate, is_then: Fate) -> None:
    wav, txt, other = Held(f"{A}.flac", "a"), Held(f"{A}.txt", "b"), Held(f"{B}.txt", "b")

    assert with_mates({wav: sound, txt: text, other: text}) == {wav: sound, txt: is_then, other: text}


def test_what_moves_is_taken_once_and_only_from_another_place_of_its_night() -> None:
    wanted = [Held("n1/a", "x"), Held("n1/b", "x"), Held("n1/c", "x"), Held("n2/a", "x"), Held("n1/d", "y")]
    vacated = [Held("n1/q", "x"), Held("n1/p", "x"), Held("n1/d", "y"), Held("n1/z", "z")]

    assert pair_moves(wanted, vacated) == {"n1/a": "n1/p", "n1/b": "n1/q"}


def test_what_the_tree_holds_elsewhere_does_not_leave() -> None:
    assert leaving([Held("a", "x"), Held("b", "y")], {"x"}) == [Held("b", "y")]
