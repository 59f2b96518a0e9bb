"""A night as one command: what is rejected does not keep the rest from being exported; nights wait for each other."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from registry.database.store import nights
from registry.database.store.journal import Unsure
from registry.errors import NightUnderWay, OutputRefused, TreeOfAnother
from registry.input.remote import RemotePath
from registry.night import JoinedSpeaker, night, worth_a_look
from registry.progress import Silent
from tests.conftest import AUTHOR, MakeClip, mistake
from tests.conftest import night as group

pytestmark = pytest.mark.usefixtures("fake_model")


def exported(out: Path) -> list[str]:
    return sorted(path.name for path in out.rglob("*.wav"))


@pytest.mark.usefixtures("ends_sound")
def test_a_night_with_rejected_clips_is_exported(engine: Engine, indir: Path, make_clip: MakeClip, out: Path) -> None:
    make_clip("a")
    make_clip("b").with_suffix(".txt").unlink()
    report = night(engine, [indir], out, AUTHOR)

    assert report.exit_code == 1
    assert [one.reason for one in report.ingested.rejected] == ["no-transcript"]
    assert exported(out) == ["andaiafm20201105F0001_000000.wav"]


def test_a_night_in_which_all_is_well_needs_nobody(engine: Engine, indir: Path, make_clip: MakeClip, out: Path) -> None:
    make_clip("a")
    report = night(engine, [indir], out, AUTHOR)
    again = night(engine, [indir], out, AUTHOR)

    assert (report.exit_code, report.joined, report.unsure) == (0, (), ())
    assert (again.exit_code, again.ingested.total["known"], again.exported.unchanged) == (0, 1, 2)  # type: ignore[union-attr]


def test_a_folder_that_cannot_be_exported_to_does_not_hide_what_was_taken_in(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    make_clip("a")
    night(engine, [indir], out, AUTHOR)
    with engine.begin() as connection:
        connection.execute(text("UPDATE identity SET registry_id = gen_random_uuid()"))
    make_clip("b")
    report = night(engine, [indir], out, AUTHOR)

    assert report.exit_code == 2
    assert report.ingested.total["new"] == 1
    assert isinstance(report.exported, TreeOfAnother)


def test_speakers_that_a_night_joins_are_told(engine: Engine, indir: Path, make_clip: MakeClip, out: Path) -> None:
    for name in "abcd":
        make_clip(name)
    night(engine, [indir], out, AUTHOR)
    mistake(engine, ["c", "d"], None)
    make_clip("e", group=group(6))
    report = night(engine, [indir], out, AUTHOR)

    assert report.joined == (JoinedSpeaker("andaiafm/F0002", "andaiafm/F0001"),)
    assert report.exit_code == 0


@pytest.mark.parametrize(
    ("decision", "is_worth"),
    [
        (Unsure("F0001", "matched", 2, 0.6, "F0002", 0.001), True),
        (Unsure("F0001", "matched", 2, 0.6, "", None), True),
        (Unsure("F0001", "matched", 1, 0.98, "F0002", 0.31), False),
        (Unsure("F0003", "new", 1, None, "F0002", 0.49), True),
        (Unsure("F0003", "new", 1, None, "", None), False),
    ],
)
def test_a_sure_decision_is_not_worth_a_look_for_having_a_rival(decision: Unsure, *, is_worth: bool) -> None:
    assert worth_a_look(decision) == is_worth


class Waiting(Silent):
    def __init__(self) -> None:
        self.begun = threading.Event()

    def begin(self, what: str, total: int) -> None:
        assert total >= 0
        if what == "waiting for the night that is under way":
            self.begun.set()


def test_a_night_waits_for_another(engine: Engine, indir: Path, make_clip: MakeClip, out: Path) -> None:
    make_clip("a")
    told, reports = Waiting(), []
    with engine.connect() as other:
        assert nights.begin_alone(other)
        late = threading.Thread(target=lambda: reports.append(night(engine, [indir], out, AUTHOR, progress=told)))
        late.start()
        assert told.begun.wait(30)
        assert not out.exists()
    late.join(60)

    assert [report.exit_code for report in reports] == [0]
    assert len(exported(out)) == 1


def test_a_night_that_hangs_is_not_waited_for_without_end(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_clip("a")
    monkeypatch.setattr("registry.settings.PATIENCE_S", 0.1)
    with engine.connect() as other:
        nights.begin_alone(other)
        with pytest.raises(NightUnderWay, match="takes up what is left"):
            night(engine, [indir], out, AUTHOR)

    assert night(engine, [indir], out, AUTHOR).exit_code == 0


def test_input_is_never_exported_to(engine: Engine, indir: Path, make_clip: MakeClip) -> None:
    make_clip("a", group=f"n1/{group(5)}")
    make_clip("a", group=f"n2/{group(6)}")
    before = sorted(indir.rglob("*"))

    with pytest.raises(OutputRefused, match="it holds groups to be taken in; the folder to export to comes last"):
        night(engine, [indir / "n1"], indir / "n2", AUTHOR)
    with pytest.raises(OutputRefused, match="it lies inside the input folder"):
        night(engine, [indir], indir / "speakers", AUTHOR)
    with pytest.raises(OutputRefused, match="only input may be at a URL"):
        night(engine, [indir], RemotePath("s3://x/y"), AUTHOR)
    assert sorted(indir.rglob("*")) == before
