"""similar_speakers and similar_clips: the order that numpy gives, by the vector index of the speakers."""

from collections.abc import Iterator
from uuid import uuid4

import numpy as np
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from registry.core.records import Floats
from registry.database.embedded import EmbeddedServer
from registry.database.reach import reach
from registry.database.store.models import add_model

CLIPS = 600
DIMENSION = 16


@pytest.fixture(scope="module")
def vectors() -> Floats:
    """One vector for every clip, whose speaker is heard in it alone."""
    return np.random.default_rng(7).standard_normal((CLIPS, DIMENSION)).astype(np.float32)


@pytest.fixture(scope="module")
def filled(server: EmbeddedServer, vectors: Floats) -> Iterator[Engine]:
    """A registry of as many speakers as clips; keys count from 1 in the order of the vectors."""
    name = f"similar_{uuid4().hex}"  # made anew where other tests come between those of this module
    server.ensure_database(name)
    rows = [{"vector": str(vector.tolist())} for vector in vectors]
    with reach(server.url(name), create=True) as opened:
        with opened.engine.begin() as connection:
            add_model(connection, "campplus", "fingerprint", DIMENSION)
            connection.execute(text("CREATE TEMPORARY TABLE given (n serial, vector vector)"))
            connection.execute(text("INSERT INTO given (vector) VALUES (CAST(:vector AS vector))"), rows)
            for statement in FILL:
                connection.execute(text(statement))
        yield opened.engine


FILL = (
    "INSERT INTO registry VALUES (true, 1, 'registry')",
    "INSERT INTO operation (operation_id, kind, user_name, command, summary) VALUES (1, 'ingest', '', '', '{}')",
    "INSERT INTO clip_group (broadcaster, gender, date) VALUES ('andaiafm', 'F', '2020-11-05')",
    """INSERT INTO audio (audio_hash, duration_s, sample_rate_hz, channels)
       SELECT sha256(n::text::bytea), 1, 16000, 1 FROM given ORDER BY n""",
    "INSERT INTO embedding SELECT n, 1, vector FROM given",
    """INSERT INTO clip (group_id, name, audio_id, transcript, wav_path, wav_size, wav_mtime_ns, wav_sha256,
                         txt_path, txt_size, txt_mtime_ns, txt_sha256, operation_id)
       SELECT 1, n, n, '', '', 0, 0, '', '', 0, 0, '', 1 FROM given ORDER BY n""",
    "INSERT INTO speaker (gender, operation_id) SELECT 'F', 1 FROM given",
    """INSERT INTO speaker_number (broadcaster, gender, number, speaker_id, is_alias, from_operation)
       SELECT 'andaiafm', 'F', n, n, false, 1 FROM given
       UNION ALL SELECT 'radiox', 'F', n, n, false, 1 FROM given WHERE n <= 2
       UNION ALL SELECT 'radiox', 'F', 3, 2, true, 1""",
    "INSERT INTO assignment (clip_id, speaker_id, reason, from_operation) SELECT n, n, 'new', 1 FROM given",
    "INSERT INTO profile SELECT n, 1, vector, 1, 1, 1 FROM given",
    "ANALYZE",
)


def nearest(vectors: Floats, to: int, k: int) -> tuple[list[int], Floats]:
    """Give the keys of the k nearest to a key but itself, and their cosines."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit[to - 1]
    order = np.argsort(-cosines)[1 : k + 1]
    return (order + 1).tolist(), cosines[order]


@pytest.mark.parametrize("function", ["similar_speakers", "similar_clips"])
@pytest.mark.parametrize("key", [1, 300, CLIPS])
def test_the_nearest_come_first_with_their_cosine(filled: Engine, vectors: Floats, function: str, key: int) -> None:
    with filled.connect() as connection:
        rows = connection.execute(text(f"SELECT * FROM {function}({key}, 5)")).all()

    keys, cosines = nearest(vectors, key, 5)
    assert [row[0] for row in rows] == keys
    np.testing.assert_allclose([row.similarity for row in rows], cosines, atol=2e-3)


@pytest.mark.parametrize(
    ("called", "key"),
    [("F0300", 300), ("andaiafm/F0300", 300), ("f300", 300), ("radiox/F0001", 1), ("radiox/F0003", 2)],
)
def test_a_speaker_is_called_by_number_too(filled: Engine, called: str, key: int) -> None:
    with filled.connect() as connection:
        by_number = connection.execute(text(f"SELECT * FROM similar_speakers('{called}', 5)")).all()

        assert by_number == connection.execute(text(f"SELECT * FROM similar_speakers({key}, 5)")).all()


@pytest.mark.parametrize(
    ("called", "words"),
    [("F9999", "there is no speaker 'F9999'"), ("x", "there is no speaker 'x'"), ("F0003", "the number of several")],
)
def test_a_number_that_is_nobodys_or_anybodys_is_an_error(filled: Engine, called: str, words: str) -> None:
    with filled.connect() as connection, pytest.raises(DBAPIError, match=words):
        connection.execute(text(f"SELECT * FROM similar_speakers('{called}')"))


def test_speakers_come_with_their_numbers_everywhere(filled: Engine) -> None:
    with filled.connect() as connection:
        found = connection.execute(text(f"SELECT speaker_id, numbers, gender FROM similar_speakers(1, {CLIPS})"))

        assert (2, "andaiafm F0002, radiox F0002", "F") in [tuple(row) for row in found]


@pytest.mark.parametrize("function", ["similar_speakers", "similar_clips"])
def test_more_than_the_index_gives_at_once_are_found_and_still_in_order(filled: Engine, function: str) -> None:
    """Of an index scan alone, hnsw.ef_search = 400 would be all."""
    with filled.connect() as connection:
        connection.exec_driver_sql("SET LOCAL enable_sort = off")  # by cost, so few rows are sorted
        rows = connection.execute(text(f"SELECT * FROM {function}(1, 500)")).all()

    assert len({row[0] for row in rows}) == 500
    assert [row.similarity for row in rows] == sorted((row.similarity for row in rows), reverse=True)


@pytest.mark.parametrize("function", ["similar_speakers", "similar_clips"])
@pytest.mark.parametrize("key", [0, -1, CLIPS + 1])
def test_an_unknown_key_has_no_neighbours(filled: Engine, function: str, key: int) -> None:
    with filled.connect() as connection:
        assert connection.execute(text(f"SELECT * FROM {function}({key})")).all() == []


@pytest.mark.parametrize("function", ["similar_speakers", "similar_clips"])
def test_an_empty_registry_has_no_neighbours(engine: Engine, function: str) -> None:
    with engine.connect() as connection:
        assert connection.execute(text(f"SELECT * FROM {function}(1)")).all() == []


@pytest.mark.parametrize("function", ["similar_speakers", "similar_clips"])
def test_the_vector_index_serves(filled: Engine, function: str) -> None:
    scans = text("SELECT pg_stat_get_xact_numscans('profile_model_1_hnsw'::regclass)")
    with filled.connect() as connection:
        connection.exec_driver_sql("SET LOCAL enable_sort = off")  # by cost, so few rows are sorted
        connection.execute(text(f"SELECT * FROM {function}(1)")).all()

        assert connection.execute(scans).scalar_one() == 1
