"""Whatever writes assignments, the totals of speakers stay what their clips add up to."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from registry.corrections.forget import forget_older_than, forget_speaker
from registry.corrections.merge import merge
from registry.corrections.move import move
from registry.corrections.undo import undo
from registry.database.check import check
from registry.ingest import ingest
from tests.conftest import AUTHOR, MakeClip, night

pytestmark = pytest.mark.usefixtures("fake_model")
TOTALS = "SELECT number, clips, duration_s, nights, first_night::text, last_night::text FROM speakers ORDER BY number"
BOTH = [("F0001", 3, 6.0, 2, "2020-11-05", "2020-11-06"), ("F0002", 1, 3.0, 1, "2020-11-05", "2020-11-05")]
TO_THE_SECOND = "UPDATE assignment SET speaker_id = 2 WHERE clip_id = (SELECT clip_id FROM clip WHERE name = '{}')"


@pytest.fixture
def heard(engine: Engine, indir: Path, make_clip: MakeClip) -> Engine:
    """A voice on two nights, 1, 2 and 3 s, and another of 3 s on the first."""
    make_clip("a", 400, night(5), seconds=1)
    make_clip("b", 400, night(5), seconds=2)
    make_clip("c", 1200, night(5), seconds=3)
    make_clip("d", 400, night(6), seconds=3)
    ingest(engine, [indir], AUTHOR)
    return engine


def totals(engine: Engine) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(TOTALS))]


def kept_rows(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        query = text("SELECT (SELECT count(*) FROM speaker_night), (SELECT count(*) FROM speaker_total)")
        return list(connection.execute(query).one())


def test_a_night_is_added_up(heard: Engine) -> None:
    assert totals(heard) == BOTH
    assert kept_rows(heard) == [3, 2]


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (
            TO_THE_SECOND.format("a"),
            [("F0001", 2, 5.0, 2, "2020-11-05", "2020-11-06"), ("F0002", 2, 4.0, 1, "2020-11-05", "2020-11-05")],
        ),
        (
            TO_THE_SECOND.format("d"),
            [("F0001", 2, 3.0, 1, "2020-11-05", "2020-11-05"), ("F0002", 2, 6.0, 2, "2020-11-05", "2020-11-06")],
        ),
        (
            "UPDATE assignment SET speaker_id = 3 - speaker_id WHERE clip_id <> (SELECT max(clip_id) FROM clip)",
            [("F0001", 2, 6.0, 2, "2020-11-05", "2020-11-06"), ("F0002", 2, 3.0, 1, "2020-11-05", "2020-11-05")],
        ),
        (
            "UPDATE assignment SET to_operation = 2 WHERE speaker_id = 2",
            [BOTH[0], ("F0002", 0, 0.0, 0, None, None)],
        ),
        ("UPDATE assignment SET score = 0.5", BOTH),
        ("DELETE FROM assignment WHERE to_operation IS NOT NULL", BOTH),
        (
            "DELETE FROM assignment",
            [("F0001", 0, 0.0, 0, None, None), ("F0002", 0, 0.0, 0, None, None)],
        ),
    ],
    ids=[
        "one leaves",
        "a night goes over",
        "one for two",
        "closed",
        "nothing of it",
        "none that stands",
        "all deleted",
    ],
)
def test_any_statement_is_counted(heard: Engine, statements: str, expected: list[tuple[object, ...]]) -> None:
    with heard.begin() as connection:
        connection.execute(text(statements))

    assert totals(heard) == expected
    assert [found for found in check(heard) if "add up" in found.invariant] == []


def test_a_merge_and_a_move_are_counted_and_an_undo_brings_back_the_very_sums(heard: Engine) -> None:
    merged = merge(heard, ["F0001", "F0002"], AUTHOR).operation_id
    together = totals(heard)
    undo(heard, merged or 0, AUTHOR)
    apart = totals(heard)
    moved = move(heard, [f"{night(6)}/d"], "F0002", AUTHOR).operation_id
    after = totals(heard)
    undo(heard, moved or 0, AUTHOR)

    assert together == [("F0001", 4, 9.0, 2, "2020-11-05", "2020-11-06")]
    assert after[1] == ("F0002", 2, 6.0, 2, "2020-11-05", "2020-11-06")
    assert apart == totals(heard) == BOTH
    assert check(heard) == []


def test_what_is_forgotten_leaves_no_totals(heard: Engine) -> None:
    forget_speaker(heard, "F0001", AUTHOR)

    assert kept_rows(heard) == [1, 1]
    assert totals(heard) == [BOTH[1]]
    assert check(heard) == []


def test_forgotten_nights_move_the_first_one(heard: Engine) -> None:
    with heard.connect() as connection:
        second = connection.execute(text("SELECT max(date) FROM clip_group")).scalar_one()
    forget_older_than(heard, second, AUTHOR)

    assert totals(heard) == [("F0001", 1, 3.0, 1, "2020-11-06", "2020-11-06")]
    assert check(heard) == []
