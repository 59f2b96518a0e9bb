"""The documented questions are answered by index: EXPLAIN names no table of clips that is read as a whole."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from registry.database.check import check
from registry.database.embedded import EmbeddedServer
from registry.database.reach import reach
from tests.benchmarks.synthetic import fill
from tests.questions import QUESTIONS, examples_of_the_documents

CLIPS = 20_000
LARGE = {"clip", "assignment", "embedding", "audio", "speaker_night"}


@pytest.fixture(scope="module")
def filled(server: EmbeddedServer) -> Iterator[Engine]:
    """A registry of 20,000 clips of 1,000 speakers, with its statistics."""
    name = f"filled_{uuid4().hex}"  # made anew where other tests come between those of this module
    server.ensure_database(name)
    with reach(server.url(name), create=True) as opened:
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


@pytest.mark.parametrize("question", examples_of_the_documents())
def test_an_example_of_a_document_reads_no_large_table_whole_unless_it_searches_transcripts(
    filled: Engine, question: str
) -> None:
    is_search = "ILIKE" in question

    assert bool(read_whole(plan_of(filled, question)) & LARGE) == is_search


def test_a_question_about_all_clips_is_noticed(filled: Engine) -> None:
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
