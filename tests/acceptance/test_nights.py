"""Ingest, again and again, and export, on a real database with a fake model."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from registry.database.check import check
from registry.export import export
from registry.ingest import ingest
from tests.conftest import AUTHOR, MakeClip, night

pytestmark = pytest.mark.usefixtures("fake_model")


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_voice_keeps_its_number_on_the_next_night(
    engine: Engine, indir: Path, make_clip: MakeClip, tmp_path: Path
) -> None:
    make_clip("a", 400, night(5))
    make_clip("b", 1200, night(5))
    ingest(engine, [indir], AUTHOR)
    make_clip("a", 1200, night(6))

    report = ingest(engine, [indir], AUTHOR)
    export(engine, tmp_path / "out")

    assert [group.speakers_matched for group in report.groups] == [0, 1]
    assert (tmp_path / "out/andaiafm20201106/andaiafm20201106-F0002/andaiafm20201106F0002_000000.wav").exists()
    assert check(engine) == []


def test_ingesting_again_changes_nothing(engine: Engine, indir: Path, make_clip: MakeClip) -> None:
    make_clip("a")
    ingest(engine, [indir], AUTHOR)

    report = ingest(engine, [indir], AUTHOR)

    assert report.total["new"] == 0
    assert report.total["known"] == 1
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM operation")).scalar_one() == 1
