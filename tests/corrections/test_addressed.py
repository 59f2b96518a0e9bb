"""A clip is found by its own name before it is found by that of an audio file."""

from pathlib import Path

from sqlalchemy import Connection, Engine, text

from registry.corrections.addressed import find_clips, find_labelled
from registry.ingest import ingest
from tests.conftest import AUTHOR, MakeClip, night


def names(connection: Connection, clip_ids: list[int]) -> list[str]:
    query = text("SELECT name FROM clip WHERE clip_id = ANY(:clip_ids) ORDER BY name")
    return list(connection.execute(query, {"clip_ids": clip_ids}).scalars())


def test_a_clip_that_is_called_like_a_file_is_found_by_its_own_name(
    engine: Engine, indir: Path, make_clip: MakeClip, fake_model: object
) -> None:
    assert fake_model
    make_clip("a", 400)
    make_clip("a.wav", 1200)
    ingest(engine, [indir], AUTHOR)

    with engine.connect() as connection:
        found, _ = find_labelled(connection, [f"{night(5)}/a.wav", f"{night(5)}/a", f"{night(5)}/a.wav.wav"])
        assert names(connection, find_clips(connection, [f"{night(5)}/a.wav"])) == ["a.wav"]
        assert [names(connection, clip_ids) for clip_ids in found.values()] == [["a.wav"], ["a"], ["a.wav"]]
