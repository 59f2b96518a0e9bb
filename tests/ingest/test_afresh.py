"""A young registry is decided afresh after each night; an older one keeps what has stood."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from registry import settings
from registry.corrections.rename import rename
from registry.corrections.undo import undo
from registry.database.check import check
from registry.ingest import ingest
from tests.conftest import AUTHOR, MakeClip, mistake, night

pytestmark = pytest.mark.usefixtures("fake_model")


@pytest.fixture
def mistaken(engine: Engine, indir: Path, make_clip: MakeClip) -> Engine:
    """Two women and a man, where a clip of the first is the second's by mistake; then another night has been cut."""
    for pitch_hz in (400, 900):
        for number in range(3):
            make_clip(f"w{pitch_hz}_{number}", pitch_hz, night(5))
    make_clip("m", 2000, night(5, "M"))
    ingest(engine, [indir], AUTHOR)
    mistake(engine, ["w400_0"], "F0002")
    make_clip("later", 900, night(6))
    return engine


def numbers(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(text("SELECT name, number FROM clips"))}


def kinds(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT kind FROM operation ORDER BY operation_id")).scalars())


def test_a_later_night_mends_what_an_earlier_one_did_wrong(mistaken: Engine, indir: Path) -> None:
    assert numbers(mistaken)["w400_0"] == "F0002"
    report = ingest(mistaken, [indir], AUTHOR)

    assert report.moved == 1
    assert numbers(mistaken)["w400_0"] == "F0001"
    assert numbers(mistaken)["later"] == "F0002"
    assert kinds(mistaken)[-2:] == ["ingest", "consolidate"]
    assert check(mistaken) == []


def test_it_is_an_operation_that_can_be_undone(mistaken: Engine, indir: Path) -> None:
    ingest(mistaken, [indir], AUTHOR)
    undo(mistaken, len(kinds(mistaken)), AUTHOR)

    assert numbers(mistaken)["w400_0"] == "F0002"
    assert numbers(mistaken)["later"] == "F0002"
    assert check(mistaken) == []


def test_where_nothing_changes_there_is_no_operation(engine: Engine, indir: Path, make_clip: MakeClip) -> None:
    make_clip("a", 400, night(5))
    make_clip("m", 2000, night(5, "M"))
    report = ingest(engine, [indir], AUTHOR)

    assert report.moved == 0
    assert kinds(engine) == ["ingest", "ingest"]


def test_an_older_registry_keeps_what_has_stood(mistaken: Engine, indir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "YOUNG_AUDIOS", 7)  # with the night that comes there are more
    report = ingest(mistaken, [indir], AUTHOR)

    assert report.moved == 0
    assert numbers(mistaken)["w400_0"] == "F0002"


def test_what_a_person_named_stands(mistaken: Engine, indir: Path) -> None:
    rename(mistaken, "F0002", "Maria", AUTHOR)
    ingest(mistaken, [indir], AUTHOR)

    assert numbers(mistaken)["w400_0"] == "F0002"


def test_no_kill_comes_between_the_night_and_deciding_afresh(
    mistaken: Engine, indir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_connection: Connection, *_rest: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("registry.ingest.link.decide_afresh", killed)
        with pytest.raises(KeyboardInterrupt):
            ingest(mistaken, [indir], AUTHOR)
    assert "later" not in numbers(mistaken)
    ingest(mistaken, [indir], AUTHOR)

    assert numbers(mistaken)["w400_0"] == "F0001"
