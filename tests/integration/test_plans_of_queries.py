"""The documented questions are answered by index: EXPLAIN names no table of clips that is read as a whole."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from registry.check import check
from registry.database import reach
from registry.embedded import EmbeddedServer
from tests.benchmarks.synthetic import fill

CLIPS = 20_000
LARGE = {"clip", "assignment", "embedding", "audio"}
BY_NUMBER = "WHERE broadcaster = 'andaiafm' AND number = 'F0017'"
QUESTIONS = {
    "a speaker by number": f"SELECT * FROM speakers {BY_NUMBER}",
    "a speaker by number anywhere": "SELECT * FROM speakers WHERE number = 'F0017'",
    "a speaker by key": "SELECT * FROM speakers WHERE speaker_id = 17",
    "a host by key": "SELECT * FROM speakers WHERE speaker_id = 1",
    "the clips of a speaker by key": "SELECT * FROM clips WHERE speaker_id = 17",
    "the clips of a speaker by number": f"SELECT * FROM clips {BY_NUMBER}",
    "the clips of a night": "SELECT * FROM clips WHERE broadcaster = 'andaiafm' AND date = '2000-01-05'",
    "one clip": "SELECT * FROM clips WHERE clip_id = 77",
    "the nights of a speaker by key": "SELECT * FROM speaker_nights WHERE speaker_id = 17",
    "the nights of a speaker by number": f"SELECT * FROM speaker_nights {BY_NUMBER}",
    "the history of a clip": "SELECT * FROM assignment_history WHERE clip_id = 77",
    "what an operation touched": "SELECT speaker_id FROM assignment WHERE 80 IN (from_operation, to_operation)",
    "the last number": "SELECT max(number) FROM speaker_number WHERE broadcaster = 'andaiafm' AND gender = 'F'",
    "whether a folder is an input folder": """
        SELECT EXISTS (SELECT FROM clip WHERE regexp_replace(wav_path, '/[^/]*/[^/]*$', '') = '/elsewhere')""",
}


@pytest.fixture(scope="module")
def filled(server: EmbeddedServer) -> Iterator[Engine]:
    """A registry of 20,000 clips of 1,000 speakers, with its statistics."""
    server.ensure_database("filled")
    with reach(server.url("filled")) as opened:
        fill(opened.engine, CLIPS, Path("/nights"))
        yield opened.engine


def plan_of(engine: Engine, question: str) -> dict[str, object]:
    with engine.connect() as connection:
        answer = connection.execute(text(f"EXPLAIN (FORMAT JSON) {question}")).scalar_one()
    plan: dict[str, object] = answer[0]["Plan"]
    return plan


def read_whole(plan: dict[str, object]) -> set[str]:
    """Name the tables that a plan reads from beginning to end."""
    here = {str(plan["Relation Name"])} if "Seq Scan" in str(plan["Node Type"]) else set()
    parts = plan.get("Plans", [])
    assert isinstance(parts, list)
    return here.union(*(read_whole(part) for part in parts))


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS.keys())
def test_a_documented_question_reads_no_large_table_whole(filled: Engine, question: str) -> None:
    assert read_whole(plan_of(filled, question)) & LARGE == set()


def test_a_question_about_everybody_is_noticed(filled: Engine) -> None:
    assert read_whole(plan_of(filled, "SELECT sum(duration_s) FROM clips")) & LARGE


@pytest.mark.parametrize("function", ["similar_speakers", "similar_clips"])
def test_the_planner_itself_takes_the_vector_index(filled: Engine, function: str) -> None:
    scans = text("""SELECT pg_stat_get_xact_numscans('profile_model_1_hnsw'::regclass),
                           pg_stat_get_xact_tuples_returned('embedding'::regclass)""")
    with filled.connect() as connection:
        # As if there were 50,000 speakers; among 1,000 a look at each is as fast.
        connection.exec_driver_sql("UPDATE pg_class SET reltuples = 50 * reltuples WHERE relname = 'profile'")
        found = connection.execute(text(f"SELECT * FROM {function}(1)")).all()

        assert len(found) == 10
        assert connection.execute(scans).one() == (1, 0)  # one look into the index, no vector read in passing


def test_what_was_filled_in_is_sound(filled: Engine) -> None:
    assert check(filled) == []
