"""What was taken in can be taken out again; its sound is known again wherever it comes back."""

import datetime as dt
import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from registry.corrections.forget import forget_older_than, forget_speaker
from registry.corrections.merge import merge
from registry.corrections.move import confirm, move, reject
from registry.corrections.rename import rename
from registry.corrections.undo import undo
from registry.corrections.withdraw import withdraw
from registry.database.check import check
from registry.errors import UndoRefused, UnknownClip
from registry.export import export
from registry.ingest import ingest
from tests.conftest import AUTHOR, MakeClip, night, tree

pytestmark = pytest.mark.usefixtures("fake_model", "ends_sound")


@pytest.fixture
def registry(engine: Engine, indir: Path, make_clip: MakeClip) -> Engine:
    """Two voices on one night, one of them on another night too."""
    for name in "ab":
        make_clip(name, 400, night(5))
    for name in "xy":
        make_clip(name, 3000, night(5))
    make_clip("c", 400, night(6))
    ingest(engine, [indir], AUTHOR)
    return engine


def rows(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def filed(engine: Engine) -> dict[str, str]:
    found = "SELECT broadcaster || '_' || gender || to_char(date, 'YYYYMMDD') || '/' || name, number FROM clips"
    return dict(rows(engine, found))  # type: ignore[arg-type]


def move_folder(indir: Path, old: str, new: str) -> None:
    shutil.move(indir / old, indir / new)


def test_a_clip_leaves_the_tree_and_undo_brings_it_back_to_the_byte(registry: Engine, out: Path) -> None:
    export(registry, out)
    before = tree(out)
    taken_out = withdraw(registry, [f"{night(5)}/x"], AUTHOR)
    export(registry, out)
    without = tree(out)
    undo(registry, int(str(taken_out.operation_id)), AUTHOR)
    export(registry, out)

    assert len([path for path in without if path.endswith(".wav") and not path.startswith(".")]) == 4
    assert {path: content for path, content in tree(out).items() if not path.startswith(".")} == {
        path: content for path, content in before.items() if not path.startswith(".")
    }


def test_a_group_is_named_as_its_folder(registry: Engine, indir: Path) -> None:
    withdraw(registry, [str(indir / night(5)), night(6)], AUTHOR)

    assert filed(registry) == {}
    assert rows(registry, "SELECT number, clips FROM speakers ORDER BY 1") == [("F0001", 0), ("F0002", 0)]


def test_an_ingest_of_the_same_files_leaves_them_out(registry: Engine, indir: Path) -> None:
    withdraw(registry, [f"{night(5)}/x"], AUTHOR)
    again = ingest(registry, [indir], AUTHOR)

    assert f"{night(5)}/x" not in filed(registry)
    assert again.total | {"withdrawn": 1, "new": 0, "known": 4, "rejected": 0} == again.total


def test_a_folder_renamed_to_its_right_date_keeps_numbers_names_and_verdicts(registry: Engine, indir: Path) -> None:
    rename(registry, "F0002", "Ana", AUTHOR)
    confirm(registry, [f"{night(5)}/x"], AUTHOR)
    reject(registry, f"{night(5)}/y", "F0001", AUTHOR)
    before = filed(registry)
    withdraw(registry, [night(5)], AUTHOR)
    move_folder(indir, night(5), night(4))
    ingest(registry, [indir], AUTHOR)

    assert filed(registry) == {name.replace(night(5), night(4)): number for name, number in before.items()}
    assert rows(registry, "SELECT name FROM speakers WHERE number = 'F0002'") == [("Ana",)]
    assert rows(
        registry,
        "SELECT kind, c.name FROM verdict JOIN clips c USING (clip_id) WHERE to_operation IS NULL ORDER BY 1",
    ) == [("confirmed", "x"), ("rejected", "y")]


def test_what_comes_back_goes_to_whom_its_speaker_became(registry: Engine, indir: Path) -> None:
    withdraw(registry, [f"{night(5)}/x", f"{night(5)}/y"], AUTHOR)
    merge(registry, ["F0001", "F0002"], AUTHOR)
    move_folder(indir, night(5), night(4))
    withdraw(registry, [night(5)], AUTHOR)
    ingest(registry, [indir], AUTHOR)

    assert set(filed(registry).values()) == {"F0001"}


def test_another_recording_under_a_withdrawn_name_is_taken_in(
    registry: Engine, indir: Path, make_clip: MakeClip
) -> None:
    withdraw(registry, [f"{night(5)}/x"], AUTHOR)
    make_clip("x", 400, night(5), seed=77)
    ingest(registry, [indir], AUTHOR)

    assert filed(registry)[f"{night(5)}/x"] == "F0001"


def test_undo_takes_back_first_what_has_the_name_by_now(registry: Engine, indir: Path, make_clip: MakeClip) -> None:
    taken_out = withdraw(registry, [f"{night(5)}/x"], AUTHOR)
    make_clip("x", 400, night(5), seed=77)
    ingest(registry, [indir], AUTHOR)
    operation = int(str(taken_out.operation_id))
    with pytest.raises(UndoRefused, match="later operations build on it: 4"):
        undo(registry, operation, AUTHOR)
    undo(registry, operation, AUTHOR, with_later=True)

    assert filed(registry)[f"{night(5)}/x"] == "F0002"


def test_a_corrected_clip_comes_back_as_corrected(registry: Engine, indir: Path) -> None:
    move(registry, [f"{night(5)}/x"], "F0001", AUTHOR)
    withdraw(registry, [night(5)], AUTHOR)
    move_folder(indir, night(5), night(4))
    ingest(registry, [indir], AUTHOR)

    assert filed(registry)[f"{night(4)}/x"] == "F0001"


def test_a_plan_takes_nothing_out(registry: Engine) -> None:
    planned = withdraw(registry, [night(6)], AUTHOR, plan_only=True)

    assert planned.effects.clips == (("andaiafm/F0001", "", "", 1),)
    assert len(filed(registry)) == 5


@pytest.mark.parametrize("address", [night(9), f"{night(5)}/nobody", "99"])
def test_what_is_not_there_is_an_error(registry: Engine, address: str) -> None:
    with pytest.raises(UnknownClip):
        withdraw(registry, [f"{night(5)}/x", address], AUTHOR)

    assert len(filed(registry)) == 5
    assert check(registry) == []


def test_who_was_merged_and_parted_again_gets_its_own_clips_back(registry: Engine, indir: Path) -> None:
    merged = merge(registry, ["F0001", "F0002"], AUTHOR)
    undo(registry, int(str(merged.operation_id)), AUTHOR)
    withdraw(registry, [night(5)], AUTHOR)
    move_folder(indir, night(5), night(4))
    ingest(registry, [indir], AUTHOR)

    assert filed(registry)[f"{night(4)}/a"] == "F0001"
    assert filed(registry)[f"{night(4)}/x"] == "F0002"


def test_clips_withdrawn_from_a_speaker_that_is_parted_from_another_afterwards(registry: Engine, indir: Path) -> None:
    merged = merge(registry, ["F0001", "F0002"], AUTHOR)
    withdraw(registry, [f"{night(5)}/a", f"{night(5)}/b"], AUTHOR)
    undo(registry, int(str(merged.operation_id)), AUTHOR)
    shutil.copytree(indir / night(5), indir / night(4))
    ingest(registry, [indir], AUTHOR)

    assert filed(registry)[f"{night(4)}/a"] == "F0001"


def test_a_withdrawal_done_again_by_undoing_its_undo_is_one(registry: Engine, indir: Path) -> None:
    withdraw(registry, [f"{night(5)}/x"], AUTHOR)
    undo(registry, 3, AUTHOR)
    undo(registry, 4, AUTHOR)
    again = ingest(registry, [indir], AUTHOR)
    shutil.copytree(indir / night(5), indir / night(4))
    ingest(registry, [indir / night(4)], AUTHOR)

    assert (again.total["new"], again.total["withdrawn"]) == (0, 1)
    assert filed(registry)[f"{night(4)}/x"] == "F0002"


def test_whoever_is_forgotten_is_so_with_what_was_withdrawn_before_a_merge(registry: Engine, indir: Path) -> None:
    rename(registry, "F0002", "Ana", AUTHOR)
    withdraw(registry, [f"{night(5)}/x", f"{night(5)}/y"], AUTHOR)
    merge(registry, ["F0001", "F0002"], AUTHOR)
    forget_speaker(registry, "F0001", AUTHOR)
    move_folder(indir, night(5), night(4))
    again = ingest(registry, [indir], AUTHOR)

    assert (again.total["new"], again.total["forgotten"]) == (0, 5)
    for table in ("clip", "audio", "embedding", "assignment", "speaker_name", "profile", "certainty"):
        assert rows(registry, f"SELECT count(*) FROM {table}") == [(0,)]


def test_a_speaker_whose_old_clips_were_all_withdrawn_is_forgotten_with_its_nights(registry: Engine) -> None:
    rename(registry, "F0002", "Ana", AUTHOR)
    withdraw(registry, [f"{night(5)}/x", f"{night(5)}/y"], AUTHOR)
    forget_older_than(registry, dt.date(2020, 11, 6), AUTHOR)

    assert rows(registry, "SELECT count(*) FROM speaker_name") == [(0,)]
    assert rows(registry, "SELECT number FROM speakers") == [("F0001",)]


@pytest.mark.parametrize("verb", ["withdraw", "undo"])
def test_forgetting_old_nights_leaves_what_was_taken_out_of_newer_ones(
    engine: Engine, indir: Path, make_clip: MakeClip, verb: str
) -> None:
    make_clip("a", 400, night(5))
    ingest(engine, [indir], AUTHOR)
    for name in "bc":
        make_clip(name, 400, night(7))
    ingest(engine, [indir], AUTHOR)
    if verb == "withdraw":
        withdraw(engine, [night(7)], AUTHOR)
    else:
        undo(engine, 2, AUTHOR)
    forget_older_than(engine, dt.date(2020, 11, 6), AUTHOR)
    sound = check(engine)
    undo(engine, 3, AUTHOR)

    assert sound == []
    assert filed(engine) == {f"{night(7)}/b": "F0001", f"{night(7)}/c": "F0001"}
