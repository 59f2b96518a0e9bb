"""Registries of one model go to the revision that knows a second one, and back, with all that they hold."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from registry.corrections.merge import merge
from registry.corrections.rename import rename
from registry.corrections.switch_model import switch_model
from registry.corrections.undo import undo
from registry.database.check import check
from registry.database.reach import Database, reach
from registry.database.schema import alembic_config, newest_revision, revision, upgrade
from registry.database.status import status
from registry.ingest import ingest
from registry.ingest.reembed import reembed
from registry.speech.embedder import Embedder
from tests.conftest import AUTHOR, MakeClip, night
from tests.fix_server import TcpServer

KEPT = ("operation", "clip", "speaker", "speaker_number", "speaker_name", "embedding", "profile")


@pytest.fixture
def opened(
    tcp_server: TcpServer, empty: str, make_clip: MakeClip, indir: Path, two_models: dict[str, Embedder]
) -> Iterator[Database]:
    """A registry of three voices, one of them under two numbers, one of them named."""
    assert two_models
    for name, pitch_hz in (("a", 400), ("b", 1200), ("c", 2600)):
        make_clip(name, pitch_hz, night(5))
    with reach(tcp_server.url(empty), create=True) as database:
        ingest(database.engine, [indir], AUTHOR)
        merge(database.engine, ["F0001", "F0002"], AUTHOR)
        rename(database.engine, "F0003", "Maria", AUTHOR)
        yield database


@pytest.fixture
def registry(opened: Database) -> Engine:
    return opened.engine


def contents(connection: Connection) -> dict[str, list[str]]:
    """All rows of what both revisions know alike."""
    queries = {table: f"SELECT * FROM {table}" for table in KEPT}
    queries["assignment"] = "SELECT clip_id, speaker_id, reason, from_operation, to_operation FROM assignment"
    queries["operation"] = "SELECT operation_id, kind, at, user_name, command, summary FROM operation"
    queries["registry"] = "SELECT model_id, scope FROM registry"
    queries["profile"] = "SELECT speaker_id, model_id, mean, audios, duration_s, inverse_s FROM profile"
    return {name: sorted(str(row) for row in connection.execute(text(query))) for name, query in queries.items()}


def test_back_at_0002_everything_is_there_and_its_views_serve(registry: Engine) -> None:
    with registry.begin() as connection:
        before = contents(connection)
        command.downgrade(alembic_config(connection), "0002")
    with registry.begin() as connection:
        assert contents(connection) == before
        numbers = connection.execute(text("SELECT number, clips, name FROM speakers ORDER BY number")).all()
        similar = connection.execute(text("SELECT numbers FROM similar_speakers(1)")).scalars().all()

    assert [tuple(row) for row in numbers] == [("F0001", 2, None), ("F0003", 1, "Maria")]
    assert similar == ["andaiafm F0003"]


def test_forward_again_it_is_sound_and_works_on(registry: Engine, indir: Path, make_clip: MakeClip) -> None:
    with registry.begin() as connection:
        before = contents(connection)
        command.downgrade(alembic_config(connection), "0002")
        upgrade(connection, "shown")
    with registry.begin() as connection:
        assert contents(connection) == before
    make_clip("d", 400, night(6))
    ingest(registry, [indir], AUTHOR)
    reembed(registry, "second", AUTHOR)
    undo(registry, int(str(switch_model(registry, "second", AUTHOR).outcome.operation_id)), AUTHOR)

    assert check(registry) == []


@pytest.mark.parametrize("is_undone", [False, True])
def test_a_second_model_is_not_thrown_away(registry: Engine, *, is_undone: bool) -> None:
    filled = reembed(registry, "second", AUTHOR).outcome.operation_id
    if is_undone:
        undo(registry, int(str(filled)), AUTHOR)
    with (
        pytest.raises(RuntimeError, match="0002 cannot hold a second embedding model"),
        registry.begin() as connection,
    ):
        command.downgrade(alembic_config(connection), "0002")
    with registry.begin() as connection:
        assert revision(connection) == newest_revision()
    assert check(registry) == []


@pytest.mark.parametrize("former", ["0002", "0009"])
def test_status_of_a_former_revision_names_its_model(opened: Database, former: str) -> None:
    with opened.engine.begin() as connection:
        command.downgrade(alembic_config(connection), former)
    found = status(opened)

    assert (found["schema_revision"], found["embedding_model"], found["models_beside"]) == (former, "campplus", "none")
    assert str(found["calibrated"]).startswith("no")


CALIBRATED = """
    INSERT INTO calibration (model_id, other_gender_offset, other_gender_spread, stranger_variance, base_noise,
                             stranger, stranger_by_telephone, from_operation) VALUES (1, {}, 1)
"""


def test_measured_constants_are_not_thrown_away(registry: Engine) -> None:
    with registry.begin() as connection:
        connection.execute(text(CALIBRATED.format("0, 0.1, 0.01, 0.2, 0.5, 0.7")))
    with (
        pytest.raises(RuntimeError, match="0009 cannot hold what calibrate measured"),
        registry.begin() as connection,
    ):
        command.downgrade(alembic_config(connection), "0009")
    with registry.begin() as connection:
        assert revision(connection) == newest_revision()
    assert check(registry) == []


@pytest.mark.parametrize(
    ("constants", "constraint"),
    [
        ("0, 0, 0.01, 0.2, 0.5, 0.7", "calibration_positive_check"),
        ("0, 0.1, -1, 0.2, 0.5, 0.7", "calibration_positive_check"),
        ("0, 0.1, 0.01, 0.2, 1, 0.7", "calibration_cosines_check"),
    ],
)
def test_constants_that_no_model_has_are_refused(registry: Engine, constants: str, constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint), registry.begin() as connection:
        connection.execute(text(CALIBRATED.format(constants)))
