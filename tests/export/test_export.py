"""The exported tree holds what the registry says, touches only what differs, and leaves what is not its own."""

import datetime as dt
import os
from pathlib import Path

import pytest
from sqlalchemy import Engine

from registry.corrections.undo import undo
from registry.database.store.tree import Extent
from registry.export import export
from registry.export.files import LinkMode
from registry.ingest import ingest
from tests.conftest import AUTHOR, MakeClip, night, tree

pytestmark = pytest.mark.usefixtures("fake_model", "ends_sound")
F0001 = "andaiafm20201105/andaiafm20201105-F0001/andaiafm20201105F0001_"
F0002 = "andaiafm20201105/andaiafm20201105-F0002/andaiafm20201105F0002_"
MODES: list[LinkMode] = ["copy", "hardlink", "symlink"]


def clips(folder: Path) -> dict[str, bytes]:
    return {path: content for path, content in tree(folder).items() if not path.startswith(".registry")}


def marks(folder: Path) -> dict[str, tuple[int, int]]:
    """Tell of every file what changes if it is written again."""
    files = [(path, path.lstat()) for path in folder.rglob("*") if not path.is_dir()]
    return {str(path.relative_to(folder)): (status.st_mtime_ns, status.st_ino) for path, status in files}


def test_an_empty_registry_is_an_empty_tree(engine: Engine, out: Path) -> None:
    report = export(engine, out)

    assert (report.clips, report.exit_code, clips(out)) == (0, 0, {})


def test_the_tree_holds_every_clip_once_under_its_speaker(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    sources = [make_clip("a", 400), make_clip("b", 1200), make_clip("c", 400)]
    ingest(engine, [indir], AUTHOR)

    export(engine, out)

    places = [f"{F0001}000000.wav", f"{F0002}000002.wav", f"{F0001}000001.wav"]
    wavs = {place: source.read_bytes() for place, source in zip(places, sources, strict=True)}
    assert clips(out) == wavs | {f"{place[:-3]}txt": b"bom dia\n" for place in places}


@pytest.mark.parametrize("mode", MODES)
def test_a_second_export_writes_nothing(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, mode: LinkMode
) -> None:
    make_clip("a")
    ingest(engine, [indir], AUTHOR)
    export(engine, out, mode=mode)
    before = marks(out)

    report = export(engine, out, mode=mode)

    assert (report.written, report.unchanged, report.removed) == (0, 2, 0)
    assert marks(out) == before


def test_two_exports_of_one_state_are_equal_in_times_too(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, tmp_path: Path
) -> None:
    make_clip("a")
    make_clip("b", group=night(6))
    ingest(engine, [indir], AUTHOR)

    export(engine, out)
    export(engine, tmp_path / "again")

    assert tree(out) == tree(tmp_path / "again")
    assert [(path, time) for path, (time, _) in sorted(marks(out).items())] == [
        (path, time) for path, (time, _) in sorted(marks(tmp_path / "again").items())
    ]


def test_after_a_change_only_what_differs_is_written(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    make_clip("b")
    make_clip("a", group=night(6))
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    before = marks(out)
    make_clip("c")
    ingest(engine, [indir], AUTHOR)

    report = export(engine, out)

    after = marks(out)
    new = {f"{F0001}000001.wav", f"{F0001}000001.txt"}
    assert (report.written, report.unchanged, report.removed) == (2, 4, 0)
    assert {path for path in after if before.get(path) != after[path]} == new | {".registry/manifest.jsonl"}


def test_a_tree_brought_up_to_date_equals_a_new_one(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, tmp_path: Path
) -> None:
    make_clip("m", 400)
    make_clip("n", 1200)
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    make_clip("a", 400)
    ingest(engine, [indir], AUTHOR)

    export(engine, out)
    export(engine, tmp_path / "new")

    assert tree(out) == tree(tmp_path / "new")


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"edited"), os.utime])
def test_a_file_damaged_in_the_tree_is_written_again(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, damage: object
) -> None:
    make_clip("a")
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    before = tree(out)
    damage(out / f"{F0001}000000.wav")  # type: ignore[operator]

    report = export(engine, out)

    assert (report.written, report.unchanged) == (1, 1)
    assert tree(out) == before


def test_what_belongs_no_longer_is_removed_and_what_is_not_ours_stays(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    make_clip("b", 400)
    make_clip("c", 400, night(6))
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    theirs = out / "andaiafm20201106" / "notes.txt"
    theirs.write_text("mine")
    undo(engine, 2, AUTHOR)

    report = export(engine, out)

    assert (report.removed, report.unchanged, report.exit_code) == (2, 2, 0)
    assert [path.name for path in (out / "andaiafm20201106").iterdir()] == ["notes.txt"]


def test_a_file_of_somebody_else_in_the_way_is_named_and_stays(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    make_clip("a")
    make_clip("b", 1200)
    ingest(engine, [indir], AUTHOR)
    theirs = [out / f"{F0001}000000.wav", out / "andaiafm20201105/andaiafm20201105-F0002", out / "README"]
    for path in theirs:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")

    report = export(engine, out)
    again = export(engine, out)

    assert [one.reason for one in report.rejected] == ["foreign-file"] * 3
    assert (report.exit_code, report.written, again.written, again.unchanged) == (1, 1, 0, 1)
    assert {path.read_text() for path in theirs} == {"mine"}


@pytest.mark.parametrize("then", MODES)
@pytest.mark.parametrize("first", MODES)
def test_copies_and_links_can_be_exchanged(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, tmp_path: Path, first: LinkMode, then: LinkMode
) -> None:
    make_clip("a")
    ingest(engine, [indir], AUTHOR)
    export(engine, out, mode=first)

    export(engine, out, mode=then)
    export(engine, tmp_path / "new", mode=then)

    source, exported = indir / night(5) / "a.wav", out / f"{F0001}000000.wav"
    assert tree(out) == tree(tmp_path / "new")
    assert exported.is_symlink() == (then == "symlink")
    assert exported.samefile(source) == (then != "copy")


def test_a_hard_link_to_a_linked_source_leads_to_the_file(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    wav = make_clip("a")
    wav.rename(wav.with_name("stored"))
    wav.symlink_to("stored")
    ingest(engine, [indir], AUTHOR)

    export(engine, out, mode="hardlink")

    assert not (out / f"{F0001}000000.wav").is_symlink()
    assert export(engine, out, mode="hardlink").unchanged == 2


@pytest.mark.parametrize(
    ("extent", "nights"),
    [
        (Extent(broadcaster="outrafm"), {"outrafm20201106"}),
        (Extent(first_date=dt.date(2020, 11, 6)), {"andaiafm20201106", "outrafm20201106"}),
        (Extent(last_date=dt.date(2020, 11, 5)), {"andaiafm20201105"}),
        (Extent("andaiafm", dt.date(2020, 11, 6), dt.date(2020, 11, 6)), {"andaiafm20201106"}),
        (Extent(first_date=dt.date(2021, 1, 1)), set()),
    ],
)
def test_an_extent_answers_for_its_groups_and_leaves_the_others(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, tmp_path: Path, extent: Extent, nights: set[str]
) -> None:
    for group in (night(5), night(6), night(6, broadcaster="outrafm")):
        make_clip("a", group=group)
    ingest(engine, [indir], AUTHOR)
    export(engine, tmp_path / "whole")
    before = tree(tmp_path / "whole")

    export(engine, out, extent)
    export(engine, tmp_path / "whole", extent)

    assert {path.split("/")[0] for path in clips(out)} == nights
    assert tree(tmp_path / "whole") == before
