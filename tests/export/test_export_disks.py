"""Disks that are full, ignore case, or cannot hold a name: what is wrong is named, and the rest is written."""

import errno
import os
from pathlib import Path

import pytest
from sqlalchemy import Engine

from registry.errors import TreeDiskFull
from registry.export import disk, export
from registry.ingest import ingest
from tests.conftest import AUTHOR, MakeClip, night, tree

pytestmark = pytest.mark.usefixtures("fake_model", "ends_sound")
LOWER, UPPER = "andaiafm20201105", "AndaiaFM20201105"


@pytest.fixture
def two_stations(engine: Engine, indir: Path, make_clip: MakeClip) -> Engine:
    """Stations whose names differ in case only, with two clips and three."""
    for name in "ab":
        make_clip(name, text=name)
    for name in "cde":
        make_clip(name, group=night(5, broadcaster="AndaiaFM"), text=name)
    ingest(engine, [indir], AUTHOR)
    return engine


def wavs(folder: Path) -> dict[str, int]:
    return {path.name: len(list(path.rglob("*.wav"))) for path in sorted(folder.iterdir()) if path.name[0] != "."}


def test_a_full_disk_is_called_full_and_the_next_export_goes_on(
    engine: Engine, indir: Path, make_clip: MakeClip, small_disk: Path
) -> None:
    """Each clip takes 96 kB, and the disk holds a megabyte."""
    for number in range(20):
        make_clip(f"c{number:02}", seconds=3, text=f"{number}")
    ingest(engine, [indir], AUTHOR)
    filler = small_disk / "of others"
    filler.write_bytes(bytes(300_000))

    with pytest.raises(
        TreeDiskFull, match=r"The disk of .* is full: 2 MB are needed to go on, 0 MB are free\. Make room"
    ):
        export(engine, small_disk / "out")
    there = len(list(small_disk.rglob("*.wav")))
    filler.unlink()
    with pytest.raises(TreeDiskFull, match="1 MB are needed"):
        export(engine, small_disk / "out")
    assert 0 < there < len(list(small_disk.rglob("*.wav"))) < 20


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_completed_later(
    engine: Engine,
    indir: Path,
    make_clip: MakeClip,
    out: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    def no_space(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    make_clip("a")
    ingest(engine, [indir], AUTHOR)
    export(engine, tmp_path / "whole")
    with monkeypatch.context() as full:
        full.setattr(disk, "write", no_space)
        with pytest.raises(TreeDiskFull, match="1 MB are needed"):
            export(engine, out)

    export(engine, out)

    assert tree(out) == tree(tmp_path / "whole")


def test_of_two_stations_in_one_folder_one_is_written_and_the_other_named(
    two_stations: Engine, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "ignores_case", lambda _: True)
    planned = export(two_stations, out, plan_only=True)

    report = export(two_stations, out)

    assert (report.written, report.exit_code, wavs(out)) == (6, 1, {UPPER: 3})
    assert {one.reason for one in report.rejected} == {"same-name"}
    assert {Path(one.path).name for one in report.rejected} == {
        f"{LOWER}F0001_00000{number}.{suffix}" for number in (0, 1) for suffix in ("wav", "txt")
    }
    assert f"takes the folder for {UPPER}" in report.rejected[0].message
    assert (planned.rejected, len(planned.to_write)) == (report.rejected, 6)
    assert export(two_stations, out).unchanged == 6


def test_the_station_that_is_there_already_stays(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "ignores_case", lambda _: True)
    make_clip("a")
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    make_clip("c", group=night(5, broadcaster="AndaiaFM"))
    ingest(engine, [indir], AUTHOR)

    report = export(engine, out)

    assert (report.unchanged, report.written, len(report.rejected), wavs(out)) == (2, 0, 2, {LOWER: 1})


def test_two_stations_have_two_folders_where_the_disk_tells_case_apart(two_stations: Engine, out: Path) -> None:
    report = export(two_stations, out)

    assert (report.written, report.exit_code, wavs(out)) == (10, 0, {UPPER: 3, LOWER: 2})


def test_a_disk_that_tells_case_apart_is_known_as_such(tmp_path: Path) -> None:
    (tmp_path / "Out").mkdir()
    (tmp_path / "OUT").mkdir()

    assert not disk.ignores_case(tmp_path)
    assert not disk.ignores_case(tmp_path / "not there")


def test_on_a_disk_that_ignores_case_two_stations_are_told_apart(two_stations: Engine, caseless_disk: Path) -> None:
    out = caseless_disk
    (out / "mine").touch()
    planned, report = export(two_stations, out, plan_only=True), export(two_stations, out)
    (out / "mine").unlink()

    assert (report.written, len(report.rejected), list(wavs(out).values())) == (6, 4, [3])
    assert planned.rejected == report.rejected
    assert export(two_stations, out).unchanged == 6


def test_on_a_disk_that_holds_no_colon_the_station_is_named_and_the_next_one_written(
    engine: Engine, indir: Path, make_clip: MakeClip, caseless_disk: Path
) -> None:
    make_clip("a", group=night(5, broadcaster="a:b"))
    make_clip("b", group=night(5, broadcaster="z"))
    ingest(engine, [indir], AUTHOR)

    report = export(engine, caseless_disk / "out")

    assert [one.reason for one in report.rejected] == ["bad-name"] * 2
    assert (report.written, wavs(caseless_disk / "out")) == (2, {"z20201105": 1})


def test_a_name_that_the_disk_cannot_hold_is_one_rejected_file(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a colon on FAT, or a name that gets too long."""

    def refusing(old: Path, new: Path) -> None:
        if new.name.endswith("F0001_000000.wav"):
            raise OSError(errno.EINVAL, "Invalid argument", str(new))
        old.replace(new)

    for name in "abc":
        make_clip(name)
    ingest(engine, [indir], AUTHOR)
    monkeypatch.setattr(disk, "rename", refusing)
    report = export(engine, out)

    assert (report.written, report.exit_code) == (5, 1)
    assert [(one.reason, Path(one.path).name) for one in report.rejected] == [
        ("bad-name", "andaiafm20201105F0001_000000.wav")
    ]


def test_a_name_that_is_too_long_does_not_stop_the_stations_after_it(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    """255 bytes are the most; a folder's name has 8 for the night, one of a file 25 more."""
    long = "a" * 200
    make_clip("a", group=night(5, broadcaster=long))
    make_clip("b", group=night(5, broadcaster="z"))
    ingest(engine, [indir], AUTHOR)
    with engine.begin() as connection:
        for table in ("clip_group", "speaker_number", "speaker_total"):
            connection.exec_driver_sql(f"UPDATE {table} SET broadcaster = repeat('a', 240) WHERE broadcaster <> 'z'")

    report = export(engine, out)
    again = export(engine, out)

    assert [one.reason for one in report.rejected] == ["bad-name"] * 2
    assert (report.written, again.unchanged, again.exit_code) == (2, 2, 1)


def test_files_without_hard_links_move_as_well(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on FAT and on many network disks."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    make_clip("b", text="b")
    make_clip("c", text="c")
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    (indir / night(5)).rename(tmp_path / "away")
    make_clip("a", text="a")
    ingest(engine, [indir], AUTHOR)
    monkeypatch.setattr(os, "link", refuse)
    report = export(engine, out)

    assert (report.written, report.renamed, report.exit_code) == (2, 4, 0)
    assert sorted(path.name[-10:] for path in out.rglob("*.wav")) == ["000000.wav", "000001.wav", "000002.wav"]
