"""The tree is a function of the registry's state."""

import datetime as dt
import random

import pytest

from registry.core.export_plan import (
    NumberedClip,
    PlannedFile,
    Source,
    folder_of,
    one_place,
    plan_changes,
    plan_tree,
    stem,
)
from registry.core.records import Group

NIGHT = Group(dt.date(2020, 11, 5), "andaiafm", "F")
NEXT = Group(dt.date(2020, 11, 6), "andaiafm", "F")


def source(name: str) -> Source:
    return Source(f"/in/{name}", 1, 1, "00")


def clip(group: Group, number: int, name: str) -> NumberedClip:
    return NumberedClip(group, number, name, source(f"{name}.wav"), source(f"{name}.txt"))


def file(path: str) -> PlannedFile:
    return PlannedFile(path, NIGHT, source(path))


def test_files_count_through_the_group_by_number_then_name() -> None:
    planned = plan_tree([clip(NIGHT, 2, "a"), clip(NIGHT, 1, "c"), clip(NIGHT, 1, "b")])

    assert [(file.path, file.source.path) for file in planned if file.path.endswith("wav")] == [
        ("andaiafm20201105/andaiafm20201105-F0001/andaiafm20201105F0001_000000.wav", "/in/b.wav"),
        ("andaiafm20201105/andaiafm20201105-F0001/andaiafm20201105F0001_000001.wav", "/in/c.wav"),
        ("andaiafm20201105/andaiafm20201105-F0002/andaiafm20201105F0002_000002.wav", "/in/a.wav"),
    ]


def test_every_group_counts_from_zero() -> None:
    planned = plan_tree([clip(NIGHT, 1, "a"), clip(NEXT, 1, "b")])

    assert [file.path[-10:] for file in planned] == ["000000.wav", "000000.txt"] * 2


def test_numbers_beyond_four_digits_keep_all_of_them() -> None:
    assert "F12345_000000" in plan_tree([clip(NIGHT, 12_345, "a")])[0].path


def test_order_of_rows_does_not_matter() -> None:
    clips = [clip(group, number, name) for group in (NIGHT, NEXT) for number in (1, 2) for name in "abc"]
    shuffled = random.Random(1).sample(clips, len(clips))

    assert plan_tree(shuffled) == plan_tree(clips)


def test_only_what_differs_is_written() -> None:
    changes = plan_changes(
        [file("right"), file("wrong"), file("new")], ["right", "wrong"], {"right": True, "wrong": False}
    )

    assert [file.path for file in changes.write] == ["wrong", "new"]
    assert [file.path for file in changes.unchanged] == ["right"]


def test_only_what_was_written_is_removed() -> None:
    changes = plan_changes([], ["ours", "ours but gone"], {"ours": False, "not ours": False})

    assert changes.remove == ("ours",)


def test_a_file_of_somebody_else_is_never_overwritten() -> None:
    changes = plan_changes([file("theirs")], [], {"theirs": True})

    assert [file.path for file in changes.foreign] == ["theirs"]
    assert changes.write == ()


@pytest.mark.parametrize(
    ("path", "suffix"),
    [
        ("/in/a.FLAC", ".flac"),
        ("/in/a.ogg", ".ogg"),
        ("/in/a.opus", ".opus"),
        ("s3://b/a.mp3", ".mp3"),
        ("/a.x/b", ".wav"),
    ],
)
def test_sound_keeps_the_suffix_of_its_source(path: str, suffix: str) -> None:
    wav = Source(path, 1, 1, "00")
    planned = plan_tree([NumberedClip(NIGHT, 1, "a", wav, source("a.txt"))])

    assert [file.path.rpartition("_000000")[2] for file in planned] == [suffix, ".txt"]


@pytest.mark.parametrize(
    ("wanted", "written", "owners"),
    [
        (["a1", "b1"], [], {}),
        (["A1", "a1"], [], {"a1": "A1"}),
        (["A1", "a1"], ["a1"], {"A1": "a1"}),
        (["a1"], ["A1"], {"A1": "a1"}),  # the station is written otherwise now
        (["R\u00e1dio1", "ra\u0301dio1"], [], {"ra\u0301dio1": "R\u00e1dio1"}),
    ],
)
def test_folders_of_one_place_have_one_owner(wanted: list[str], written: list[str], owners: dict[str, str]) -> None:
    assert one_place(wanted, written) == owners


def test_a_file_of_ours_that_is_gone_is_written_again() -> None:
    changes = plan_changes([file("gone")], ["gone"], {})

    assert [file.path for file in changes.write] == ["gone"]
    assert changes.unchanged == ()


def test_both_files_of_a_clip_are_of_its_group_and_come_from_where_they_lie() -> None:
    planned = plan_tree([clip(NIGHT, 1, "a")])

    assert [(file.group, file.source) for file in planned] == [(NIGHT, source("a.wav")), (NIGHT, source("a.txt"))]


@pytest.mark.parametrize(
    ("path", "suffix"),
    [("/a.mp3", "mp3"), ("/in/a..MP3", "mp3"), ("/in/a.flac", "flac"), ("/in/a.aiff", "wav"), ("/in/wav", "wav")],
)
def test_sound_keeps_the_suffix_of_its_source_if_it_is_one_of_sound(path: str, suffix: str) -> None:
    sound, _ = plan_tree([clip(NIGHT, 1, "a")._replace(wav=source("a")._replace(path=path))])

    assert sound.path.endswith(f"_000000.{suffix}")


def test_the_name_of_a_station_may_hold_dots() -> None:
    path = "a.fm20201105/a.fm20201105-F0001/a.fm20201105F0001_000000.wav"

    assert stem(path) == path.removesuffix(".wav")
    assert folder_of(path) == "a.fm20201105"
