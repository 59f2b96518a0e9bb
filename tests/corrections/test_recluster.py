"""All clips are clustered anew: the numbers live on by greatest overlap, and what people said stays."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from registry.corrections.consolidate import consolidate
from registry.corrections.merge import merge
from registry.corrections.move import confirm, move
from registry.corrections.rename import rename
from registry.corrections.undo import undo
from registry.database.check import check
from registry.ingest import ingest
from tests.conftest import AUTHOR, MakeClip, mistake, night
from tests.corrections.test_any_sequence import state

pytestmark = pytest.mark.usefixtures("fake_model")
VOICES = {"a": 400, "b": 1500, "c": 3000}  # as a hertz each


@pytest.fixture
def registry(engine: Engine, indir: Path, make_clip: MakeClip) -> Engine:
    """Three voices, F0001 to F0003, with four clips each."""
    for name, pitch_hz in VOICES.items():
        for number in range(4):
            make_clip(f"{name}{number}", pitch_hz, night(5))
    ingest(engine, [indir], AUTHOR)
    return engine


def numbers(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(text("SELECT name, number FROM clips ORDER BY name"))}


def aliases(engine: Engine) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        return [(row[0], row[1]) for row in connection.execute(text("SELECT alias, number FROM aliases ORDER BY 1"))]


def test_a_sound_registry_stays_as_it_is(registry: Engine) -> None:
    before = state(registry)
    found = consolidate(registry, AUTHOR, full=True)

    assert found.outcome.operation_id is None
    assert found.gap
    assert (found.gap.moved, found.gap.agreement) == (0, 1)
    assert state(registry) == before


def test_mistakes_are_mended_and_undo_brings_them_back(registry: Engine) -> None:
    right = numbers(registry)
    mistake(registry, ["b0"], "F0001")
    mistake(registry, ["c2", "c3"], None)
    wrong = state(registry)
    found = consolidate(registry, AUTHOR, full=True)

    assert numbers(registry) == right
    assert aliases(registry) == [("F0004", "F0003")]
    assert found.gap
    assert (found.gap.clips, found.gap.moved) == (12, 3)
    assert check(registry) == []
    undo(registry, int(str(found.outcome.operation_id)), AUTHOR)
    assert state(registry) == wrong
    assert check(registry) == []


def test_the_lower_number_stays_where_two_speakers_become_one(registry: Engine) -> None:
    mistake(registry, ["a1", "a2", "a3"], None)
    consolidate(registry, AUTHOR, full=True)

    assert {numbers(registry)[f"a{number}"] for number in range(4)} == {"F0001"}
    assert aliases(registry) == [("F0004", "F0001")]
    assert check(registry) == []


def test_two_voices_under_one_number_are_parted(registry: Engine) -> None:
    mistake(registry, ["b0", "b1", "b2", "b3"], "F0001")
    consolidate(registry, AUTHOR, full=True)
    found = numbers(registry)

    assert {found[f"a{number}"] for number in range(4)} == {"F0001"}
    assert len({found[f"b{number}"] for number in range(4)} - {"F0001"}) == 1
    assert check(registry) == []


def test_a_plan_shows_the_gap_and_changes_nothing(registry: Engine) -> None:
    mistake(registry, ["b0"], "F0001")
    wrong = state(registry)
    found = consolidate(registry, AUTHOR, full=True, plan_only=True)

    assert found.gap
    assert found.gap.moved == 1
    assert found.gap.agreement < 1
    assert state(registry) == wrong


def test_what_people_said_stays(registry: Engine) -> None:
    mistake(registry, ["b0"], "F0001")
    rename(registry, "F0001", "Ana", AUTHOR)  # a name is for the voice as it is now
    merge(registry, ["F0002", "F0003"], AUTHOR)
    moved = move(registry, [f"{night(5)}/c3"], "new", AUTHOR)
    before = numbers(registry)
    consolidate(registry, AUTHOR, full=True)

    assert moved.operation_id
    assert numbers(registry) == before
    assert check(registry) == []


def test_a_confirmed_speaker_gains_no_clip_but_a_named_one_does(registry: Engine) -> None:
    mistake(registry, ["a3"], None)
    mistake(registry, ["b3"], None)
    confirm(registry, ["F0001"], AUTHOR)
    rename(registry, "F0002", "Eva", AUTHOR)
    consolidate(registry, AUTHOR, full=True)
    found = numbers(registry)

    assert found["a3"] == "F0004"
    assert found["b3"] == "F0002"
    assert check(registry) == []
