"""`registry sql`: whatever a query gives is printed whole, and no query changes anything."""

import csv
import json
from io import StringIO

import pytest
from sqlalchemy import Engine, text

from cli.main import main
from registry.database import reach
from registry.embedded import EmbeddedServer

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


@pytest.fixture(scope="module")
def url(server: EmbeddedServer) -> str:
    """A registry that all of these share, since nothing changes it."""
    server.ensure_database("only read")
    with reach(server.url("only read"), create=True) as opened:
        return opened.url


def run(url: str, *arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["sql", *arguments, "--database", url])
    return int(ended.value.code or 0)


def test_json_holds_every_value(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(url, KINDS, "--json") == 0

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


def test_csv_holds_every_value(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(url, KINDS, "--csv") == 0

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


def test_a_table_holds_every_value_in_a_line(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(url, KINDS) == 0

    header, row = (" ".join(line.split()) for line in capsys.readouterr().out.splitlines())
    assert header == ("night price whole hash nothing vector name long yes several document nan twice twice lines span")
    assert row == (
        rf'2020-11-05 1.10 12 \x00ff [0.5,1] São João {"x" * 20000} true [1, 2] {{"a": null}} nan 1 2 a,"b"\nc 1:00:00'
    )


@pytest.mark.parametrize(
    ("output", "printed"),
    [("--json", "[]\n"), ("--csv", "number,clips\n")],
)
def test_no_rows(url: str, output: str, printed: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(url, "SELECT number, clips FROM speakers", output) == 0

    assert capsys.readouterr().out == printed


@pytest.mark.parametrize("query", ["SELECT '100%'", "SELECT '%(name)s' -- 50%", "SELECT ':name'"])
def test_signs_of_placeholders_are_plain_text(url: str, query: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(url, query, "--csv") == 0

    assert capsys.readouterr().out.splitlines()[1] in ("100%", "%(name)s", ":name")


@pytest.mark.parametrize("query", WRITES)
def test_a_query_that_writes_is_refused(url: str, query: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(url, query) == 2

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
        ("COPY speakers TO STDOUT", "COPY"),
        ("SELECT DATE '4713-01-01 BC'", "date too small"),
    ],
)
def test_a_mistake_is_explained(url: str, query: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(url, query) == 2
    assert words in capsys.readouterr().err
