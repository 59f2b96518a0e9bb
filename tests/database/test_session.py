"""A registry works the same whatever the server, the role and the shell are set to, or says what cannot serve."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import text

from cli.main import main
from registry.database.embedded import EmbeddedServer
from registry.database.reach import reach
from registry.database.server_errors import as_registry_error
from registry.errors import EncodingUnfit, NoRegistryHere
from registry.speech.embedder import Embedder
from tests.conftest import MakeClip
from tests.fix_server import TcpServer

STRANGE = {
    "DateStyle": "German",
    "IntervalStyle": "sql_standard",
    "TimeZone": "Asia/Tokyo",
    "client_encoding": "LATIN1",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "standard_conforming_strings": "off",
    "bytea_output": "escape",
    "extra_float_digits": "-15",
    "statement_timeout": "300",
    "lock_timeout": "300",
    "quote_all_identifiers": "on",
    "max_parallel_maintenance_workers": "4",
}
SEEN = {
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "client_encoding": "UTF8",
    "transaction_isolation": "read committed",
    "transaction_deferrable": "off",
    "standard_conforming_strings": "on",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "quote_all_identifiers": "off",
    "max_parallel_maintenance_workers": "0",
}
# What a shell may hold that breaks a connection, or changes what it says.
SHELL = {
    "PGAPPNAME": "somebody's",
    "PGCHANNELBINDING": "require",
    "PGCLIENTENCODING": "klingon",
    "PGCONNECT_TIMEOUT": "nonsense",
    "PGDATABASE": "nowhere",
    "PGDATESTYLE": "klingon",
    "PGGSSENCMODE": "require",
    "PGHOST": "nowhere.invalid",
    "PGHOSTADDR": "192.0.2.1",
    "PGLOADBALANCEHOSTS": "nonsense",
    "PGMAXPROTOCOLVERSION": "nonsense",
    "PGOPTIONS": "-c no_such_setting=1",
    "PGPASSFILE": "/no/where",
    "PGPORT": "1",
    "PGREQUIREAUTH": "scram-sha-256",
    "PGREQUIREPEER": "somebody",
    "PGSERVICE": "nowhere",
    "PGSERVICEFILE": "/no/where",
    "PGSSLCERTMODE": "nonsense",
    "PGSSLMODE": "nonsense",
    "PGSSLNEGOTIATION": "nonsense",
    "PGTARGETSESSIONATTRS": "standby",
    "PGTZ": "no/where",
    "PGUSER": "somebody",
}


@pytest.fixture
def strange(tcp_server: TcpServer, empty: str) -> str:
    """The URL of an empty database whose settings are nobody's wish."""
    for name, value in STRANGE.items():
        tcp_server.run(f"ALTER DATABASE {empty} SET {name} = '{value}'")
    return tcp_server.url(empty)


def test_every_session_is_set_up_alike(strange: str) -> None:
    with reach(strange, create=True) as opened, opened.engine.connect() as connection:
        found = {name: connection.execute(text(f"SHOW {name}")).scalar_one() for name in SEEN}

    assert found == SEEN


def test_limits_that_the_url_sets_stand(strange: str) -> None:
    with (
        reach(f"{strange}?options=-c%20statement_timeout%3D7min", create=True) as opened,
        opened.engine.connect() as connection,
    ):
        assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "7min"


def test_a_night_is_taken_in_listed_and_undone_on_a_strange_server(
    strange: str,
    indir: Path,
    make_clip: MakeClip,
    fake_model: Embedder,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert fake_model
    make_clip("a", text="São João 🎉")
    said = [
        ended(*words, strange) for words in (["ingest", str(indir), "--new"], ["log"], ["show", "1"], ["undo", "1"])
    ]

    assert said == [0, 0, 0, 0]
    assert " UTC, " in capsys.readouterr().out


def ended(*arguments: str) -> int:
    *words, url = arguments
    with pytest.raises(SystemExit) as end:
        main([*words, "--database", url])
    return int(end.value.code or 0)


def test_the_shell_of_the_caller_does_not_reach_the_embedded_server(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRY_HOME", str(server.home))
    for name, value in SHELL.items():
        monkeypatch.setenv(name, value)
    with reach("strange shell", create=True) as opened, opened.engine.connect() as connection:
        user, program = connection.execute(text("SELECT current_user::text, current_setting('application_name')")).one()

    assert user == "postgres"
    assert program.startswith("registry of ")


@pytest.fixture(params=["SQL_ASCII", "LATIN1", "EUC_JP"])
def other_encoding(tcp_server: TcpServer, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database that keeps text in another encoding."""
    name = f"encoded_{uuid4().hex}"
    tcp_server.run(f"CREATE DATABASE {name} ENCODING '{request.param}' LOCALE 'C' TEMPLATE template0")
    yield tcp_server.url(name)
    tcp_server.run(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_database_in_another_encoding_is_refused_at_once(other_encoding: str) -> None:
    with pytest.raises(EncodingUnfit, match="ENCODING 'UTF8' TEMPLATE template0"), reach(other_encoding, create=True):
        pass


@pytest.fixture
def hosted(tcp_server: TcpServer, empty: str, plain_role: str) -> str:
    """The URL of a hosted database: pgvector in its own schema, another program's tables in public."""
    tcp_server.run("CREATE SCHEMA extensions; CREATE EXTENSION vector SCHEMA extensions", empty)
    tcp_server.run(f"GRANT USAGE ON SCHEMA extensions TO {plain_role}", empty)
    tcp_server.run("CREATE TABLE clip (id int); CREATE TABLE alembic_version AS SELECT 'a1' AS version_num", empty)
    tcp_server.run(f"CREATE SCHEMA voices AUTHORIZATION {plain_role}", empty)
    return tcp_server.url(empty, user=plain_role)


IN_VOICES = "?options=-csearch_path%3Dvoices,public"


def test_a_schema_of_its_own_beside_another_programs_tables_will_do(
    hosted: str, tcp_server: TcpServer, empty: str, indir: Path, make_clip: MakeClip, fake_model: Embedder
) -> None:
    assert fake_model
    make_clip("a")
    url = hosted + IN_VOICES

    assert ended("ingest", str(indir), "--new", url) == 0
    assert ended("sql", "SELECT * FROM similar_clips(1)", url) == 0
    assert ended("check", url) == 0
    assert ended("database", "upgrade", url) == 0
    with psycopg.connect(tcp_server.url(empty)) as connection:
        kept = connection.execute("SELECT count(*) FROM public.clip, public.alembic_version").fetchone()
        assert kept == (0,)


def test_a_schema_off_the_path_is_named(hosted: str, tcp_server: TcpServer, empty: str, plain_role: str) -> None:
    with reach(hosted + IN_VOICES, create=True):
        pass
    tcp_server.run(f"CREATE SCHEMA other AUTHORIZATION {plain_role}", empty)

    with (
        pytest.raises(NoRegistryHere, match=r"in the schema voices: add .options=-csearch_path%3Dvoices to the URL"),
        reach(f"{hosted}?options=-csearch_path%3Dother"),
    ):
        pass


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT CAST(:given AS bigint)", "out of range for type bigint. No key or number is that large"),
        ("SELECT CAST(:given AS text) || chr(0)", "null character not permitted"),
    ],
)
def test_what_no_value_can_be_is_said_plainly(strange: str, query: str, words: str) -> None:
    with (
        reach(strange, create=True) as opened,
        opened.engine.connect() as connection,
        pytest.raises(Exception, match=r"range|null") as caught,
    ):
        connection.execute(text(query), {"given": str(2**63)})

    assert words in str(as_registry_error(caught.value))
