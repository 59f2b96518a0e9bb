"""A night that comes again: what changed is taken up or named, what is there stays."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine

from registry.export import export
from registry.ingest import ingest
from tests.conftest import AUTHOR, MakeClip, night, tree

pytestmark = pytest.mark.usefixtures("fake_model", "ends_sound")


def exported(folder: Path) -> list[bytes]:
    return sorted(content for path, content in tree(folder).items() if not path.startswith(".registry"))


def test_changed_audio_is_named_and_the_registry_keeps_its_own(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    make_clip("a")
    make_clip("b")
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    before = exported(out)
    wav = make_clip("a", 2000)

    report = ingest(engine, [indir], AUTHOR)
    export(engine, out)

    assert [(one.path, one.reason) for one in report.rejected] == [(str(wav), "changed")]
    assert exported(out) == before


def test_a_changed_transcript_is_taken_up_and_exported(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    make_clip("a", text="bom dia")
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    make_clip("a", text="boa noite")

    report = ingest(engine, [indir], AUTHOR)
    done = export(engine, out)

    assert (report.total["updated"], done.written, done.unchanged) == (1, 1, 1)
    assert b"boa noite\n" in exported(out)


def test_an_input_folder_may_move(engine: Engine, indir: Path, make_clip: MakeClip, out: Path) -> None:
    make_clip("a")
    ingest(engine, [indir], AUTHOR)
    shutil.move(indir, indir.with_name("archive"))

    report = ingest(engine, [indir.with_name("archive")], AUTHOR)
    done = export(engine, out)

    assert (report.total["updated"], report.exit_code, done.written, done.exit_code) == (1, 0, 2, 0)


def test_clips_added_later_join_their_group(engine: Engine, indir: Path, make_clip: MakeClip, out: Path) -> None:
    make_clip("b", 400)
    ingest(engine, [indir], AUTHOR)
    make_clip("a", 1200)
    make_clip("c", 400, night(5, "f"))

    report = ingest(engine, [indir], AUTHOR)
    export(engine, out)

    assert (report.total["new"], report.total["speakers_new"]) == (2, 1)
    folders = sorted(path.name for path in (out / "andaiafm20201105").iterdir())
    assert folders == ["andaiafm20201105-F0001", "andaiafm20201105-F0002"]


def test_a_transcript_that_is_gone_is_named_and_the_registry_keeps_the_clip(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    txt = make_clip("a").with_suffix(".txt")
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    before = exported(out)
    txt.unlink()

    report = ingest(engine, [indir], AUTHOR)
    export(engine, out)

    assert [one.reason for one in report.rejected] == ["no-transcript"]
    assert exported(out) == before


def test_a_touched_source_is_as_good_as_before(engine: Engine, indir: Path, make_clip: MakeClip, out: Path) -> None:
    make_clip("a").touch()
    ingest(engine, [indir], AUTHOR)
    make_clip("a")

    first = export(engine, out, mode="hardlink")
    again = export(engine, out, mode="hardlink")

    assert (first.exit_code, first.written, again.exit_code, again.unchanged) == (0, 2, 0, 2)
