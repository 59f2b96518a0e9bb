"""A group of the registry becomes what its folder holds now, and every recording keeps its speaker."""

import datetime as dt
import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from registry.core.records import Group
from registry.corrections.move import confirm
from registry.corrections.rename import rename
from registry.corrections.undo import undo
from registry.corrections.withdraw import withdraw
from registry.errors import CorrectionRefused, GroupShrinks, UndoRefused
from registry.export import export
from registry.ingest import IngestReport, ingest
from registry.ingest.planned import at_once
from registry.ingest.replace import replace
from tests.conftest import AUTHOR, MakeClip, night, tree

pytestmark = pytest.mark.usefixtures("fake_model", "ends_sound")


@pytest.fixture
def registry(engine: Engine, indir: Path, make_clip: MakeClip) -> Engine:
    """One night of two voices, the second named and confirmed by its clip."""
    for name in "ab":
        make_clip(name, 400, night(5))
    for name in "xy":
        make_clip(name, 3000, night(5))
    ingest(engine, [indir], AUTHOR)
    rename(engine, "F0002", "Ana", AUTHOR)
    confirm(engine, [f"{night(5)}/x"], AUTHOR)
    return engine


def rows(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def filed(engine: Engine) -> dict[str, str]:
    found = "SELECT broadcaster || '_' || gender || to_char(date, 'YYYYMMDD') || '/' || name, number FROM clips"
    return dict(rows(engine, found))  # type: ignore[arg-type]


def counts(report: IngestReport) -> dict[str, int]:
    return {what: count for what, count in report.total.items() if count}


def group(day: int, gender: str = "F", broadcaster: str = "andaiafm") -> Group:
    return Group(dt.date(2020, 11, day), broadcaster, gender)  # type: ignore[arg-type]


def test_another_recording_under_a_known_name_takes_its_place(
    registry: Engine, indir: Path, make_clip: MakeClip
) -> None:
    make_clip("b", 3000, night(5), seed=99)
    refused = ingest(registry, [indir], AUTHOR)
    report = replace(registry, [indir / night(5)], AUTHOR)

    assert [one.reason for one in refused.rejected] == ["changed"]
    assert "registry replace" in refused.rejected[0].message
    assert counts(report) == {"clips": 4, "new": 1, "known": 3, "replaced": 1, "speakers_matched": 1}
    assert filed(registry)[f"{night(5)}/b"] == "F0002"
    assert ingest(registry, [indir], AUTHOR).rejected == ()


def test_a_night_cut_anew_keeps_its_speakers_though_every_recording_is_another(
    registry: Engine, indir: Path, make_clip: MakeClip
) -> None:
    shutil.rmtree(indir / night(5))
    for place in range(5):
        make_clip(f"cut{place}", 3000 if place % 2 else 400, night(5), seed=100 + place, seconds=1.3)
    replace(registry, [indir], AUTHOR)

    assert filed(registry) == {f"{night(5)}/cut{place}": "F0002" if place % 2 else "F0001" for place in range(5)}
    assert rows(registry, "SELECT number, name FROM speakers ORDER BY 1") == [("F0001", None), ("F0002", "Ana")]


def test_a_clip_that_is_gone_from_the_folder_is_taken_out_and_undo_brings_all_back(
    registry: Engine, indir: Path
) -> None:
    before = filed(registry)
    for name in ("x.wav", "x.txt"):
        (indir / night(5) / name).unlink()
    report = replace(registry, [indir], AUTHOR)
    after = filed(registry)
    undo(registry, 4, AUTHOR)

    assert counts(report) == {"clips": 3, "known": 3, "replaced": 1}
    assert sorted(after) == [f"{night(5)}/{name}" for name in "aby"]
    assert filed(registry) == before
    assert rows(registry, "SELECT kind FROM verdict WHERE to_operation IS NULL") == [("confirmed",)]


@pytest.mark.parametrize("place", [group(9), group(5, broadcaster="radiox"), group(5, "M")])
def test_a_folder_that_got_another_name_takes_the_others_place(registry: Engine, indir: Path, place: Group) -> None:
    shutil.move(indir / night(5), indir / str(place))
    report = replace(registry, [indir], AUTHOR, instead_of=group(5))
    letter = place.gender

    assert counts(report) | {"clips": 4, "new": 4, "replaced": 4} == counts(report)
    assert report.rejected == ()
    assert filed(registry) == {f"{place}/{name}": f"{letter}000{1 + (name in 'xy')}" for name in "abxy"}


def test_in_its_new_place_it_keeps_numbers_names_and_verdicts(registry: Engine, indir: Path) -> None:
    shutil.move(indir / night(5), indir / night(9))
    replace(registry, [indir], AUTHOR, instead_of=group(5))

    assert rows(registry, "SELECT number, name FROM speakers ORDER BY 1") == [("F0001", None), ("F0002", "Ana")]
    assert rows(
        registry, "SELECT v.kind, c.name FROM verdict v JOIN clips c USING (clip_id) WHERE to_operation IS NULL"
    ) == [("confirmed", "x")]


def test_renamed_files_are_the_same_recordings(registry: Engine, indir: Path) -> None:
    for path in sorted((indir / night(5)).iterdir()):
        path.rename(path.with_name(f"new-{path.name}"))
    report = replace(registry, [indir], AUTHOR)

    assert counts(report) == {"clips": 4, "new": 4, "replaced": 4, "speakers_matched": 2}
    assert filed(registry) == {f"{night(5)}/new-{name}": f"F000{1 + (name in 'xy')}" for name in "abxy"}
    assert rows(registry, "SELECT count(*) FROM verdict WHERE to_operation IS NULL") == [(1,)]


def test_a_clip_whose_file_cannot_be_used_stays_as_it_was(registry: Engine, indir: Path) -> None:
    (indir / night(5) / "a.wav").write_bytes(b"no wav")
    report = replace(registry, [indir], AUTHOR)

    assert [one.reason for one in report.rejected] == ["not-wav"]
    assert len(filed(registry)) == 4


def test_what_was_withdrawn_comes_back_where_the_folder_holds_it(registry: Engine, indir: Path) -> None:
    withdraw(registry, [f"{night(5)}/x"], AUTHOR)
    replace(registry, [indir], AUTHOR)

    assert filed(registry)[f"{night(5)}/x"] == "F0002"


def test_replacing_twice_changes_nothing(registry: Engine, indir: Path, make_clip: MakeClip) -> None:
    make_clip("b", 3000, night(5), seed=99)
    replace(registry, [indir], AUTHOR)
    before = rows(registry, "SELECT * FROM assignment ORDER BY 1")
    again = replace(registry, [indir], AUTHOR)

    assert counts(again) == {"clips": 4, "known": 4}
    assert rows(registry, "SELECT * FROM assignment ORDER BY 1") == before


def test_a_plan_replaces_nothing(registry: Engine, indir: Path, make_clip: MakeClip) -> None:
    make_clip("b", 3000, night(5), seed=99)
    before = filed(registry)
    planned = at_once(registry, lambda steps: replace(steps, [indir], AUTHOR))

    assert planned.effects.clips == (("", "andaiafm/F0002", "matched", 1), ("andaiafm/F0001", "", "", 1))
    assert filed(registry) == before


def test_an_empty_folder_takes_nothing_out(registry: Engine, indir: Path) -> None:
    for path in (indir / night(5)).iterdir():
        path.unlink()
    with pytest.raises(CorrectionRefused, match=f"holds no pair of files; registry withdraw {night(5)}"):
        replace(registry, [indir], AUTHOR)

    assert len(filed(registry)) == 4


def test_a_group_that_is_not_there_cannot_be_replaced(registry: Engine, indir: Path, make_clip: MakeClip) -> None:
    make_clip("a", 400, night(6))
    with pytest.raises(CorrectionRefused, match=f"no clips of {night(6)}; registry ingest takes new ones"):
        replace(registry, [indir / night(6)], AUTHOR)
    with pytest.raises(CorrectionRefused, match="2 groups cannot take the place"):
        replace(registry, [indir], AUTHOR, instead_of=group(5))

    assert len(filed(registry)) == 4


def test_a_voice_sorted_under_the_wrong_gender_is_put_right(registry: Engine, indir: Path, make_clip: MakeClip) -> None:
    make_clip("m", 1500, night(5, "M"))
    ingest(registry, [indir], AUTHOR)
    for name in ("x.wav", "x.txt", "y.wav", "y.txt"):
        shutil.move(indir / night(5) / name, indir / night(5, "M") / name)
    refused = ingest(registry, [indir], AUTHOR)
    replace(registry, [indir / night(5)], AUTHOR)
    ingest(registry, [indir], AUTHOR)

    assert {one.reason for one in refused.rejected} == {"both-genders"}
    assert filed(registry) == {
        **{f"{night(5)}/{name}": "F0001" for name in "ab"},
        **{f"{night(5, 'M')}/{name}": "M0002" for name in "xy"},
        f"{night(5, 'M')}/m": "M0001",
    }


def test_a_folder_that_is_half_there_takes_nothing_out_unless_a_person_says_so(registry: Engine, indir: Path) -> None:
    for name in ("a", "b", "x"):
        for ending in ("wav", "txt"):
            (indir / night(5) / f"{name}.{ending}").unlink()
    with pytest.raises(GroupShrinks, match=f"{night(5)} has 4 clips and would have 1"):
        replace(registry, [indir], AUTHOR)
    before = filed(registry)
    report = replace(registry, [indir], AUTHOR, may_shrink=True)

    assert len(before) == 4
    assert counts(report) == {"clips": 1, "known": 1, "replaced": 3}
    assert sorted(filed(registry)) == [f"{night(5)}/y"]


def test_what_is_lost_in_one_place_is_exported_from_another(registry: Engine, indir: Path, out: Path) -> None:
    """A folder got another name, and that is taken back: the files lie where they were last."""
    export(registry, out)
    shutil.move(indir / night(5), indir / night(9))
    replace(registry, [indir], AUTHOR, instead_of=group(5))
    undo(registry, 4, AUTHOR)
    fresh = export(registry, out.with_name("fresh"))
    as_of = export(registry, out.with_name("as-of"), as_of=3)

    assert (fresh.rejected, as_of.rejected) == ([], [])
    assert (fresh.clips, as_of.clips) == (4, 4)
    for other in ("fresh", "as-of"):
        assert {path: content for path, content in tree(out).items() if path.startswith("andaiafm")} == {
            path: content for path, content in tree(out.with_name(other)).items() if path.startswith("andaiafm")
        }


def test_an_operation_that_only_noted_another_transcript_says_why_it_cannot_be_undone(
    registry: Engine, indir: Path, make_clip: MakeClip
) -> None:
    make_clip("a", 400, night(5), text="boa noite")
    replace(registry, [indir], AUTHOR)

    with pytest.raises(UndoRefused, match="put the former files back and ingest them"):
        undo(registry, 4, AUTHOR)
