"""The migrations make what tables.py and views.sql describe, from any start, and refuse what is not theirs."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import CheckConstraint, Connection, Engine, create_engine, inspect, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import NullPool

import migrations
from registry.database.reach import reach
from registry.database.schema import alembic_config, newest_revision, revision, take_back, upgrade
from registry.database.store.models import add_model
from registry.database.store.tables import metadata
from registry.errors import NotARegistry, SchemaTooNew
from tests.fix_server import TcpServer

VERSIONS = Path(migrations.__file__).parent / "versions"
# The interface that people query: columns are only ever added, at the end.
VIEWS = {
    "aliases": "broadcaster alias number speaker_id operation_id",
    "assignment_history": "clip_id broadcaster date gender name speaker_id reason score runner_up_id runner_up_score"
    " from_operation from_time user_name to_operation to_time",
    "clips": "clip_id broadcaster date gender name speaker_id number duration_s transcript score reason"
    " runner_up_id runner_up_score wav_path txt_path sample_rate_hz channels audio_hash operation_id speaker_name"
    " probability runner_up_probability probability_now exported_as",
    "speaker_nights": "speaker_id broadcaster number gender date clips duration_s",
    "speakers": "speaker_id broadcaster number gender clips duration_s nights first_night last_night name notes"
    " is_provisional",
}
NEIGHBOURS = "TABLE(speaker_id bigint, numbers text, gender text, similarity real)"
FUNCTIONS = {
    "deciding_model() -> smallint",
    "number_label(gender text, number integer) -> text",
    "similar_clips(clip bigint, k integer) -> TABLE(clip_id bigint, speaker_id bigint, similarity real)",
    f"similar_speakers(speaker bigint, k integer) -> {NEIGHBOURS}",
    f"similar_speakers(speaker text, k integer) -> {NEIGHBOURS}",
    "speaker_key(speaker text) -> bigint",
}
OURS = "NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = {} AND d.deptype = 'e')"


@pytest.fixture
def bare(tcp_server: TcpServer, empty: str) -> Iterator[Engine]:
    """An empty database."""
    address = conninfo_to_dict(tcp_server.url(empty))
    engine = create_engine("postgresql+psycopg://", connect_args=address, poolclass=NullPool)
    yield engine
    engine.dispose()


@pytest.fixture
def migrated(bare: Engine) -> Iterator[Connection]:
    """A connection to a database at the newest revision, in a transaction."""
    with bare.begin() as connection:
        upgrade(connection, "shown")
        yield connection


def test_there_is_a_single_head() -> None:
    assert len(ScriptDirectory.from_config(alembic_config()).get_heads()) == 1


@pytest.mark.parametrize("path", sorted(VERSIONS.glob("[!_]*.py")), ids=lambda path: path.name)
def test_a_revision_is_named_after_its_number_and_says_why(path: Path) -> None:
    script = ScriptDirectory.from_config(alembic_config()).get_revision(path.name[:4])

    assert re.fullmatch(r"\d{4}_[a-z0-9_]+\.py", path.name)
    assert script.doc
    assert not re.search(r"^\s*(from|import) (registry|cli)\b", path.read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    "path", [*VERSIONS.glob("[!_]*.py"), VERSIONS.with_name("script.py.mako")], ids=lambda path: path.name
)
def test_a_revision_has_no_way_back_and_makes_no_view(path: Path) -> None:
    """The way back is a backup, and views come from the package alone."""
    assert not re.search(r"downgrade|(CREATE|DROP)( OR REPLACE)? VIEW", path.read_text())


def test_an_empty_database_comes_to_the_newest_revision(migrated: Connection) -> None:
    assert revision(migrated) == newest_revision()


def test_the_database_is_as_tables_py_says_comments_and_defaults_too(migrated: Connection) -> None:
    """With the vector indexes of a model there, which no table declares."""
    add_model(migrated, "campplus", "fingerprint", 192)

    command.check(alembic_config(migrated))


def test_a_difference_to_tables_py_would_be_noticed(migrated: Connection) -> None:
    migrated.execute(text("COMMENT ON COLUMN clip.name IS 'another'"))

    with pytest.raises(Exception, match="'another'"):
        command.check(alembic_config(migrated))


def test_check_constraints_are_in_the_database(migrated: Connection) -> None:
    found = text("SELECT conname FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace")
    declared = {
        constraint.name
        for table in metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }

    assert set(migrated.execute(found).scalars()) == declared


@pytest.mark.parametrize(
    ("constants", "constraint"),
    [
        ("0, 0, 0.01, 0.2, 0.5, 0.7", "calibration_positive_check"),
        ("0, 0.1, -1, 0.2, 0.5, 0.7", "calibration_positive_check"),
        ("0, 0.1, 0.01, 0.2, 1, 0.7", "calibration_cosines_check"),
    ],
)
def test_constants_that_no_model_has_are_refused(migrated: Connection, constants: str, constraint: str) -> None:
    calibrated = f"""
        INSERT INTO calibration (model_id, other_gender_offset, other_gender_spread, stranger_variance, base_noise,
                                 stranger, stranger_by_telephone, from_operation) VALUES (1, {constants}, 1)
    """
    with pytest.raises(IntegrityError, match=constraint), migrated.begin_nested():
        migrated.execute(text(calibrated))


def test_everything_of_ours_carries_a_comment(migrated: Connection) -> None:
    uncommented = text(f"""
        SELECT c.relname || coalesce('.' || a.attname, '')
        FROM pg_class c
        LEFT JOIN LATERAL (
            SELECT 0 AS attnum, NULL AS attname UNION ALL
            SELECT attnum, attname FROM pg_attribute
            WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) a ON true
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'm')
          AND c.relname <> 'alembic_version' AND {OURS.format("c.oid")}
          AND col_description(c.oid, a.attnum) IS NULL AND (a.attnum > 0 OR obj_description(c.oid, 'pg_class') IS NULL)
        UNION ALL
        SELECT p.proname FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND {OURS.format("p.oid")}
          AND obj_description(p.oid, 'pg_proc') IS NULL
    """)

    assert migrated.execute(uncommented).scalars().all() == []


def test_the_views_have_the_columns_documented(migrated: Connection) -> None:
    inspector = inspect(migrated)
    found = {
        view: " ".join(column["name"] for column in inspector.get_columns(view)) for view in inspector.get_view_names()
    }

    assert found == VIEWS


def test_the_functions_are_those_documented(migrated: Connection) -> None:
    found = text(f"""
        SELECT format('%s(%s) -> %s', proname, pg_get_function_identity_arguments(oid), pg_get_function_result(oid))
        FROM pg_proc p WHERE pronamespace = 'public'::regnamespace AND {OURS.format("p.oid")}
          AND prorettype <> 'trigger'::regtype
    """)

    assert set(migrated.execute(found).scalars()) == FUNCTIONS


def test_a_registry_that_was_just_made_can_be_taken_back_whole_and_made_again(bare: Engine) -> None:
    left = text(f"""
        SELECT relname FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND {OURS.format("c.oid")}
        UNION ALL
        SELECT proname FROM pg_proc p WHERE pronamespace = 'public'::regnamespace AND {OURS.format("p.oid")}
    """)
    with bare.begin() as connection:
        upgrade(connection, "shown")
    with bare.begin() as connection:
        take_back(connection, with_schema=False)
        names = connection.execute(left).scalars().all()
    with bare.begin() as connection:
        assert upgrade(connection, "shown")
        command.check(alembic_config(connection))

    assert names == []


def test_upgrading_again_does_nothing(migrated: Connection) -> None:
    written = """
        SELECT relname, oid, xmin::text FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relname
    """
    before = migrated.execute(text(written)).all()

    assert not upgrade(migrated, "shown")
    assert migrated.execute(text(written)).all() == before


def test_several_upgrade_an_empty_database_at_once(tcp_server: TcpServer, empty: str) -> None:
    def open_it(_: int) -> str | None:
        with reach(tcp_server.url(empty), create=True) as opened, opened.engine.connect() as connection:
            return revision(connection)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(open_it, range(4)))

    assert found == [newest_revision()] * 4


def test_a_newer_schema_is_refused_with_what_to_do(tcp_server: TcpServer, empty: str, bare: Engine) -> None:
    with bare.begin() as connection:
        upgrade(connection, "shown")
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with (
        pytest.raises(SchemaTooNew, match=r"revision 9999.*Upgrade the speaker-registry package"),
        reach(tcp_server.url(empty), create=True),
    ):
        pass


@pytest.mark.parametrize(
    "statements",
    [
        "CREATE TABLE invoice (id int)",
        "CREATE TABLE invoice (id int); CREATE TABLE registry (id int)",
        "CREATE TABLE alembic_version AS SELECT 'a1b2c3' AS version_num",
        "CREATE TABLE invoice (id int); CREATE TABLE alembic_version AS SELECT '0001' AS version_num",
    ],
    ids=["a table", "a table called registry", "only alembic's", "alembic's at a revision 0001"],
)
def test_a_database_of_something_else_is_refused_and_left_as_it_is(
    tcp_server: TcpServer, empty: str, bare: Engine, statements: str
) -> None:
    tcp_server.run(statements, empty)
    with bare.connect() as connection:
        before = inspect(connection).get_table_names()

    with (
        pytest.raises(NotARegistry, match=r"(invoice|alembic_version).*Name an empty database"),
        reach(tcp_server.url(empty), create=True),
    ):
        pass
    with bare.connect() as connection:
        assert inspect(connection).get_table_names() == before
        assert connection.execute(text("SELECT extname FROM pg_extension")).scalars().all() == ["plpgsql"]
