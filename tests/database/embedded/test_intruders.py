"""Other roles of the same database cannot have the registry's commands run what is theirs, nor hold them up."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from registry.database.check import check
from registry.database.reach import reach
from registry.database.schema import upgrade
from registry.database.store import advisory_locks, operations
from registry.errors import LockHeld, SchemaOpenToOthers
from tests.database.test_restore import FILL
from tests.fix_server import PASSWORD, TcpServer

# Fits better than PostgreSQL's own operator, which takes texts; with its caller's rights it makes Eve a superuser.
TRAP = """
    CREATE FUNCTION {schema}.rise(varchar, text) RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN EXECUTE 'ALTER ROLE {eve} SUPERUSER'; RETURN true; END $$;
    CREATE OPERATOR {schema}.= (LEFTARG = varchar, RIGHTARG = text, FUNCTION = {schema}.rise)
"""
SPEAKERS = "SELECT speaker_id, number FROM speakers"
SPRUNG = "SELECT speaker_key('F0001')"  # compares so when it runs


@pytest.fixture
def eve(tcp_server: TcpServer, empty: str) -> Iterator[str]:
    """The name of a role that may connect, as any may."""
    name = f"eve_{uuid4().hex}"
    tcp_server.run(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
    yield name
    tcp_server.run(f"DROP OWNED BY {name} CASCADE", empty)
    tcp_server.run(f"DROP ROLE {name}")


@contextmanager
def refused(words: str) -> Iterator[None]:
    with pytest.raises(SchemaOpenToOthers, match=words):
        yield


def begin(url: str) -> None:
    """Begin a registry of two speakers, or work with it."""
    with reach(url, create=True) as opened:
        with opened.engine.begin() as connection:
            if not connection.execute(text(SPEAKERS)).all():
                connection.execute(text(FILL))
            assert connection.execute(text(SPRUNG)).scalar_one() == 1
        check(opened.engine)


def begin_in_public(tcp_server: TcpServer, database: str) -> None:
    """Make a registry as earlier versions did."""
    engine = create_engine(
        "postgresql+psycopg://", connect_args=conninfo_to_dict(tcp_server.url(database)), poolclass=NullPool
    )
    with engine.begin() as connection:
        upgrade(connection, "shown")
    engine.dispose()


def is_superuser(tcp_server: TcpServer, role: str) -> bool:
    with psycopg.connect(tcp_server.url()) as connection:
        row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    return bool(row and row[0])


def is_asked_in_psql(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SPRUNG)


def as_role(tcp_server: TcpServer, role: str, statement: str, database: str) -> None:
    with psycopg.connect(tcp_server.url(database, user=role), autocommit=True) as connection:
        connection.execute(statement.encode())


def test_a_new_registry_has_a_schema_of_its_own_and_looks_nowhere_else(tcp_server: TcpServer, empty: str) -> None:
    with reach(tcp_server.url(empty), create=True) as opened, opened.engine.connect() as connection:
        home, path = connection.execute(text("SELECT current_schema(), current_setting('search_path')")).one()

    assert (home, path) == ("registry", "registry, pg_temp, public")


def test_the_owner_of_the_database_finds_the_registry_without_naming_its_schema(
    tcp_server: TcpServer, empty: str
) -> None:
    begin(tcp_server.url(empty))

    with psycopg.connect(tcp_server.url(empty)) as connection:
        assert connection.execute(SPEAKERS).fetchall() == [(1, "F0001"), (2, "F0002")]
        assert connection.execute("SELECT speaker_id FROM similar_speakers('F0001')").fetchall() == [(2,)]


def test_what_others_put_into_a_schema_that_is_not_looked_in_is_never_run(
    tcp_server: TcpServer, empty: str, eve: str
) -> None:
    """Under the path that a new role has, `"$user", public`, with a schema called as the role."""
    begin(tcp_server.url(empty))
    tcp_server.run(f"GRANT CREATE ON DATABASE {empty} TO {eve}")
    as_role(tcp_server, eve, "CREATE SCHEMA postgres", empty)
    as_role(tcp_server, eve, TRAP.format(schema="postgres", eve=eve), empty)
    begin(tcp_server.url(empty))
    is_asked_in_psql(tcp_server.url(empty))

    assert not is_superuser(tcp_server, eve)


def test_a_public_schema_that_others_may_write_to_is_refused_with_what_closes_it(
    tcp_server: TcpServer, empty: str, eve: str
) -> None:
    begin_in_public(tcp_server, empty)
    tcp_server.run("GRANT CREATE ON SCHEMA public TO PUBLIC", empty)
    as_role(tcp_server, eve, TRAP.format(schema="public", eve=eve), empty)

    with refused("PUBLIC may create things in the schema public.*REVOKE CREATE ON SCHEMA public FROM PUBLIC"):
        begin(tcp_server.url(empty))
    tcp_server.run("REVOKE CREATE ON SCHEMA public FROM PUBLIC", empty)
    with refused(rf"the function public\.rise belongs to {eve}.*DROP it"):
        begin(tcp_server.url(empty))
    tcp_server.run("DROP FUNCTION public.rise CASCADE", empty)
    begin(tcp_server.url(empty))
    assert not is_superuser(tcp_server, eve)


def test_a_right_of_one_other_role_is_enough_to_refuse(tcp_server: TcpServer, empty: str, eve: str) -> None:
    begin(tcp_server.url(empty))
    tcp_server.run(f"GRANT CREATE ON SCHEMA registry TO {eve}", empty)

    with refused(f"REVOKE CREATE ON SCHEMA registry FROM {eve}"):
        begin(tcp_server.url(empty))


@pytest.mark.parametrize("right", ["ALL", "TRIGGER", "REFERENCES"])
def test_the_right_to_put_triggers_or_keys_on_our_tables_is_refused(
    tcp_server: TcpServer, empty: str, eve: str, right: str
) -> None:
    """It may be used after a command has looked, and a key keeps clips from being erased."""
    begin(tcp_server.url(empty))
    tcp_server.run(f"GRANT {right} ON ALL TABLES IN SCHEMA registry TO {eve}", empty)
    with refused(
        f"{eve} may put triggers or keys.*REVOKE TRIGGER, REFERENCES ON ALL TABLES IN SCHEMA registry FROM {eve}"
    ):
        begin(tcp_server.url(empty))

    tcp_server.run(f"REVOKE TRIGGER, REFERENCES ON ALL TABLES IN SCHEMA registry FROM {eve}", empty)
    begin(tcp_server.url(empty))


def test_without_pgvector_a_public_schema_open_to_all_is_not_looked_in(
    tcp_server: TcpServer, empty: str, eve: str
) -> None:
    tcp_server.run("GRANT CREATE ON SCHEMA public TO PUBLIC", empty)
    as_role(tcp_server, eve, TRAP.format(schema="public", eve=eve), empty)
    begin(tcp_server.url(empty))
    begin(tcp_server.url(empty))

    assert not is_superuser(tcp_server, eve)


@pytest.mark.parametrize("name", ["registry", "voices"])
def test_a_schema_that_somebody_else_made_first_is_refused(
    tcp_server: TcpServer, empty: str, eve: str, name: str
) -> None:
    tcp_server.run(f"GRANT CREATE ON DATABASE {empty} TO {eve}")
    as_role(tcp_server, eve, f"CREATE SCHEMA {name}", empty)
    asked = "" if name == "registry" else f"?options=-csearch_path%3D{name}"

    with refused(f"the schema {name} belongs to {eve}.*ALTER SCHEMA {name} OWNER TO"):
        begin(tcp_server.url(empty) + asked)


@pytest.mark.parametrize(
    ("planted", "words"),
    [
        (
            "CREATE FUNCTION registry.own() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
            "the function registry.own",
        ),
        ("CREATE VIEW registry.mine AS SELECT 1 AS one", "the relation registry.mine"),
        (
            "CREATE OPERATOR registry.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)",
            r"the operator registry\.===",
        ),
        ("CREATE DOMAIN registry.word AS pg_catalog.text", "the type registry.word"),
    ],
)
def test_what_somebody_else_has_put_into_the_registrys_schema_is_named(
    tcp_server: TcpServer, empty: str, eve: str, planted: str, words: str
) -> None:
    begin(tcp_server.url(empty))
    tcp_server.run(f"GRANT CREATE, USAGE ON SCHEMA registry TO {eve}", empty)
    as_role(tcp_server, eve, planted, empty)
    tcp_server.run(f"REVOKE CREATE ON SCHEMA registry FROM {eve}", empty)

    with refused(f"{words} belongs to {eve}"):
        begin(tcp_server.url(empty))


def test_a_trigger_with_a_function_of_somebody_else_is_named(tcp_server: TcpServer, empty: str, eve: str) -> None:
    begin(tcp_server.url(empty))
    tcp_server.run(f"GRANT CREATE ON DATABASE {empty} TO {eve}; GRANT USAGE ON SCHEMA registry TO {eve}", empty)
    tcp_server.run(f"GRANT TRIGGER ON registry.operation TO {eve}", empty)
    as_role(
        tcp_server,
        eve,
        f"""
        CREATE SCHEMA hers;
        CREATE FUNCTION hers.rise() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN EXECUTE 'ALTER ROLE {eve} SUPERUSER'; RETURN NEW; END $$;
        CREATE TRIGGER rise BEFORE INSERT ON registry.operation FOR EACH ROW EXECUTE FUNCTION hers.rise()
        """,
        empty,
    )

    with refused(rf"the function of the trigger rise on registry\.operation belongs to {eve}"):
        begin(tcp_server.url(empty))


def test_functions_run_by_others_look_where_the_registry_does(tcp_server: TcpServer, empty: str) -> None:
    """As those of a superuser who works in psql, under the usual path."""
    begin(tcp_server.url(empty))
    in_quotes = """
        SELECT proname, array_to_string(proconfig, ', ') FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
        WHERE nspname = 'registry' AND prosrc <> '' ORDER BY 1, 2
    """
    with psycopg.connect(tcp_server.url(empty)) as connection:
        found = connection.execute(in_quotes).fetchall()

    assert found == [
        ("keep_totals", "search_path=registry, pg_temp"),
        ("similar_clips", "search_path=registry, pg_temp, public"),
        ("similar_speakers", "search_path=registry, pg_temp, public"),
        ("similar_speakers", "search_path=registry, pg_temp, public"),
        ("speaker_key", "search_path=registry, pg_temp, public"),
    ]


LOCKED = "SELECT pg_advisory_lock(key) FROM generate_series(1592590337, 1592590341) key"  # 0x5EED_0001 and on
READS = "GRANT USAGE ON SCHEMA registry TO {eve}; GRANT SELECT ON ALL TABLES IN SCHEMA registry TO {eve}"


def test_a_role_that_may_only_read_holds_nothing_up(tcp_server: TcpServer, empty: str, eve: str) -> None:
    begin(tcp_server.url(empty))
    tcp_server.run(READS.format(eve=eve), empty)
    with psycopg.connect(tcp_server.url(empty, user=eve)) as hers:
        hers.execute(LOCKED)
        hers.execute("LOCK TABLE registry.registry, registry.identity, registry.alembic_version IN ACCESS SHARE MODE")
        with reach(tcp_server.url(empty)) as opened, opened.engine.begin() as connection:
            for table in (advisory_locks.DECISIONS, advisory_locks.NIGHTS, advisory_locks.SCHEMA):
                assert advisory_locks.has_taken(connection, table)


def test_a_role_that_may_only_read_cannot_take_the_registrys_locks(tcp_server: TcpServer, empty: str, eve: str) -> None:
    begin(tcp_server.url(empty))
    tcp_server.run(READS.format(eve=eve), empty)
    with psycopg.connect(tcp_server.url(empty, user=eve)) as hers:
        for table in (advisory_locks.DECISIONS, advisory_locks.NIGHTS, advisory_locks.SCHEMA):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), hers.transaction():
                hers.execute(f"LOCK TABLE registry.{table} IN {advisory_locks.MODE} MODE".encode())


def test_who_waits_says_for_whom_and_goes_on_when_it_is_done(
    tcp_server: TcpServer, empty: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advisory_locks, "GRACE_S", 0.05)
    taken = threading.Event()

    def decide() -> None:
        with reach(tcp_server.url(empty)) as opened, opened.engine.begin() as connection:
            operations.lock_registry(connection)
            taken.set()

    begin(tcp_server.url(empty))
    with reach(tcp_server.url(empty)) as opened, opened.engine.begin() as connection:
        operations.lock_registry(connection)
        waiting = threading.Thread(target=decide)
        with caplog.at_level(logging.WARNING):
            waiting.start()
            waiting.join(2)
        assert not taken.is_set()
    waiting.join(30)

    assert taken.is_set()
    assert "waiting for registry of " in caplog.messages[0]
    assert "(role postgres, since 20" in caplog.messages[0]


def test_who_has_waited_for_hours_gives_up_and_names_the_holder(tcp_server: TcpServer, empty: str) -> None:
    begin(tcp_server.url(empty))
    with (
        reach(tcp_server.url(empty)) as opened,
        opened.engine.begin() as holding,
        opened.engine.begin() as connection,
    ):
        operations.lock_registry(holding)
        with pytest.raises(LockHeld, match=r"by registry of .* \(role postgres, since"):
            advisory_locks.take(connection, advisory_locks.DECISIONS, patience_s=0.1)
        assert connection.execute(text("SHOW lock_timeout")).scalar_one() == "0"


def test_a_night_under_way_does_not_keep_the_views_from_being_made(tcp_server: TcpServer, empty: str) -> None:
    begin(tcp_server.url(empty))
    with reach(tcp_server.url(empty)) as opened, opened.engine.begin() as night:
        assert advisory_locks.has_taken(night, advisory_locks.NIGHTS)
        tcp_server.run("DROP VIEW registry.aliases", empty)
        begin(tcp_server.url(empty))
