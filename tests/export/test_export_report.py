"""What an export says: why files were renamed, what is lost and what is not, whom it does not know."""

import datetime as dt
import os
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from registry.corrections.merge import merge
from registry.database.store.tree import Extent
from registry.errors import UnknownBroadcaster
from registry.export import export
from registry.export.files import LinkMode
from registry.ingest import ingest
from tests.conftest import AUTHOR, MakeClip, night, tree

pytestmark = pytest.mark.usefixtures("fake_model", "ends_sound")
F0001 = "andaiafm20201105/andaiafm20201105-F0001/andaiafm20201105F0001_"


def test_files_with_another_number_are_counted_apart(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    make_clip("b", text="b")
    make_clip("c", 1200, text="c")
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    make_clip("a", text="a")
    ingest(engine, [indir], AUTHOR)
    planned = export(engine, out, plan_only=True)

    report = export(engine, out)

    assert (report.written, report.renamed, report.unchanged, report.removed) == (2, 4, 0, 0)
    assert (f"{F0001}000000.wav", f"{F0001}000001.wav") in planned.to_rename
    assert (len(planned.to_write), len(planned.to_rename), planned.to_remove) == (2, 4, ())


@pytest.mark.parametrize("mode", ["copy", "hardlink", "symlink"])
@pytest.mark.parametrize("damage", [Path.unlink, lambda txt: txt.write_bytes(b"other"), os.utime])
def test_a_transcript_is_written_from_the_database_where_its_file_is_lost(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, damage: object, mode: LinkMode
) -> None:
    wav = make_clip("a", text="olá")
    ingest(engine, [indir], AUTHOR)
    damage(wav.with_suffix(".txt"))  # type: ignore[operator]

    report = export(engine, out, mode=mode)
    again = export(engine, out, mode=mode)

    assert (report.written, report.rejected, again.unchanged) == (2, [], 2)
    assert (out / f"{F0001}000000.txt").read_text() == "olá\n"


def test_a_broadcaster_that_is_not_there_is_an_error_that_names_those_that_are(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    make_clip("a")
    make_clip("b", group=night(5, broadcaster="outrafm"))
    ingest(engine, [indir], AUTHOR)

    with pytest.raises(UnknownBroadcaster, match=r"'andaia'\. The registry knows andaiafm, outrafm"):
        export(engine, out, Extent(broadcaster="andaia"))
    assert not out.exists()


def test_the_aliases_are_dated_on_the_latest_night(engine: Engine, indir: Path, make_clip: MakeClip, out: Path) -> None:
    make_clip("a")
    make_clip("b", 1200, night(7))
    ingest(engine, [indir], AUTHOR)
    merge(engine, ["F0001", "F0002"], AUTHOR)
    export(engine, out)

    times = [(out / name).stat().st_mtime for name in ("aliases.tsv", ".registry/manifest.jsonl")]
    assert {dt.datetime.fromtimestamp(time, dt.UTC).date() for time in times} == {dt.date(2020, 11, 7)}


@pytest.mark.parametrize("unsynced", [b"", bytes(40)])
def test_aliases_that_the_power_left_empty_are_written_again(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, unsynced: bytes
) -> None:
    make_clip("a")
    make_clip("b", 1200)
    ingest(engine, [indir], AUTHOR)
    merge(engine, ["F0001", "F0002"], AUTHOR)
    export(engine, out)
    before = tree(out)
    (out / "aliases.tsv").write_bytes(unsynced)

    assert export(engine, out).exit_code == 0
    assert tree(out) == before


def test_sound_is_exported_with_the_suffix_it_came_with(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    wav = make_clip("a")
    ingest(engine, [indir], AUTHOR)
    flac = wav.rename(wav.with_suffix(".FLAC"))
    with engine.begin() as connection:
        connection.execute(text("UPDATE clip SET wav_path = :path"), {"path": str(flac)})

    export(engine, out)

    assert export(engine, out).unchanged == 2
    assert (out / f"{F0001}000000.flac").read_bytes() == flac.read_bytes()


def test_the_aliases_are_those_of_the_stations_that_are_exported(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    for broadcaster in ("andaiafm", "outrafm"):
        make_clip("a", 400, night(5, broadcaster=broadcaster))
        make_clip("b", 1200, night(5, broadcaster=broadcaster))
    ingest(engine, [indir], AUTHOR)
    merge(engine, ["andaiafm/F0001", "andaiafm/F0002"], AUTHOR)
    export(engine, out, Extent(broadcaster="outrafm"))
    alone = (out / "aliases.tsv").read_text()
    export(engine, out, Extent(broadcaster="andaiafm"))

    assert alone == "broadcaster\talias\tnumber\noutrafm\tF0002\tF0001\n"
    assert (out / "aliases.tsv").read_text().splitlines()[1:] == ["andaiafm\tF0002\tF0001", "outrafm\tF0002\tF0001"]
