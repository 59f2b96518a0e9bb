"""What lies in a folder becomes groups of pairs; what cannot be one is named and stands in nobody's way."""

import datetime as dt
import os
from pathlib import Path

import pytest

from registry.core.records import Group
from registry.errors import InputMissing
from registry.input.scan import Scan, scan
from tests.fix_places import open_to_all

GROUP = "andaiafm_F20201105"
NIGHT = dt.date(2020, 11, 5)
NOBODY, SOMEBODY = 65534, 65533
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make what belongs to others")
NOT_ROOT = pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")


def lay(folder: Path, *names: str) -> Path:
    """Make files, and folders where a name ends in a slash."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).mkdir() if name.endswith("/") else (folder / name).write_bytes(b"x")
    return folder


def named(found: Scan, folder: Path) -> list[tuple[str, str]]:
    return [(os.path.relpath(rejected.path, folder), rejected.reason) for rejected in found.all_rejected()]


def pairs(found: Scan) -> dict[str, list[str]]:
    return {str(group): list(content.pairs) for group, content in found.groups.items()}


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("andaiafm_F20201105", Group(NIGHT, "andaiafm", "F")),
        ("andaiafm_M20201105", Group(NIGHT, "andaiafm", "M")),
        ("andaiafm_f20201105", Group(NIGHT, "andaiafm", "F")),
        ("andaiafm_m20201105", Group(NIGHT, "andaiafm", "M")),
        ("radio_F_M20201105", Group(NIGHT, "radio_F", "M")),
        ("rádio 'um'\n\"dois\"_F20201105", Group(NIGHT, "rádio 'um'\n\"dois\"", "F")),
        ("fm 98.5%_F20240229", Group(dt.date(2024, 2, 29), "fm 98.5%", "F")),
        (f"{'x' * 200}_F20201105", Group(NIGHT, "x" * 200, "F")),
    ],
)
def test_a_folder_name_says_broadcaster_gender_and_night(tmp_path: Path, name: str, group: Group) -> None:
    found = scan([lay(tmp_path, f"{name}/")])

    assert list(found.groups) == [group]
    assert found.all_rejected() == []


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("notes/", "bad-group-name"),
        ("andaiafmF20201105/", "bad-group-name"),
        ("andaiafm_F2020110/", "bad-group-name"),
        ("andaiafm_F20201105b/", "bad-group-name"),
        ("_F20201105/", "bad-group-name"),
        (f"{'x' * 201}_F20201105/", "bad-group-name"),
        ("andaiafm_X20201105/", "bad-gender"),
        ("andaiafm_F20201301/", "bad-date"),
        ("andaiafm_F20200230/", "bad-date"),
        ("andaiafm_F00000000/", "bad-date"),
        ("andaiafm_F02020110/", "bad-date"),
        ("andaiafm_F20201106", "unreadable"),
        ("stray.wav", "no-group"),
        ("stray.txt", "no-group"),
    ],
)
def test_what_is_no_group_is_named_and_the_others_are_found(tmp_path: Path, entry: str, reason: str) -> None:
    found = scan([lay(tmp_path, f"{GROUP}/a.wav", f"{GROUP}/a.txt", entry)])

    assert named(found, tmp_path) == [(entry.rstrip("/"), reason)]
    assert pairs(found) == {GROUP: ["a"]}


@pytest.mark.parametrize(
    ("files", "rejected"),
    [
        (["b.wav"], [("b.wav", "no-transcript")]),
        (["b.txt"], [("b.txt", "no-audio")]),
        (["b.wav", "c.txt"], [("b.wav", "no-transcript"), ("c.txt", "no-audio")]),
        (["b.wav/", "b.txt"], [("b.wav", "unreadable")]),
        (["b.wav", "b.txt/"], [("b.txt", "unreadable")]),
        (["b.WAV", "b.wav", "b.txt"], [("b.wav", "duplicate-name")]),
        (["b.flac", "b.wav", "b.txt"], [("b.flac", "duplicate-name")]),
        (["b.mp3"], [("b.mp3", "no-transcript")]),
        (["S\xe3o.wav", "S\xe3o.txt", "Sa\u0303o.wav"], [("S\xe3o.wav", "duplicate-name")]),
        (["more/b.wav", "more/b.txt"], [("more", "folder")]),
    ],
)
def test_half_a_pair_is_named_once(tmp_path: Path, files: list[str], rejected: list[tuple[str, str]]) -> None:
    found = scan([lay(tmp_path / GROUP, "a.wav", "a.txt", *files)])

    assert named(found, tmp_path / GROUP) == rejected
    assert "a" in pairs(found)[GROUP]


@pytest.mark.parametrize("files", [["readme.md"], ["a.wma"], [".b.wav"], ["._a.wav", "._a.txt"], [".cache/b.wav"]])
def test_what_is_not_meant_as_a_clip_is_passed_over(tmp_path: Path, files: list[str]) -> None:
    found = scan([lay(tmp_path / GROUP, "a.wav", "a.txt", *files)])

    assert found.all_rejected() == []
    assert pairs(found) == {GROUP: ["a"]}


@pytest.mark.parametrize(
    "name", ["a b", "it's", 'say "x"', "line\nbreak", "São João", "a.b.c", "-rf", "%s{0}", "é" * 120]
)
def test_a_clip_may_have_any_name(tmp_path: Path, name: str) -> None:
    found = scan([lay(tmp_path / GROUP, f"{name}.wav", f"{name}.txt")])

    assert pairs(found) == {GROUP: [name]}


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "opus", "mp3", "m4a", "FLAC"])
def test_a_clip_is_audio_of_any_kind_beside_its_transcript(tmp_path: Path, suffix: str) -> None:
    found = scan([lay(tmp_path / GROUP, f"a.{suffix}", "a.txt")])

    assert pairs(found) == {GROUP: ["a"]}
    assert found.all_rejected() == []


def test_the_wav_is_the_clip_where_there_is_more_than_one_file(tmp_path: Path) -> None:
    (content,) = scan([lay(tmp_path / GROUP, "a.flac", "a.mp3", "a.wav", "a.txt")]).groups.values()

    assert content.pairs["a"].wav.path == tmp_path / GROUP / "a.wav"
    assert [one.reason for one in content.rejected] == ["duplicate-name", "duplicate-name"]


def test_files_that_are_no_part_of_a_clip_are_counted(tmp_path: Path) -> None:
    found = scan([lay(tmp_path / GROUP, "a.wav", "a.txt", "a.json", "b.JSON", "readme")])

    assert found.groups[Group(NIGHT, "andaiafm", "F")].overlooked == {".json": 2, "without ending": 1}


def test_a_group_of_files_that_nobody_reads_is_named(tmp_path: Path) -> None:
    found = scan([lay(tmp_path / GROUP, "a.wma", "b.wma", "readme")])

    assert named(found, tmp_path) == [(GROUP, "no-clips")]
    assert "(.wma 2, without ending 1)" in found.all_rejected()[0].message


@pytest.mark.parametrize("above", ["2020-11-05", "2020/11/05"])
def test_groups_are_found_in_folders_of_nights(tmp_path: Path, above: str) -> None:
    found = scan([lay(tmp_path, f"{above}/{GROUP}/a.wav", f"{above}/{GROUP}/a.txt", "andaiafm_F20201106/")])

    assert pairs(found) == {GROUP: ["a"], "andaiafm_F20201106": []}
    assert found.all_rejected() == []


@pytest.mark.parametrize(
    ("entry", "rejected"),
    [
        ("1/2/3/4/andaiafm_F20201106/", [("1", "bad-group-name")]),
        ("2020-11-06/notes/", [("2020-11-06", "bad-group-name")]),
        ("2020-11-05/notes/", [("2020-11-05/notes", "bad-group-name")]),
        ("2020-11-05/stray.wav", [("2020-11-05/stray.wav", "no-group")]),
        (f"2020-11-05/{GROUP}/andaiafm_F20201106/", [(f"2020-11-05/{GROUP}/andaiafm_F20201106", "folder")]),
    ],
)
def test_folders_without_groups_are_named_at_the_top(
    tmp_path: Path, entry: str, rejected: list[tuple[str, str]]
) -> None:
    found = scan([lay(tmp_path, f"2020-11-05/{GROUP}/a.wav", f"2020-11-05/{GROUP}/a.txt", entry)])

    assert named(found, tmp_path) == rejected
    assert pairs(found) == {GROUP: ["a"]}


def test_links_among_folders_of_nights_lead_nowhere_twice(tmp_path: Path) -> None:
    lay(tmp_path / "nights" / "2020-11-05" / GROUP, "a.wav", "a.txt")
    (tmp_path / "nights" / "latest").symlink_to("2020-11-05")
    (tmp_path / "nights" / "2020-11-05" / "up").symlink_to("..")

    found = scan([tmp_path / "nights"])

    assert pairs(found) == {GROUP: ["a"]}
    assert found.all_rejected() == []


def foreign_link(link: Path, target: Path, owner: int = NOBODY) -> Path:
    link.symlink_to(target)
    os.lchown(link, owner, -1)
    return link


@ROOT
@pytest.mark.parametrize("name", [GROUP, "more", f"nights/{GROUP}"])
def test_a_link_of_somebody_else_to_a_folder_not_theirs_is_named_and_not_followed(tmp_path: Path, name: str) -> None:
    private = lay(tmp_path / "private" / GROUP, "a.wav", "a.txt")
    indir = lay(tmp_path / "in", "andaiafm_M20201105/", "nights/")
    link = foreign_link(indir / name, private if name.endswith(GROUP) else private.parent)

    found = scan([indir])

    assert pairs(found).get(GROUP) is None
    assert (name, "link") in named(found, indir)
    message = next(one.message for one in found.all_rejected() if one.reason == "link")
    assert f"chown -h 0 {link}" in message


@ROOT
def test_a_link_of_ours_to_a_link_of_somebody_else_is_not_followed(tmp_path: Path) -> None:
    private = lay(tmp_path / "private" / GROUP, "a.wav", "a.txt")
    foreign_link(tmp_path / "store", private.parent)
    indir = lay(tmp_path / "in", "andaiafm_M20201105/")
    (indir / GROUP).symlink_to(f"../store/{GROUP}")

    found = scan([indir])

    assert named(found, indir) == [(GROUP, "link")]


@ROOT
def test_links_of_ours_and_of_the_owner_of_the_folder_are_followed(tmp_path: Path) -> None:
    theirs = lay(tmp_path / "theirs", "a.wav", "a.txt")
    os.chown(theirs, NOBODY, -1)
    indir = lay(tmp_path / "in", "nights/")
    foreign_link(indir / GROUP, theirs)
    (indir / "nights" / "andaiafm_M20201105").symlink_to("../../theirs")

    found = scan([indir])

    assert pairs(found) == {GROUP: ["a"], "andaiafm_M20201105": ["a"]}
    assert found.all_rejected() == []


@ROOT
def test_a_link_that_the_user_names_is_followed_whoever_made_it(tmp_path: Path) -> None:
    private = lay(tmp_path / "private" / GROUP, "a.wav", "a.txt")
    link = foreign_link(tmp_path / "link", private.parent)
    group = foreign_link(tmp_path / "andaiafm_M20201105", private)

    found = scan([link, group])

    assert pairs(found) == {GROUP: ["a"], "andaiafm_M20201105": ["a"]}


@ROOT
def test_an_account_without_rights_of_root_follows_its_own_links_and_those_of_root(tmp_path: Path) -> None:
    open_to_all(tmp_path)
    private = lay(tmp_path / "private", "a.wav", "a.txt")
    indir = lay(tmp_path / "in", "nights/")
    foreign_link(indir / GROUP, private, NOBODY)
    foreign_link(indir / "andaiafm_M20201105", private, 0)
    foreign_link(indir / "nights" / GROUP, private, SOMEBODY)

    os.seteuid(NOBODY)
    try:
        found = scan([indir])
    finally:
        os.seteuid(0)

    assert pairs(found) == {GROUP: ["a"], "andaiafm_M20201105": ["a"]}
    assert named(found, indir) == [(f"nights/{GROUP}", "link")]


def test_a_station_is_one_however_its_marks_are_written(tmp_path: Path) -> None:
    lay(tmp_path / "ra\u0301dio_F20201105", "Sa\u0303o.wav", "S\xe3o.txt")
    lay(tmp_path / "r\xe1dio_F20201105", "b.wav", "b.txt")

    assert pairs(scan([tmp_path])) == {"r\xe1dio_F20201105": ["S\xe3o", "b"]}


def test_a_garbled_station_is_asked_about(tmp_path: Path) -> None:
    name = "r\xc3\xa1dio_F20201105"
    lay(tmp_path, f"{name}/")

    found = scan([tmp_path])

    assert named(found, tmp_path) == [(name, "garbled-name")]
    assert "did you mean r\xe1dio?" in found.rejected[0].message
    assert pairs(scan([tmp_path], as_named=True)) == {name: []}


def test_endings_may_be_capitals(tmp_path: Path) -> None:
    assert pairs(scan([lay(tmp_path / GROUP, "a.WAV", "a.Txt")])) == {GROUP: ["a"]}


def test_a_named_pipe_and_a_link_to_nowhere_are_named(tmp_path: Path) -> None:
    lay(tmp_path / GROUP, "pipe.txt", "nowhere.wav")
    os.mkfifo(tmp_path / GROUP / "pipe.wav")
    (tmp_path / GROUP / "nowhere.txt").symlink_to("gone")
    (tmp_path / "andaiafm_M20201105").symlink_to("gone")

    found = scan([tmp_path])

    assert named(found, tmp_path) == [
        ("andaiafm_M20201105", "unreadable"),
        (f"{GROUP}/nowhere.txt", "unreadable"),
        (f"{GROUP}/pipe.wav", "unreadable"),
    ]


def test_names_that_are_not_utf8_are_named(tmp_path: Path) -> None:
    folder = os.fsencode(lay(tmp_path, f"{GROUP}/a.wav", f"{GROUP}/a.txt"))
    Path(os.fsdecode(folder + b"/caf\xe9_F20201105")).mkdir()
    Path(os.fsdecode(folder + f"/{GROUP}/".encode() + b"caf\xe9.wav")).touch()

    found = scan([tmp_path])

    assert [reason for _, reason in named(found, tmp_path)] == ["bad-name", "bad-name"]
    assert pairs(found) == {GROUP: ["a"]}


@NOT_ROOT
def test_a_closed_folder_is_named(tmp_path: Path) -> None:
    lay(tmp_path, f"{GROUP}/a.wav", "andaiafm_M20201105/a.wav", "andaiafm_M20201105/a.txt")
    (tmp_path / GROUP).chmod(0)

    found = scan([tmp_path])
    (tmp_path / GROUP).chmod(0o755)

    assert named(found, tmp_path) == [(GROUP, "unreadable")]
    assert pairs(found) == {GROUP: [], "andaiafm_M20201105": ["a"]}


@pytest.mark.parametrize("missing", ["gone", "a file", "x" * 300, "nul\0"])
def test_nothing_to_read_is_an_error_that_names_it(tmp_path: Path, missing: str) -> None:
    lay(tmp_path, "a file")

    with pytest.raises(InputMissing, match="There is nothing to read at"):
        scan([tmp_path / missing])


def test_one_folder_missing_of_two_is_named(tmp_path: Path) -> None:
    found = scan([tmp_path / "gone", lay(tmp_path, f"{GROUP}/")])

    assert named(found, tmp_path) == [("gone", "no-input")]
    assert list(pairs(found)) == [GROUP]


def test_a_folder_without_groups_is_named(tmp_path: Path) -> None:
    assert named(scan([tmp_path]), tmp_path) == [(".", "no-groups")]


def test_a_folder_given_twice_and_through_a_link_is_one(tmp_path: Path) -> None:
    lay(tmp_path / "in" / GROUP, "a.wav", "a.txt")
    (tmp_path / "link").symlink_to("in")

    found = scan([tmp_path / "in", tmp_path / "in" / GROUP, tmp_path / "link", tmp_path / "link" / GROUP])

    assert pairs(found) == {GROUP: ["a"]}
    assert found.all_rejected() == []


def test_a_link_to_a_group_is_called_by_the_name_of_the_link(tmp_path: Path) -> None:
    lay(tmp_path / "store 17", "a.wav", "a.txt")
    (tmp_path / GROUP).symlink_to("store 17")

    assert pairs(scan([tmp_path / GROUP])) == {GROUP: ["a"]}


def test_two_folders_of_one_group_are_one_and_the_first_of_a_name_stays(tmp_path: Path) -> None:
    lay(tmp_path / GROUP, "a.wav", "a.txt")
    lay(tmp_path / "andaiafm_f20201105", "a.wav", "a.txt", "b.wav", "b.txt")

    found = scan([tmp_path])

    assert pairs(found) == {GROUP: ["a", "b"]}
    assert named(found, tmp_path) == [("andaiafm_f20201105/a.wav", "duplicate-name")]


def test_groups_come_by_night(tmp_path: Path) -> None:
    lay(tmp_path, "a_F20201106/", "b_M20201105/", "b_F20201105/")

    assert list(pairs(scan([tmp_path]))) == ["b_F20201105", "b_M20201105", "a_F20201106"]


def test_a_path_that_the_database_cannot_index_is_named(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["x" * 250] * 8)
    found = scan([lay(deep, f"{GROUP}/a.wav", f"{GROUP}/a.txt")])

    assert {(Path(rejected.path).name, rejected.reason) for rejected in found.all_rejected()} == {
        ("a.wav", "bad-name"),
        ("a.txt", "bad-name"),
    }


def test_thousands_of_endings_are_told_by_the_most_frequent(tmp_path: Path) -> None:
    (told,) = scan([lay(tmp_path / GROUP, *(f"a.{number:0200}" for number in range(1000)))]).all_rejected()

    assert told.reason == "no-clips"
    assert "and 990 more endings" in told.message
    assert len(told.message) < 3_000
