"""What every column of the views says, of a small registry: two nights of one woman and a merge."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from registry.corrections.merge import merge
from registry.corrections.rename import rename
from registry.ingest import ingest
from tests.conftest import AUTHOR, MakeClip, mistake, night

FIRST, SECOND = dt.date(2020, 11, 5), dt.date(2020, 11, 6)


@pytest.fixture
def filled(engine: Engine, indir: Path, make_clip: MakeClip, fake_model: object) -> Engine:
    """Give F0001 three clips; b was held to be F0002 for a while, which is its alias now."""
    assert fake_model
    make_clip("a", 400, night(5), text="bom dia")
    make_clip("b", 400, night(5), seconds=2.0)
    make_clip("c", 400, night(6), rate=8_000)
    ingest(engine, [indir], AUTHOR)
    mistake(engine, ["b"], None)
    merge(engine, ["F0001", "F0002"], AUTHOR)
    rename(engine, "F0001", "Maria", AUTHOR, notes="reads the news")
    return engine


def only_row(engine: Engine, query: str) -> dict[str, Any]:
    with engine.connect() as connection:
        return dict(connection.execute(text(query)).mappings().one())


def test_clips(filled: Engine, indir: Path) -> None:
    row = only_row(filled, "SELECT * FROM clips WHERE name = 'c'")

    assert {name: value for name, value in row.items() if name not in ("audio_hash", "score")} == {
        "clip_id": 3,
        "broadcaster": "andaiafm",
        "date": SECOND,
        "gender": "F",
        "name": "c",
        "speaker_id": 1,
        "number": "F0001",
        "duration_s": 1.0,
        "transcript": "bom dia",
        "reason": row["reason"],
        "runner_up_id": None,
        "runner_up_score": None,
        "wav_path": str(indir / night(6) / "c.wav"),
        "txt_path": str(indir / night(6) / "c.txt"),
        "sample_rate_hz": 8_000,
        "channels": 1,
        "operation_id": 2,
        "speaker_name": "Maria",
        "probability": row["probability"],
        "runner_up_probability": None,
        "probability_now": row["probability_now"],
        "exported_as": "andaiafm20201106/andaiafm20201106-F0001/andaiafm20201106F0001_000000.wav",
    }
    assert len(str(row["audio_hash"])) == 64


def test_speakers(filled: Engine) -> None:
    assert only_row(filled, "SELECT * FROM speakers") == {
        "speaker_id": 1,
        "broadcaster": "andaiafm",
        "number": "F0001",
        "gender": "F",
        "clips": 3,
        "duration_s": 4.0,
        "nights": 2,
        "first_night": FIRST,
        "last_night": SECOND,
        "name": "Maria",
        "notes": "reads the news",
        "is_provisional": False,
    }


def test_speaker_nights(filled: Engine) -> None:
    assert only_row(filled, "SELECT * FROM speaker_nights WHERE date = '2020-11-05'") == {
        "speaker_id": 1,
        "broadcaster": "andaiafm",
        "number": "F0001",
        "gender": "F",
        "date": FIRST,
        "clips": 2,
        "duration_s": 3.0,
    }


def test_aliases(filled: Engine) -> None:
    assert only_row(filled, "SELECT * FROM aliases") == {
        "broadcaster": "andaiafm",
        "alias": "F0002",
        "number": "F0001",
        "speaker_id": 1,
        "operation_id": 4,
    }


def test_assignment_history(filled: Engine) -> None:
    row = only_row(filled, "SELECT * FROM assignment_history WHERE name = 'b' AND speaker_id = 2")

    assert {name: row[name] for name in row if not name.endswith("_time")} == {
        "clip_id": 2,
        "broadcaster": "andaiafm",
        "date": FIRST,
        "gender": "F",
        "name": "b",
        "speaker_id": 2,
        "reason": "matched",
        "score": None,
        "runner_up_id": None,
        "runner_up_score": None,
        "from_operation": 3,
        "user_name": AUTHOR.user_name,
        "to_operation": 4,
    }
    assert row["from_time"] <= row["to_time"]
