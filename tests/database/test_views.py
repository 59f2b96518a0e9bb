"""Views and functions are the package's in every database, and people keep what they made and granted upon them."""

import logging

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import NotSupportedError

from registry.database import views
from registry.database.reach import reach
from registry.errors import ViewsInUse
from tests.fix_server import TcpServer

# As another version of the package leaves them: a script of its own made them.
OF_ANOTHER_VERSION = """
    SET search_path = registry, public;
    DROP VIEW aliases;
    CREATE VIEW aliases AS SELECT 1 AS formerly;
    UPDATE identity SET views = 'another version''s'
"""


@pytest.fixture
def url(tcp_server: TcpServer, empty: str) -> str:
    """A new registry."""
    with reach(tcp_server.url(empty), create=True):
        pass
    return tcp_server.url(empty)


def rights(connection: Connection, kind: str) -> list[tuple[str, ...]]:
    """List who may do what with all that is in the registry's schema, and whose it is."""
    tables = """
        SELECT relname::text || coalesce(reloptions::text, ''), relowner::regrole::text, right_::text
        FROM pg_class, unnest(coalesce(relacl, acldefault('r', relowner))) right_
        WHERE relnamespace = 'registry'::regnamespace AND relkind = 'v'
        UNION ALL
        SELECT attrelid::regclass::text, attname, right_::text FROM pg_attribute, unnest(attacl) right_
        WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'registry'::regnamespace) ORDER BY 1, 2, 3
    """
    functions = """
        SELECT oid::regprocedure::text, proowner::regrole::text, right_::text
        FROM pg_proc, unnest(coalesce(proacl, acldefault('f', proowner))) right_
        WHERE pronamespace = 'registry'::regnamespace ORDER BY 1, 2, 3
    """
    query = tables if kind == "views" else functions
    return [tuple(row) for row in connection.execute(text(query))]


@pytest.mark.parametrize("reading", [False, True])
def test_those_of_another_version_are_made_anew_by_any_command(
    tcp_server: TcpServer, empty: str, url: str, *, reading: bool
) -> None:
    tcp_server.run(OF_ANOTHER_VERSION, empty)

    with reach(url, reading=reading) as opened, opened.engine.connect() as connection:
        assert views.are_ours(connection)


def test_those_of_this_version_are_left_alone(url: str) -> None:
    oids = text("SELECT oid FROM pg_class WHERE relkind = 'v' AND relnamespace = 'registry'::regnamespace ORDER BY 1")
    with reach(url) as opened, opened.engine.connect() as connection:
        before = connection.execute(oids).scalars().all()
    with reach(url) as opened, opened.engine.connect() as connection:
        assert connection.execute(oids).scalars().all() == before


@pytest.mark.parametrize("kind", ["views", "functions"])
def test_owners_grants_and_options_stay(
    tcp_server: TcpServer, empty: str, url: str, plain_role: str, kind: str
) -> None:
    """Without that, they would belong to their maker, and defaults would say who may do what."""
    tcp_server.run(
        f"""
        SET search_path = registry, public;
        ALTER VIEW speaker_nights OWNER TO pg_database_owner;
        ALTER VIEW clips SET (security_invoker = true);
        ALTER FUNCTION deciding_model OWNER TO pg_database_owner;
        GRANT SELECT ON clips TO {plain_role} WITH GRANT OPTION;
        GRANT SELECT (number, name) ON speakers TO PUBLIC;
        REVOKE ALL ON FUNCTION speaker_key FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION speaker_key TO {plain_role};
        ALTER DEFAULT PRIVILEGES IN SCHEMA registry GRANT SELECT ON TABLES TO {plain_role}
        """,
        empty,
    )
    with reach(url, upgrade=False) as opened, opened.engine.begin() as connection:
        before = rights(connection, kind)
        with views.made_anew(connection):
            assert rights(connection, kind) != before

        assert rights(connection, kind) == before


def test_a_view_of_a_persons_own_upon_ours_stays(tcp_server: TcpServer, empty: str, url: str) -> None:
    tcp_server.run(
        "SET search_path = registry; CREATE VIEW mine AS SELECT number FROM speakers; UPDATE identity SET views = ''",
        empty,
    )

    with reach(url) as opened, opened.engine.connect() as connection:
        assert views.are_ours(connection)
        assert connection.execute(text("SELECT count(*) FROM mine")).scalar_one() == 0


def test_a_view_of_a_persons_own_that_a_changed_table_is_shown_by_is_named(url: str) -> None:
    with reach(url) as opened, opened.engine.connect() as connection:
        connection.execute(text("CREATE VIEW mine AS SELECT number FROM speakers"))

        with pytest.raises(ViewsInUse, match="view mine depends on view speakers"), views.made_anew(connection):
            connection.execute(text("ALTER TABLE speaker_number ALTER number TYPE bigint"))


def test_a_view_of_a_persons_own_upon_a_changed_table_is_told_of_by_the_database(url: str) -> None:
    with reach(url) as opened, opened.engine.connect() as connection:
        connection.execute(text("CREATE VIEW mine AS SELECT notes FROM speaker_name"))

        with pytest.raises(NotSupportedError, match="view mine depends on column"), views.made_anew(connection):
            connection.execute(text("ALTER TABLE speaker_name ALTER notes TYPE varchar"))


def test_a_table_that_only_ours_show_can_be_changed(url: str) -> None:
    with reach(url) as opened, opened.engine.connect() as connection:
        with views.made_anew(connection):
            connection.execute(text("ALTER TABLE speaker_name ALTER notes TYPE varchar"))

        assert views.are_ours(connection)


def test_a_view_of_the_same_name_in_a_schema_of_another_program_stays(
    tcp_server: TcpServer, empty: str, url: str
) -> None:
    tcp_server.run("CREATE VIEW public.clips AS SELECT 1 AS theirs; UPDATE registry.identity SET views = ''", empty)

    with reach(url) as opened, opened.engine.connect() as connection:
        assert connection.execute(text("SELECT theirs FROM public.clips")).scalar_one() == 1


def test_a_role_that_may_only_read_goes_on_with_those_of_another_version(
    tcp_server: TcpServer, empty: str, url: str, plain_role: str, caplog: pytest.LogCaptureFixture
) -> None:
    tcp_server.run(OF_ANOTHER_VERSION, empty)
    for granted in ("USAGE ON SCHEMA", "SELECT ON ALL TABLES IN SCHEMA"):
        tcp_server.run(f"GRANT {granted} registry TO {plain_role}", empty)
    with (
        caplog.at_level(logging.WARNING),
        reach(url.replace("postgres:", f"{plain_role}:", 1), reading=True) as opened,
        opened.engine.connect() as connection,
    ):
        assert connection.execute(text("SELECT formerly FROM aliases")).scalar_one() == 1
    assert "the views and functions are not those of this version" in caplog.text


def test_a_database_that_may_only_be_read_is_opened_where_nobody_put_the_registry_on_its_path(
    tcp_server: TcpServer, empty: str, url: str
) -> None:
    tcp_server.run(f"ALTER DATABASE {empty} RESET search_path", empty)

    with (
        reach(f"{url}?options=-c%20default_transaction_read_only%3Don") as opened,
        opened.engine.connect() as connection,
    ):
        assert connection.execute(text("SELECT count(*) FROM clips")).scalar_one() == 0
