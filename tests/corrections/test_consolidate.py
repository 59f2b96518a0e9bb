"""Speakers that are one voice are joined, those that may be are asked about, and what people said stays."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from registry.corrections.addressed import find_clips
from registry.corrections.change import Change, change
from registry.corrections.consolidate import consolidate
from registry.corrections.merge import different, merge, unite_speakers
from registry.corrections.move import confirm, make_speaker, move
from registry.corrections.undo import undo
from registry.database.check import check
from registry.database.store import corrections
from registry.database.store.addresses import find_speaker
from registry.errors import CorrectionRefused
from registry.ingest import ingest
from tests.conftest import AUTHOR, MakeClip, mistake, night

pytestmark = pytest.mark.usefixtures("fake_model")


@pytest.fixture
def registry(engine: Engine, indir: Path, make_clip: MakeClip) -> Engine:
    """One voice under two numbers, F0001 and F0003, and another voice."""
    for name in "abcd":
        make_clip(name, 400, night(5))
    make_clip("x", 3000, night(5))
    ingest(engine, [indir], AUTHOR)
    mistake(engine, ["c", "d"], None)
    return engine


def numbers(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT number FROM clips ORDER BY name")).scalars())


def test_one_voice_gets_one_number_and_undo_parts_it_again(registry: Engine) -> None:
    before = numbers(registry)
    found = consolidate(registry, AUTHOR)
    joined = numbers(registry)
    undo(registry, int(str(found.outcome.operation_id)), AUTHOR)

    assert before == ["F0001", "F0001", "F0003", "F0003", "F0002"]
    assert joined == ["F0001"] * 4 + ["F0002"]
    assert numbers(registry) == before
    assert check(registry) == []


def test_a_plan_joins_nothing(registry: Engine) -> None:
    found = consolidate(registry, AUTHOR, plan_only=True)

    assert found.outcome.effects.numbers == (("andaiafm/F0003", "alias", "andaiafm/F0001"),)
    assert numbers(registry)[2] == "F0003"


def test_different_people_stay_two(registry: Engine) -> None:
    different(registry, "F0001", "F0003", AUTHOR)
    found = consolidate(registry, AUTHOR)

    assert numbers(registry)[2] == "F0003"
    assert found.questions == ()


def test_a_confirmed_speaker_is_only_asked_about(registry: Engine) -> None:
    confirm(registry, ["F0003"], AUTHOR)
    found = consolidate(registry, AUTHOR)

    assert numbers(registry)[2] == "F0003"
    assert [(q.one, q.other) for q in found.questions] == [("andaiafm/F0001", "andaiafm/F0003")]


def test_an_empty_registry_has_nothing_to_consolidate(engine: Engine) -> None:
    with pytest.raises(CorrectionRefused, match="empty"):
        consolidate(engine, AUTHOR)


def test_clips_that_a_person_moved_away_are_not_brought_back(registry: Engine) -> None:
    move(registry, [f"{night(5)}/a"], "new", AUTHOR)
    consolidate(registry, AUTHOR)

    assert numbers(registry)[0] != numbers(registry)[1]


def test_two_voices_under_one_number_are_parted(engine: Engine, indir: Path, make_clip: MakeClip) -> None:
    for number in range(4):
        make_clip(f"a{number}", 400, night(5))
        make_clip(f"b{number}", 3000, night(5))
    ingest(engine, [indir], AUTHOR)
    mistake(engine, ["b0", "b1", "b2"], "F0001")
    wrong = numbers(engine)
    found = consolidate(engine, AUTHOR)

    assert wrong == ["F0001"] * 7 + ["F0002"]
    assert numbers(engine) == ["F0001"] * 4 + ["F0002"] * 4
    assert check(engine) == []
    undo(engine, int(str(found.outcome.operation_id)), AUTHOR)
    assert numbers(engine) == wrong
    assert check(engine) == []


def test_a_speaker_of_whom_a_person_said_anything_is_not_parted(
    engine: Engine, indir: Path, make_clip: MakeClip
) -> None:
    for number in range(4):
        make_clip(f"a{number}", 400, night(5))
        make_clip(f"b{number}", 3000, night(5))
    ingest(engine, [indir], AUTHOR)
    merge(engine, ["F0001", "F0002"], AUTHOR)
    found = consolidate(engine, AUTHOR)

    assert set(numbers(engine)) == {"F0001"}
    assert (found.outcome.operation_id, found.doubts) == (None, ())


def test_a_speaker_parted_and_joined_back_within_one_operation_leaves_no_gap_in_the_numbers(registry: Engine) -> None:
    def act(under_way: Change) -> Mapping[str, object]:
        connection = under_way.connection
        parted = [make_speaker(under_way, "F") for _ in range(3)]
        for speaker_id, name in zip(parted, "abc", strict=True):
            corrections.reassign(
                connection, find_clips(connection, [f"{night(5)}/{name}"]), speaker_id, "parted", under_way.operation_id
            )
        unite_speakers(under_way, parted[0], find_speaker(connection, "F0003").speaker_id, "joined")
        return {}

    change(registry, AUTHOR, "consolidate", act)

    assert numbers(registry) == ["F0003", "F0004", "F0005", "F0003", "F0002"]
    assert check(registry) == []
