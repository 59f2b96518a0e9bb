"""A registry's database anywhere: reached by any kind of URL, refused with words that say what to do."""

import contextlib
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from registry.database.embedded import EmbeddedServer
from registry.database.reach import reach, without_password
from registry.database.server_errors import as_registry_error
from registry.errors import (
    DatabaseError,
    DatabaseRefused,
    DatabaseUnreachable,
    NameUnfit,
    NoSuchRegistry,
    VectorMissing,
    VectorTooOld,
)
from tests.fix_server import PASSWORD, TcpServer, offer_pgvector


def open_and_close(url: str) -> None:
    with reach(url, create=True):
        pass


@contextlib.contextmanager
def refused(kind: type[DatabaseError], words: str) -> Iterator[None]:
    with pytest.raises(kind, match=words) as caught:
        yield
    assert caught.type is kind
    assert PASSWORD not in str(caught.value)
    assert "p%40ss" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2"])
def test_any_postgresql_url_will_do_and_is_given_back_as_psql_takes_it(
    tcp_server: TcpServer, empty: str, scheme: str
) -> None:
    with reach(tcp_server.url(empty, scheme=scheme), create=True) as opened, opened.engine.connect() as connection:
        assert connection.execute(text("SELECT current_database()")).scalar_one() == empty

    assert opened.url == tcp_server.url(empty)
    assert opened.shown_url == f"postgresql://postgres:***@127.0.0.1:{tcp_server.port}/{empty}"


def test_without_a_name_the_url_of_the_environment_is_used(
    tcp_server: TcpServer, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", tcp_server.url(empty))
    with reach(None, create=True) as opened:
        assert opened.url.endswith(empty)
        assert opened.server is None


def test_parameters_of_libpq_are_taken(tcp_server: TcpServer, empty: str) -> None:
    url = f"{tcp_server.url(empty)}?application_name=me&options=-c%20work_mem%3D5MB"
    with reach(url, create=True) as opened, opened.engine.connect() as connection:
        assert connection.execute(text("SHOW work_mem")).scalar_one() == "5MB"


def test_a_wrong_password_is_refused(tcp_server: TcpServer) -> None:
    with refused(DatabaseRefused, "password authentication failed.*Correct the user, password"):
        open_and_close(tcp_server.url(password=PASSWORD + "!"))


def test_a_missing_database_is_refused_with_how_to_create_it(tcp_server: TcpServer) -> None:
    with refused(DatabaseRefused, '"nothing" does not exist; to create it, run createdb'):
        open_and_close(tcp_server.url("nothing"))


def test_a_port_where_nobody_listens_is_unreachable() -> None:
    with refused(DatabaseUnreachable, "127.0.0.1:1/.*Connection refused.*Start it, or correct --database"):
        open_and_close("postgresql://me:p%40ss@127.0.0.1:1/registry")


def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.database.session.CONNECT_TIMEOUT_S", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began_s = time.monotonic()
        with refused(DatabaseUnreachable, "timeout expired"):
            open_and_close(f"postgresql://127.0.0.1:{silent.getsockname()[1]}/registry")

    assert time.monotonic() - began_s < 5


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://me:p%40ss@localhost/registry", r"mysql://me:\*\*\*@localhost/registry: this is not a PostgreSQL"),
        ("sqlite:///registry.db", "this is not a PostgreSQL URL"),
        ("not a url://", "this is not a PostgreSQL URL"),
        ("postgresql://me:p%40ss@[::1/registry", r"me:\*\*\*@"),
        ("postgresql://me:p%40ss@localhost/registry?colour=blue", "invalid URI query parameter"),
        (
            "postgresql://me:p%40ss@localhost:http/registry",
            "invalid integer value",
        ),
        ("postgresql://localhost:1/registry?user=me&password=p%40ss", r"me:\*\*\*@localhost:1/registry"),
    ],
)
def test_a_url_of_something_else_is_named_as_such(url: str, words: str) -> None:
    with refused(DatabaseUnreachable, words):
        open_and_close(url)


@pytest.mark.parametrize(
    ("shown", "hidden"),
    [
        ("postgresql://me@host/db", "postgresql://me@host/db"),
        ("postgresql://me:a:b@c@host:1/db", "postgresql://me:***@host:1/db"),
        ("postgresql://me:a@host:1/db?sslpassword=b", "postgresql://me:***@host:1/db"),
        ("postgresql://host/db?oauth_client_secret=b", "postgresql://host/db"),
        ("postgresql://host/db?passfile=/x&options=-csecret%3Db", "postgresql://host/db"),
        ("postgresql://me:a/b@host/db", "postgresql://me:***@host/db"),
        ("postgresql://me:a?b@host/db", "postgresql://me:***@host/db"),
        ("postgresql://me:a#b@host/db", "postgresql://me:***@host/db"),
        ("postgresql://host/db?future_secret=a@b", "postgresql://***@b"),
        ("postgresql://me:secret/db", "postgresql://***"),
        ("postgresql://me:sec/ret", "postgresql://***"),
        ("postgresql://me:tiger my secret@host/db", "postgresql://me:***@host/db"),
        ('postgresql://me:it\'s "SEC"@host/db', "postgresql://me:***@host/db"),
        ("postgresql://me:a\nb@host/db", "postgresql://me:***@host/db"),
        ("postgresql://me:a@host/db?pass word=b", "postgresql://me:***@host/db"),
        ("see s3://bucket/a or https://me:a b@host/c", "see s3://bucket/a or https://me:***@host/c"),
        ("s3://bucket/a b", "s3://bucket/a b"),
        ("postgresql+psycopg://me:a@host/db", "postgresql+psycopg://me:***@host/db"),
        ("postgresql:///db?host=/tmp&password=a&user=me", "postgresql://me:***@/db?host=/tmp"),
        ("s3://key:secret@bucket/a@b", "s3://key:***@b"),
        ("s3://bucket/a@b/c", "s3://bucket/a@b/c"),
        ("https://host/a.wav?X-Amz-Signature=b#c", "https://host/a.wav"),
        ("see https://me:a@host/b?c=d there", "see https://me:***@host/b"),
        ("SELECT 'me@host'", "SELECT 'me@host'"),
    ],
)
def test_of_an_address_only_host_port_user_and_name_are_shown(shown: str, hidden: str) -> None:
    assert without_password(shown) == hidden


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://radio:tiger my SEC@127.0.0.1/radio",
        "postgresql://radio:x@SEC@127.0.0.1:1/radio",
        'postgresql://u:it\'s "SEC"@h/db',
        'postgresql://u:"SEC" "SEC" SEC@h/db',
        "postgresql://u@h/db?pass word=SEC",
        'postgresql://u@h/db?pass=SEC"SEC',
        'postgresql://u:%ZZ"SEC@h/db',
    ],
)
def test_no_part_of_a_password_that_libpq_cannot_take_is_shown(url: str) -> None:
    with pytest.raises(DatabaseUnreachable) as refusal:
        open_and_close(url)

    assert "SEC" not in str(refusal.value)


@pytest.mark.parametrize("address", ["host=h password=p%40ss", "dbname=x sslpassword=p%40ss", "me:p%40ss@h/db"])
def test_an_address_is_not_taken_for_a_name(address: str) -> None:
    with refused(NameUnfit, r"it looks like an address, of which postgresql://USER@HOST:PORT/NAME is the form"):
        open_and_close(address)


def test_a_role_without_rights_is_told_which_it_needs(tcp_server: TcpServer, empty: str, plain_role: str) -> None:
    with refused(DatabaseError, "permission denied to create extension.*superuser.*CREATE EXTENSION vector"):
        open_and_close(tcp_server.url(empty, user=plain_role))


def test_a_role_that_may_not_create_tables_is_told_so(tcp_server: TcpServer, empty: str, plain_role: str) -> None:
    tcp_server.run("CREATE EXTENSION vector", empty)

    with refused(DatabaseError, "permission denied for schema public.*it must create them"):
        open_and_close(tcp_server.url(empty, user=plain_role))


def test_a_plain_role_will_do_where_the_extension_is_installed(
    tcp_server: TcpServer, empty: str, plain_role: str
) -> None:
    tcp_server.run(f"CREATE EXTENSION vector; GRANT CREATE ON SCHEMA public TO {plain_role}", empty)

    with reach(tcp_server.url(empty, user=plain_role), create=True) as opened, opened.engine.connect() as connection:
        assert connection.execute(text("SELECT * FROM similar_speakers(1)")).all() == []


def test_a_role_that_may_only_read_can_open_a_registry(tcp_server: TcpServer, empty: str, plain_role: str) -> None:
    open_and_close(tcp_server.url(empty))
    with refused(DatabaseError, "permission denied for schema registry.*read and write"):
        open_and_close(tcp_server.url(empty, user=plain_role))
    tcp_server.run(f"GRANT USAGE ON SCHEMA registry TO {plain_role}", empty)
    with refused(DatabaseError, "permission denied for table alembic_version.*read and write"):
        open_and_close(tcp_server.url(empty, user=plain_role))
    tcp_server.run(f"GRANT SELECT ON ALL TABLES IN SCHEMA registry TO {plain_role}", empty)

    with reach(tcp_server.url(empty, user=plain_role), create=True) as opened, opened.engine.connect() as connection:
        assert connection.execute(text("SELECT * FROM clips")).all() == []


def test_a_server_without_pgvector_is_refused(tcp_server: TcpServer, empty: str, offered_extensions: Path) -> None:
    assert list(offered_extensions.iterdir()) == []
    with refused(VectorMissing, r"has no pgvector.*Install pgvector 0\.8\.4 or newer"):
        open_and_close(tcp_server.url(empty))


@pytest.mark.parametrize("version", ["0.8.3", "0.7.4"])
def test_a_server_with_an_old_pgvector_is_refused_before_it_is_installed(
    tcp_server: TcpServer, empty: str, offered_extensions: Path, version: str
) -> None:
    offer_pgvector(offered_extensions, version)

    with refused(VectorTooOld, rf"pgvector {re.escape(version)} .*versions before 0\.8\.4"):
        open_and_close(tcp_server.url(empty))


@pytest.mark.parametrize("version", ["0.8.4", "0.10.0"])
def test_a_server_with_another_new_pgvector_will_do(
    tcp_server: TcpServer, empty: str, offered_extensions: Path, version: str
) -> None:
    offer_pgvector(offered_extensions, version)

    with reach(tcp_server.url(empty), create=True) as opened, opened.engine.connect() as connection:
        found = connection.execute(text("SELECT extversion FROM pg_extension WHERE extname = 'vector'"))
        assert found.scalar_one() == version


def test_an_old_pgvector_that_is_installed_is_refused(tcp_server: TcpServer, empty: str) -> None:
    tcp_server.run("CREATE EXTENSION vector", empty)
    tcp_server.run("UPDATE pg_extension SET extversion = '0.8.3' WHERE extname = 'vector'", empty)

    with refused(VectorTooOld, r"pgvector 0\.8\.3 .*ALTER EXTENSION vector UPDATE"):
        open_and_close(tcp_server.url(empty))


def test_an_old_pgvector_under_a_registry_up_to_date_is_refused(tcp_server: TcpServer, empty: str) -> None:
    """As after a restore on another server."""
    open_and_close(tcp_server.url(empty))
    tcp_server.run("UPDATE pg_extension SET extversion = '0.8.3' WHERE extname = 'vector'", empty)

    with refused(VectorTooOld, r"pgvector 0\.8\.3 "):
        open_and_close(tcp_server.url(empty))


def test_a_server_that_dies_in_the_middle_leaves_words(tcp_server: TcpServer, empty: str) -> None:
    with reach(tcp_server.url(empty), create=True) as opened, opened.engine.connect() as connection:
        tcp_server.stop()
        try:
            with pytest.raises(Exception, match=r"terminat|closed") as caught:
                connection.execute(text("SELECT 1"))
            with pytest.raises(Exception, match="Connection refused") as again:
                opened.engine.connect()
        finally:
            tcp_server.start()

    assert "run the same command again" in str(as_registry_error(caught.value))
    assert "run the same command again" in str(as_registry_error(again.value))


def test_what_psycopg_raises_by_itself_is_translated_too() -> None:
    assert "too many cooks" in str(as_registry_error(psycopg.DataError("too many cooks")))
    assert as_registry_error(ValueError("ours")) is None


def test_a_mistyped_name_makes_no_registry(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_HOME", str(server.home))

    with pytest.raises(NoSuchRegistry, match="no registry 'andaiaffm'"), reach("andaiaffm"):
        pass


@pytest.mark.parametrize("name", ["demo", "two words", 'it\'s "50%" / a+b?c#d', "São João é às 8"])
def test_a_name_is_a_database_of_the_embedded_server(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("REGISTRY_HOME", str(server.home))
    monkeypatch.setenv("REGISTRY_DATABASE_URL", "postgresql://127.0.0.1:1/not_this_one")
    with reach(name, create=True) as opened:
        with opened.engine.connect() as connection:
            assert connection.execute(text("SELECT current_database()")).scalar_one() == name
        with psycopg.connect(opened.url) as connection:
            assert connection.info.dbname == name


def test_a_new_registry_into_which_nothing_came_leaves_no_schema(tcp_server: TcpServer, empty: str) -> None:
    with reach(tcp_server.url(empty), new=True):
        pass

    with psycopg.connect(tcp_server.url(empty)) as connection:
        assert connection.execute("SELECT FROM pg_namespace WHERE nspname = 'registry'").rowcount == 0
