"""`registry sql`: whatever a query gives is printed whole, and no query changes anything."""

import csv
import json
from contextlib import closing
from io import StringIO

import psycopg
import pytest
from sqlalchemy import Engine, text

from cli.main import main
from registry.database import reader
from registry.database.embedded import EmbeddedServer, reader_role
from registry.database.query import ask
from registry.database.reach import reach
from tests.fix_server import TcpServer

KINDS = """
    SELECT DATE '2020-11-05' AS night, 1.10::numeric AS price, 12::numeric AS whole, '\\x00ff'::bytea AS hash,
           NULL AS nothing, '[0.5,1]'::vector AS vector, 'São João' AS name, repeat('x', 20000) AS long,
           true AS yes, ARRAY[1, 2] AS several, '{"a": null}'::jsonb AS document, 'NaN'::float8 AS nan,
           1 AS twice, 2 AS twice, 'a,"b"' || chr(10) || 'c' AS lines, INTERVAL '1 hour' AS span
"""
WRITES = [
    "DELETE FROM clip",
    "INSERT INTO speaker (gender, operation_id) VALUES ('F', 1)",
    "CREATE TABLE mine (id int)",
    "CREATE TEMPORARY TABLE mine (id int)",
    "DROP VIEW speakers",
    "SELECT 1; DELETE FROM clip",
    "COMMIT; DELETE FROM clip",
    "WITH gone AS (DELETE FROM clip RETURNING *) SELECT * FROM gone",
    "SELECT nextval('clip_clip_id_seq')",
    "SELECT setval('clip_clip_id_seq', 99)",
    "SELECT * FROM clip FOR UPDATE",
    "DO $$ BEGIN SET TRANSACTION READ WRITE; DELETE FROM clip; END $$",
    "DO $$ BEGIN COMMIT; DELETE FROM clip; END $$",
    "SELECT query_to_xml('DELETE FROM clip', true, true, '')",
    "VACUUM",
    "ALTER SYSTEM SET work_mem = '1MB'",
    "COPY clip FROM '/dev/null'",
]


# What a superuser may do in a query: run programs, use the server's files, end others' sessions, change other tables.
DEEDS = [
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "COPY (SELECT 1) TO '/tmp/of-the-server'",
    "SELECT pg_read_file('postgresql.conf')",
    "SELECT pg_ls_dir('.')",
    "SELECT lo_export(0, '/tmp/of-the-server')",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'",
    "SELECT pg_reload_conf()",
    "CREATE TABLE public.mine (id int)",
    "CREATE SCHEMA mine",
    "DELETE FROM registry.clip",
    "LOCK TABLE registry.registry IN SHARE UPDATE EXCLUSIVE MODE",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION postgres",
    "SET temp_file_limit = -1",
    "ALTER ROLE registry_reader SUPERUSER",
    "EXPLAIN ANALYZE CREATE TEMPORARY TABLE filling AS SELECT 1",
    "SELECT pg_logical_emit_message(false, 'filling', 'x')",
    "SELECT query_to_xml('SELECT set_config(''role'', ''postgres'', false)', true, true, '')",
]


@pytest.fixture
def name(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """A registry that all of these share, since nothing changes it."""
    monkeypatch.setenv("REGISTRY_HOME", str(server.home))
    with reach("only read", create=True):
        return "only read"


def run(name: str, *arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["sql", *arguments, "--database", name])
    return int(ended.value.code or 0)


def test_json_holds_every_value(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(name, KINDS, "--json") == 0

    assert json.loads(capsys.readouterr().out) == [
        {
            "night": "2020-11-05",
            "price": 1.1,
            "whole": 12,
            "hash": "\\x00ff",
            "nothing": None,
            "vector": "[0.5,1]",
            "name": "São João",
            "long": "x" * 20000,
            "yes": True,
            "several": [1, 2],
            "document": {"a": None},
            "nan": "NaN",
            "twice": 1,
            "twice_2": 2,
            "lines": 'a,"b"\nc',
            "span": "1:00:00",
        }
    ]


def test_csv_holds_every_value(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(name, KINDS, "--csv") == 0

    header, row = csv.reader(StringIO(capsys.readouterr().out))
    assert list(zip(header, row, strict=True)) == [
        ("night", "2020-11-05"),
        ("price", "1.10"),
        ("whole", "12"),
        ("hash", "\\x00ff"),
        ("nothing", ""),
        ("vector", "[0.5,1]"),
        ("name", "São João"),
        ("long", "x" * 20000),
        ("yes", "true"),
        ("several", "[1, 2]"),
        ("document", '{"a": null}'),
        ("nan", "nan"),
        ("twice", "1"),
        ("twice", "2"),
        ("lines", 'a,"b"\nc'),
        ("span", "1:00:00"),
    ]


def test_a_table_holds_every_value_in_a_line_and_the_beginning_of_a_long_one(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(name, KINDS) == 0

    header, row = (" ".join(line.split()) for line in capsys.readouterr().out.splitlines())
    assert header == ("night price whole hash nothing vector name long yes several document nan twice twice lines span")
    assert row == (
        rf'2020-11-05 1.10 12 \x00ff [0.5,1] São João {"x" * 999}… true [1, 2] {{"a": null}} nan 1 2 a,"b"\nc 1:00:00'
    )


@pytest.mark.parametrize(
    ("output", "printed"),
    [("--json", "[]\n"), ("--csv", "number,clips\n")],
)
def test_no_rows(name: str, output: str, printed: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(name, "SELECT number, clips FROM speakers", output) == 0

    assert capsys.readouterr().out == printed


@pytest.mark.parametrize("query", ["SELECT '100%'", "SELECT '%(name)s' -- 50%", "SELECT ':name'"])
def test_signs_of_placeholders_are_plain_text(name: str, query: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(name, query, "--csv") == 0

    assert capsys.readouterr().out.splitlines()[1] in ("100%", "%(name)s", ":name")


@pytest.mark.parametrize("query", WRITES)
def test_a_query_that_writes_is_refused(name: str, query: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(name, query) == 2

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("registry: The database refused the query: ")
    assert "Traceback" not in printed.err


@pytest.mark.parametrize(
    "query",
    [
        "SET TRANSACTION READ WRITE",
        "COMMIT",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
        "SELECT set_config('transaction_read_only', 'off', false)",
    ],
)
def test_a_query_that_ends_the_protection_is_the_last_of_its_session(
    engine: Engine, database_url: str, query: str
) -> None:
    with pytest.raises(SystemExit):
        main(["sql", query, "--database", database_url])

    assert run(database_url, "INSERT INTO speaker (gender, operation_id) VALUES ('F', 1)") == 2
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM speaker")).scalar_one() == 0


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELEC 1", 'syntax error at or near "SELEC"'),
        ("SELECT * FROM speakerz", 'relation "speakerz" does not exist'),
        ("SELECT '\udcff'", "surrogates not allowed"),
        ("COPY speakers TO STDOUT", "only what does can be asked: SELECT, VALUES"),
        ("SELECT DATE '4713-01-01 BC'", "date too small"),
    ],
)
def test_a_mistake_is_explained(name: str, query: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(name, query) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("deed", DEEDS)
def test_the_role_of_queries_can_do_nothing_but_read(name: str, deed: str) -> None:
    """Whatever becomes of the read-only transaction around a query."""
    with reach(name) as opened, closing(reader.connect(opened, 60)) as connection:
        connection.read_only = False
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidParameterValue)):
            connection.execute(f"SET TRANSACTION READ WRITE; {deed}".encode())


def test_a_query_is_asked_as_a_role_with_limits_that_reads_views_and_finds_what_is_similar(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    limits = "default_transaction_read_only", "statement_timeout", "temp_file_limit", "client_connection_check_interval"
    shown = ", ".join(f"current_setting('{limit}')" for limit in limits)

    assert run(name, f"SELECT current_user, {shown}", "--csv", "--timeout", "90") == 0
    assert capsys.readouterr().out.splitlines()[1] == "registry_reader,on,90s,5GB,10s"
    assert run(name, "SELECT * FROM clips, similar_clips(1), similar_speakers(1)", "--json") == 0
    assert capsys.readouterr().out == "[]\n"
    assert run(name, "EXPLAIN SELECT 1", "--csv") == 0


def test_the_role_of_queries_is_made_again_where_it_is_not_what_it_has_to_be(
    server: EmbeddedServer, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with server.connect("postgres") as connection:
        reader_role.ensure(connection)
        connection.execute("ALTER ROLE registry_reader SUPERUSER")
        connection.execute("ALTER ROLE registry_reader SET default_transaction_read_only = off")

    assert run(name, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user", "--csv") == 0
    assert capsys.readouterr().out.splitlines()[1] == "false"


def test_a_query_that_takes_too_long_is_ended_with_what_gives_it_more_time(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(name, "SELECT pg_sleep(60)", "--timeout", "0.2") == 2
    assert "The query was ended after 0.2 seconds. Ask for less, or give it more time" in capsys.readouterr().err


def test_rows_come_one_by_one(name: str) -> None:
    query = "SELECT 1 / (100000 - n) FROM generate_series(1, 200000) n"
    with reach(name) as opened, ask(opened, query) as answer:
        assert next(answer.rows) == (0,)
        with pytest.raises(psycopg.errors.DivisionByZero):
            list(answer.rows)


def test_what_fails_midway_is_explained(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(name, "SELECT 1 / (10 - n) FROM generate_series(1, 20) n", "--csv") == 2
    assert "refused the query: division by zero" in capsys.readouterr().err


def test_who_has_read_enough_does_not_wait_for_the_rest(name: str) -> None:
    with reach(name) as opened, ask(opened, "SELECT generate_series(1, 10000000000)") as answer:
        assert next(answer.rows) == (1,)


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"]])
def test_more_rows_than_a_table_is_laid_out_by_are_all_printed(
    name: str, form: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(name, "SELECT n, repeat('y', n) AS long FROM generate_series(1, 2500) n", *form) == 0
    printed = capsys.readouterr().out

    assert (len(json.loads(printed)) if form == ["--json"] else len(printed.splitlines()) - 1) == 2500


def test_one_long_value_does_not_widen_every_row(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    query = (
        "SELECT n, CASE n WHEN 7 THEN repeat('z', 3000000) ELSE 'oi' END AS transcript FROM generate_series(1, 400) n"
    )
    assert run(name, query) == 0

    assert len(capsys.readouterr().out) < 10_000


def test_on_a_server_of_ones_own_the_second_url_is_asked(
    tcp_server: TcpServer,
    empty: str,
    plain_role: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with reach(tcp_server.url(empty), create=True):
        pass
    who = "SELECT current_user, count(*) FROM clips"
    assert run(tcp_server.url(empty), who, "--csv") == 0
    assert "asked as postgres, a role that may run programs on the server" in caplog.text
    assert "REGISTRY_READER_URL" in caplog.text
    caplog.clear()
    tcp_server.run(f"GRANT pg_read_all_data TO {plain_role}", empty)
    monkeypatch.setenv("REGISTRY_READER_URL", tcp_server.url(empty, user=plain_role))
    capsys.readouterr()

    assert run(tcp_server.url(empty), who, "--csv") == 0
    assert capsys.readouterr().out.splitlines()[1] == f"{plain_role},0"
    assert run(tcp_server.url(empty), "COPY (SELECT 1) TO PROGRAM 'true'") == 2
    assert caplog.text == ""


@pytest.mark.parametrize("holds_a_registry", [True, False])
def test_a_second_url_of_another_registry_or_of_none_is_refused(
    tcp_server: TcpServer,
    empty: str,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    holds_a_registry: bool,
) -> None:
    with reach(tcp_server.url(empty), create=True):
        pass
    monkeypatch.setenv("REGISTRY_READER_URL", database_url if holds_a_registry else tcp_server.url())

    assert run(tcp_server.url(empty), "SELECT 1") == 2
    assert "REGISTRY_READER_URL names cannot be asked: it is not the registry" in capsys.readouterr().err


def test_a_superusers_query_without_a_second_url_can_still_run_no_program(
    tcp_server: TcpServer, empty: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with reach(tcp_server.url(empty), create=True):
        pass

    assert run(tcp_server.url(empty), "COPY (SELECT 1) TO PROGRAM 'true'") == 2
    assert "only what does can be asked" in capsys.readouterr().err
