"""A backup by pg_dump comes back whole by pg_restore, also as a role that is no superuser."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from registry.database.check import VIEWS, check
from registry.database.embedded import EmbeddedServer, binaries
from registry.database.reach import Database, reach
from registry.database.registries import dropped
from registry.database.schema import upgrade
from registry.database.store.identity import registry_id
from registry.errors import ViewsInUse
from tests.fix_server import TcpServer

SIMILAR = "SELECT speaker_id, similarity FROM similar_speakers(1, 5)"
FILL = """
    INSERT INTO embedding_model (name, fingerprint, dimension) VALUES ('campplus', 'f', 3);
    INSERT INTO registry VALUES (true, 1, 'registry');
    INSERT INTO operation (operation_id, kind, user_name, command, summary) VALUES (1, 'ingest', '', '', '{}');
    INSERT INTO speaker (gender, operation_id) VALUES ('F', 1), ('F', 1);
    INSERT INTO speaker_number (broadcaster, gender, number, speaker_id, is_alias, from_operation)
        VALUES ('andaiafm', 'F', 1, 1, false, 1), ('andaiafm', 'F', 2, 2, false, 1);
    INSERT INTO profile VALUES (1, 1, '[1,0,0]', 1, 1, 1), (2, 1, '[1,1,0]', 1, 1, 1);
"""


@pytest.fixture
def dump(tcp_server: TcpServer, empty: str, tmp_path: Path) -> Path:
    """The backup of a registry of two speakers."""
    with reach(tcp_server.url(empty), create=True):
        pass
    tcp_server.run(FILL, empty)
    program("pg_dump", "--format=custom", "--file", tmp_path / "dump", tcp_server.url(empty))
    return tmp_path / "dump"


def program(name: str, *arguments: object) -> str:
    words = [str(binaries.programs() / name), *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stderr


def test_an_ordinary_role_restores_a_registry_with_its_functions(
    tcp_server: TcpServer, dump: Path, plain_database: str, plain_role: str
) -> None:
    url = tcp_server.url(plain_database, user=plain_role)
    said = program("pg_restore", "--no-owner", "--dbname", url, dump)

    assert "permission denied" not in said
    with reach(url, reading=True) as opened:
        with opened.engine.connect() as connection:
            assert [(row[0], round(row[1], 3)) for row in connection.execute(text(SIMILAR))] == [(2, 0.707)]
        assert VIEWS not in {found.invariant for found in check(opened.engine)}


def test_a_backup_of_a_registry_in_public_comes_back_there(
    tcp_server: TcpServer, empty: str, plain_database: str, plain_role: str, tmp_path: Path
) -> None:
    """As earlier versions made it."""
    engine = create_engine(tcp_server.url(empty, scheme="postgresql+psycopg"), poolclass=NullPool)
    with engine.begin() as connection:
        upgrade(connection, "shown")
        connection.execute(text(FILL))
    program("pg_dump", "--format=custom", "--file", tmp_path / "dump", tcp_server.url(empty))
    url = tcp_server.url(plain_database, user=plain_role)
    program("pg_restore", "--no-owner", "--dbname", url, tmp_path / "dump")

    with reach(url, reading=True) as opened, opened.engine.connect() as connection:
        assert connection.execute(text("SELECT current_schema()")).scalar_one() == "public"
        assert [(row[0], round(row[1], 3)) for row in connection.execute(text(SIMILAR))] == [(2, 0.707)]
    with reach(url) as opened:  # it looks in other schemas now, so its functions are made anew
        assert VIEWS not in {found.invariant for found in check(opened.engine)}


@pytest.mark.parametrize(
    "mishap",
    [
        "DROP FUNCTION similar_speakers(bigint, int)",
        "DROP VIEW aliases",
        "CREATE OR REPLACE FUNCTION number_label(gender text, number integer) RETURNS text LANGUAGE sql RETURN gender",
        "DROP VIEW aliases; CREATE VIEW aliases AS SELECT 1 AS one",
        "DROP FUNCTION similar_clips; CREATE FUNCTION similar_clips(bigint, int) RETURNS text LANGUAGE sql RETURN ''",
    ],
)
def test_views_and_functions_that_are_not_the_packages_are_noticed_and_made_anew(
    tcp_server: TcpServer, empty: str, mishap: str
) -> None:
    with reach(tcp_server.url(empty), create=True):
        pass
    tcp_server.run(f"SET search_path = registry, public; {mishap}", empty)

    with reach(tcp_server.url(empty), reading=True) as opened:
        assert [found.invariant for found in check(opened.engine)] == [VIEWS]
    with reach(tcp_server.url(empty)) as opened:
        assert check(opened.engine) == []


def test_a_role_that_may_not_mend_the_views_goes_on_with_a_warning(
    tcp_server: TcpServer, empty: str, plain_role: str, caplog: pytest.LogCaptureFixture
) -> None:
    with reach(tcp_server.url(empty), create=True):
        pass
    grants = (
        f"GRANT USAGE ON SCHEMA registry TO {plain_role}; GRANT SELECT ON ALL TABLES IN SCHEMA registry TO {plain_role}"
    )
    tcp_server.run(f"DROP VIEW aliases; {grants}", empty)

    with reach(tcp_server.url(empty, user=plain_role)) as opened, opened.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM speakers")).scalar_one() == 0
    assert "run registry database upgrade as the role that owns them" in caplog.text


@pytest.mark.usefixtures("dump")
def test_a_search_leaves_the_settings_of_the_transaction_as_they_were(tcp_server: TcpServer, empty: str) -> None:
    with reach(tcp_server.url(empty)) as opened, opened.engine.connect() as connection:
        connection.execute(text("SELECT '[1]'::vector; SET hnsw.ef_search = 77"))
        connection.execute(text(SIMILAR)).all()

        assert connection.execute(text("SHOW hnsw.ef_search")).scalar_one() == "77"


def test_a_backup_of_an_embedded_registry_comes_back_under_its_name_and_identity(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REGISTRY_HOME", str(server.home))
    with reach("demo", create=True) as other, reach("backed up", create=True) as opened:
        before = identity(opened)
        program("pg_dump", "--format=custom", "--file", tmp_path / "dump", opened.url)
    dropped(EmbeddedServer(server.home), "backed up")
    said = program("pg_restore", "--create", "--dbname", other.url, tmp_path / "dump")

    assert said == ""
    with reach("backed up", reading=True) as opened:
        assert identity(opened) == before
        assert check(opened.engine) == []


def identity(opened: Database) -> str:
    with opened.engine.connect() as connection:
        return registry_id(connection)


def test_processes_that_all_find_the_views_wanting_do_not_get_in_one_anothers_way(
    tcp_server: TcpServer, empty: str
) -> None:
    url = tcp_server.url(empty)
    with reach(url, create=True):
        pass
    tcp_server.run("DROP VIEW clips; UPDATE identity SET views = ''", empty)

    def open_it(_: int) -> list[object]:
        with reach(url) as opened:
            return list(check(opened.engine))

    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(open_it, range(6))) == [[]] * 6


def test_a_view_of_a_persons_own_upon_ours_is_named(tcp_server: TcpServer, empty: str) -> None:
    url = tcp_server.url(empty)
    with reach(url, create=True):
        pass
    tcp_server.run(
        "SET search_path = registry; DROP VIEW clips; CREATE VIEW clips AS SELECT 1 AS clip_id;"
        " CREATE VIEW mine AS SELECT clip_id FROM clips",
        empty,
    )

    with pytest.raises(ViewsInUse, match="view mine depends on view clips"), reach(url):
        pass
