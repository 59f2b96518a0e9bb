"""A night adds to the profiles of the speakers it gives clips, and they stay the mean over all of them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from registry.corrections.move import move
from registry.database.check import check
from registry.database.store.speakers import refresh_profiles
from registry.ingest import ingest
from tests.conftest import AUTHOR, MakeClip, night

pytestmark = pytest.mark.usefixtures("fake_model")
PROFILE = "SELECT audios, duration_s, inverse_s, mean::text FROM profile ORDER BY speaker_id"


def rows(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


@pytest.fixture
def recomputed(monkeypatch: pytest.MonkeyPatch) -> list[set[int]]:
    """List the speakers whose profiles are computed from all their clips, step by step."""
    asked: list[set[int]] = []

    def noting(refresh: Callable[..., None]) -> Callable[..., None]:
        def note(connection: object, speaker_ids: set[int]) -> None:
            asked.append(set(speaker_ids))
            refresh(connection, speaker_ids)

        return note

    monkeypatch.setattr("registry.database.store.speakers.refresh_profiles", noting(refresh_profiles))
    return asked


def test_a_known_voice_is_added_to_and_equals_its_mean(
    engine: Engine, indir: Path, make_clip: MakeClip, recomputed: list[set[int]]
) -> None:
    for day in range(1, 8):
        for number in range(day):
            make_clip(f"host{number}", 400, night(day), seconds=1 + number / 4)
        ingest(engine, [indir], AUTHOR)
    grown = rows(engine, PROFILE)
    with engine.begin() as connection:
        refresh_profiles(connection, [1])

    assert [speakers for speakers in recomputed if speakers] == [{1}]
    assert grown[0][0] == sum(range(8))
    assert grown[0][1:3] == pytest.approx(rows(engine, PROFILE)[0][1:3], rel=1e-12)
    assert check(engine) == []


def test_audio_that_comes_again_counts_once(engine: Engine, indir: Path, make_clip: MakeClip) -> None:
    make_clip("jingle", 400, seed=1)
    make_clip("host", 400, seed=2)
    ingest(engine, [indir], AUTHOR)
    make_clip("jingle", 400, night(6), seed=1)
    make_clip("host", 400, night(6), seed=3)
    ingest(engine, [indir], AUTHOR)

    assert rows(engine, "SELECT audios FROM profile") == [(3,)]
    assert check(engine) == []


def test_doubtful_clips_add_nothing_and_the_first_certain_ones_take_their_place(
    engine: Engine, indir: Path, make_clip: MakeClip
) -> None:
    make_clip("short", 400, seconds=0.6)
    ingest(engine, [indir], AUTHOR)
    for number in range(3):
        make_clip(f"long{number}", 400, night(6), seconds=3)
    ingest(engine, [indir], AUTHOR)
    certain = rows(engine, "SELECT audios FROM profile")
    make_clip("short", 400, night(7), seconds=0.7)
    ingest(engine, [indir], AUTHOR)

    assert rows(engine, "SELECT DISTINCT number FROM clips") == [("F0001",)]
    assert (certain, rows(engine, "SELECT audios FROM profile")) == ([(3,)], [(3,)])
    assert check(engine) == []


def test_a_correction_computes_anew_and_nights_go_on_from_there(
    engine: Engine, indir: Path, make_clip: MakeClip
) -> None:
    for day in (5, 6):
        for number in range(3):
            make_clip(f"host{number}", 400, night(day))
        ingest(engine, [indir], AUTHOR)
    move(engine, [f"{night(6)}/host1"], "new", AUTHOR)
    sums = rows(engine, "SELECT sums FROM profile")
    make_clip("late", 400, night(7))
    ingest(engine, [indir], AUTHOR)

    assert sums == [(None,), (None,)]
    assert check(engine) == []
