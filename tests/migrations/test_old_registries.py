"""What a migration has to do with rows of particular kinds, and that these can be worked with afterwards."""

from collections.abc import Iterator

import pytest
from alembic import command
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import NullPool

from registry.corrections.merge import merge
from registry.corrections.undo import undo
from registry.database.check import check
from registry.database.schema import alembic_config, ensure_pgvector, upgrade
from registry.ingest import ingest
from tests.conftest import AUTHOR, MakeClip, night
from tests.fix_server import TcpServer

# As the first version left it after two nights of three clips: two voices, one of them heard on both nights.
REGISTRY_OF_0001 = (
    "INSERT INTO embedding_model (name, fingerprint, dimension) VALUES ('campplus', 'fake-fingerprint', 40)",
    """CREATE INDEX embedding_model_1_hnsw ON embedding USING hnsw ((vector::halfvec(40)) halfvec_cosine_ops)
       WHERE model_id = 1""",
    """CREATE INDEX profile_model_1_hnsw ON profile USING hnsw ((mean::halfvec(40)) halfvec_cosine_ops)
       WHERE model_id = 1""",
    "INSERT INTO registry VALUES (true, 1, 'registry')",
    """INSERT INTO operation (kind, user_name, command, summary)
       SELECT 'ingest', 'maria', 'registry ingest /in', '{}' FROM generate_series(1, 2)""",
    """INSERT INTO clip_group (broadcaster, gender, date)
       VALUES ('andaiafm', 'F', '2020-11-05'), ('andaiafm', 'F', '2020-11-06')""",
    """INSERT INTO audio (audio_hash, duration_s, sample_rate_hz, channels)
       SELECT sha256(n::text::bytea), n, 16000, 1 FROM generate_series(1, 3) n""",
    """INSERT INTO embedding SELECT n, 1, (array_fill(0, ARRAY[n]) || ARRAY[1] || array_fill(0, ARRAY[39 - n]))::vector
       FROM generate_series(1, 3) n""",
    """INSERT INTO clip (group_id, name, audio_id, transcript, wav_path, wav_size, wav_mtime_ns, wav_sha256,
                         txt_path, txt_size, txt_mtime_ns, txt_sha256, operation_id)
       SELECT g, 'clip-' || n, n, 'bom dia', '/in/x.wav', 1, 1, sha256(n::text::bytea), '/in/x.txt', 1, 1, 'txt', g
       FROM (VALUES (1, 1), (1, 2), (2, 3)) had (g, n)""",
    "INSERT INTO speaker (gender, operation_id) VALUES ('F', 1), ('F', 1)",
    "INSERT INTO speaker_number VALUES ('andaiafm', 'F', 1, 1, 1), ('andaiafm', 'F', 2, 2, 1)",
    """INSERT INTO assignment (clip_id, speaker_id, reason, score, from_operation)
       VALUES (1, 1, 'new', NULL, 1), (2, 2, 'new', NULL, 1), (3, 1, 'matched', 0.9, 2)""",
    """INSERT INTO profile
       SELECT speaker_id, 1, avg(l2_normalize(vector)), count(*), sum(duration_s)
       FROM assignment JOIN clip USING (clip_id) JOIN embedding USING (audio_id) JOIN audio USING (audio_id)
       GROUP BY speaker_id""",
)


@pytest.fixture
def old(tcp_server: TcpServer, empty: str) -> Iterator[Engine]:
    """A registry at revision 0001."""
    address = conninfo_to_dict(tcp_server.url(empty))
    engine = create_engine("postgresql+psycopg://", connect_args=address, poolclass=NullPool)
    with engine.begin() as connection:
        ensure_pgvector(connection, "shown")
        command.upgrade(alembic_config(connection), "0001")
        for statement in REGISTRY_OF_0001:
            connection.exec_driver_sql(statement)
    yield engine
    engine.dispose()


@pytest.fixture
def upgraded(old: Engine) -> Engine:
    """The same at the newest revision."""
    with old.begin() as connection:
        assert upgrade(connection, "shown")
    return old


def rows(connection: Connection, query: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.execute(text(query))]


def test_numbers_keep_what_gave_them_and_are_no_aliases(upgraded: Engine) -> None:
    columns = "broadcaster, gender, number, speaker_id, is_alias, from_operation, to_operation, origin"
    with upgraded.connect() as connection:
        found = rows(connection, f"SELECT {columns} FROM speaker_number ORDER BY number")

    assert found == [
        ("andaiafm", "F", 1, 1, False, 1, None, None),
        ("andaiafm", "F", 2, 2, False, 1, None, None),
    ]


def test_clips_keep_their_speakers(upgraded: Engine) -> None:
    with upgraded.connect() as connection:
        found = rows(connection, "SELECT name, number, reason, operation_id, speaker_name FROM clips ORDER BY name")

    assert found == [
        ("clip-1", "F0001", "new", 1, None),
        ("clip-2", "F0002", "new", 1, None),
        ("clip-3", "F0001", "matched", 2, None),
    ]


def test_it_is_sound(upgraded: Engine) -> None:
    assert check(upgraded) == []


@pytest.mark.parametrize(
    ("number", "speaker", "constraint"),
    [(1, 2, "speaker_number_current_key"), (3, 1, "speaker_number_current_speaker_key")],
    ids=["a number has one speaker", "a speaker has one number"],
)
def test_numbers_stay_unique(upgraded: Engine, number: int, speaker: int, constraint: str) -> None:
    given = text(f"""
        INSERT INTO speaker_number (broadcaster, gender, number, speaker_id, from_operation)
        VALUES ('andaiafm', 'F', {number}, {speaker}, 2)
    """)
    with pytest.raises(IntegrityError, match=constraint), upgraded.begin() as connection:
        connection.execute(given)


@pytest.mark.usefixtures("fake_model")
def test_a_new_voice_gets_a_new_number_and_the_next_operation(upgraded: Engine, make_clip: MakeClip) -> None:
    wav = make_clip("d", 4000, night(7))
    ingest(upgraded, [wav.parents[1]], AUTHOR)
    with upgraded.connect() as connection:
        found = rows(connection, "SELECT number, operation_id FROM clips WHERE name = 'd'")

    assert found == [("F0003", 3)]
    assert check(upgraded) == []


def test_its_speakers_can_be_merged_and_all_of_it_undone(upgraded: Engine) -> None:
    state = "SELECT name, number FROM clips ORDER BY name"
    with upgraded.connect() as connection:
        before = rows(connection, state)
    merged = merge(upgraded, ["F0001", "F0002"], AUTHOR).operation_id
    with upgraded.connect() as connection:
        aliases = rows(connection, "SELECT alias, number, operation_id FROM aliases")
    assert aliases == [("F0002", "F0001", 3)]
    assert check(upgraded) == []

    undo(upgraded, merged or 0, AUTHOR)
    with upgraded.connect() as connection:
        assert rows(connection, state) == before
        assert rows(connection, "SELECT * FROM aliases") == []
    assert check(upgraded) == []


def test_an_ingest_of_the_first_version_can_be_undone(upgraded: Engine) -> None:
    undo(upgraded, 1, AUTHOR, with_later=True)
    with upgraded.connect() as connection:
        assert rows(connection, "SELECT name FROM clips") == []
    assert check(upgraded) == []


VECTOR_INDEXES = "SELECT indexname FROM pg_indexes WHERE indexdef LIKE '%USING hnsw%' ORDER BY indexname"


def test_speakers_alone_have_a_vector_index(old: Engine) -> None:
    """Clips had one too, up to 0003."""
    with old.begin() as connection:
        assert rows(connection, VECTOR_INDEXES) == [("embedding_model_1_hnsw",), ("profile_model_1_hnsw",)]
        upgrade(connection, "shown")

        assert rows(connection, VECTOR_INDEXES) == [("profile_model_1_hnsw",)]
        assert sorted(rows(connection, "SELECT clip_id, speaker_id FROM similar_clips(1)")) == [(2, 2), (3, 1)]


def test_what_clips_add_up_to_is_computed(upgraded: Engine) -> None:
    totals = (
        "SELECT number, clips, duration_s, nights, first_night::text, last_night::text FROM speakers ORDER BY number"
    )
    with upgraded.begin() as connection:
        found = rows(connection, totals)
        nights = rows(connection, "SELECT number, clips FROM speaker_nights ORDER BY number, date")

    assert found == [("F0001", 2, 4, 2, "2020-11-05", "2020-11-06"), ("F0002", 1, 2, 1, "2020-11-05", "2020-11-05")]
    assert nights == [("F0001", 1), ("F0001", 1), ("F0002", 1)]


@pytest.mark.parametrize(("doubtful", "expected"), [(0, [0.5, 0]), (3, [0, 0]), (1, [1, 0])])
def test_what_came_at_8_khz_is_narrow_and_of_the_rest_nothing_is_known(
    old: Engine, doubtful: int, expected: list[float]
) -> None:
    """The first speaker has audios 1 and 3, of which one may be doubtful."""
    with old.begin() as connection:
        command.upgrade(alembic_config(connection), "0008")
        connection.execute(text("UPDATE audio SET sample_rate_hz = 8000 WHERE audio_id = 3"))
        connection.execute(text(f"UPDATE assignment SET builds_profile = clip_id <> {doubtful}"))
        refresh_before_0009(connection)
        upgrade(connection, "shown")
        of_audio = rows(connection, "SELECT narrowness FROM audio ORDER BY audio_id")
        of_profile = rows(connection, "SELECT narrowness FROM profile ORDER BY speaker_id")

    assert of_audio == [(None,), (None,), (1,)]
    assert [row[0] for row in of_profile] == expected
    assert check(old) == []


def refresh_before_0009(connection: Connection) -> None:
    """Leave doubtful audio out of the means of its speaker."""
    connection.execute(
        text("""
        UPDATE profile p SET mean = made.mean, audios = made.audios, duration_s = made.duration_s
        FROM (SELECT speaker_id, avg(l2_normalize(vector)) AS mean, count(*) AS audios, sum(duration_s) AS duration_s
              FROM assignment JOIN clip USING (clip_id) JOIN embedding USING (audio_id) JOIN audio USING (audio_id)
              WHERE builds_profile GROUP BY speaker_id) made
        WHERE p.speaker_id = made.speaker_id
        """)
    )


STATIONS = "SELECT broadcaster, count(*) FROM speakers GROUP BY broadcaster ORDER BY broadcaster"


@pytest.fixture
def before_forms(old: Engine) -> Engine:
    """The same at the last revision that kept names as folders had them, at a station with a mark on a letter."""
    with old.begin() as connection:
        command.upgrade(alembic_config(connection), "0005")
        for table in ("clip_group", "speaker_number", "speaker_total"):
            connection.execute(text(f"UPDATE {table} SET broadcaster = 'ra\u0301dio'"))
    return old


def test_names_and_transcripts_get_one_form(before_forms: Engine) -> None:
    with before_forms.begin() as connection:
        connection.execute(text("UPDATE clip SET name = 'Sa\u0303o', transcript = 'Joa\u0303o' WHERE clip_id = 1"))
        utf_16 = {"content": "Jo\xe3o".encode("utf-16")}
        connection.execute(text("UPDATE clip SET txt_content = :content WHERE clip_id = 2"), utf_16)
        upgrade(connection, "shown")
        stations = rows(connection, STATIONS)
        texts = rows(connection, "SELECT name, transcript, broadcaster FROM clips ORDER BY clip_id")

    assert stations == [("r\xe1dio", 2)]
    assert texts == [
        ("S\xe3o", "Jo\xe3o", "r\xe1dio"),
        ("clip-2", "Jo\xe3o", "r\xe1dio"),
        ("clip-3", "bom dia", "r\xe1dio"),
    ]
    assert check(before_forms) == []


def test_names_that_one_form_would_make_one_stay_two(before_forms: Engine) -> None:
    with before_forms.begin() as connection:
        connection.execute(text("UPDATE clip SET name = 'Sa\u0303o' WHERE clip_id = 1"))
        connection.execute(text("UPDATE clip SET name = 'S\xe3o' WHERE clip_id = 2"))
        connection.execute(text("INSERT INTO clip_group VALUES (DEFAULT, 'r\xe1dio', 'F', '2020-11-05')"))
        upgrade(connection, "shown")
        stations = rows(connection, STATIONS)
        names = rows(connection, "SELECT name FROM clip ORDER BY clip_id")

    assert stations == [("ra\u0301dio", 2)]
    assert names == [("Sa\u0303o",), ("S\xe3o",), ("clip-3",)]
    assert check(before_forms) == []
