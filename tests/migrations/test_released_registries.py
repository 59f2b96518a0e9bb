"""Registries of every released revision, made by the code of their time, come up with all that they hold."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from sqlalchemy import Engine, text

import migrations
from registry.corrections.switch_model import switch_model
from registry.corrections.undo import undo
from registry.database.check import check
from registry.database.reach import reach
from registry.database.schema import alembic_config
from registry.database.status import status
from registry.database.vacuum import vacuum
from registry.export import export
from registry.ingest import ingest
from registry.ingest.reembed import reembed
from tests.conftest import AUTHOR, MakeClip, night
from tests.fix_server import TcpServer
from tests.migrations.small_registry import FOLDER, QUESTIONS, answers, listing, write_input

REVISIONS = sorted(path.name[:4] for path in (Path(migrations.__file__).parent / "versions").glob("[0-9]*.py"))
SOURCE = Path(__file__).parents[2]
REGISTRIES = Path(__file__).with_name("registries")


@dataclass(frozen=True)
class Released:
    """A registry as an earlier version left it, and what was known of it then."""

    revision: str
    url: str
    folder: Path  # of its input
    known: dict[str, Any]


@pytest.fixture(params=sorted(path.name[:4] for path in REGISTRIES.glob("*.sql.gz")))
def released(request: pytest.FixtureRequest, tcp_server: TcpServer, empty: str, tmp_path: Path) -> Released:
    write_input(tmp_path)
    dump = gzip.decompress((REGISTRIES / f"{request.param}.sql.gz").read_bytes()).decode()
    tcp_server.run(dump.replace(FOLDER, str(tmp_path)), empty)
    known = json.loads((REGISTRIES / f"{request.param}.json").read_text(encoding="utf-8"))
    return Released(request.param, tcp_server.url(empty), tmp_path, known)


@pytest.fixture
def upgraded(released: Released) -> Iterator[Engine]:
    with reach(released.url) as opened:
        yield opened.engine


def exported(engine: Engine, outdir: Path, as_of: int | None = None) -> dict[str, str]:
    assert export(engine, outdir, as_of=as_of).exit_code == 0
    return listing(outdir)


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_a_revision_that_others_followed_has_a_registry_of_its_time(revision: str) -> None:
    """The docstring of make_registry.py says how to make one."""
    assert (REGISTRIES / f"{revision}.sql.gz").is_file()
    assert (REGISTRIES / f"{revision}.json").is_file()


def test_the_code_at_hand_makes_one_too(tmp_path: Path) -> None:
    script = REGISTRIES.with_name("make_registry.py")
    source = os.pathsep.join([str(SOURCE), os.environ.get("PYTHONPATH", "")])
    subprocess.run([sys.executable, script, tmp_path], check=True, env=os.environ | {"PYTHONPATH": source})

    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{REVISIONS[-1]}.json", f"{REVISIONS[-1]}.sql.gz"]
    assert len(json.loads((tmp_path / f"{REVISIONS[-1]}.json").read_text(encoding="utf-8"))["exported"]) == 34


@pytest.mark.usefixtures("upgraded")
@pytest.mark.parametrize("question", QUESTIONS)
def test_its_rows_are_as_they_were(released: Released, question: str) -> None:
    known = released.known[question]
    with psycopg.connect(released.url) as connection:
        connection.execute("SET search_path = registry, public")
        now = answers(connection, released.folder)[question]

    assert known
    assert [{column: row[column] for column in known[0]} for row in now] == known


def test_its_tables_are_those_of_a_new_registry(upgraded: Engine) -> None:
    with upgraded.connect() as connection:
        command.check(alembic_config(connection))


def test_it_is_sound_once_it_is_vacuumed(upgraded: Engine) -> None:
    """Revisions before 0008 left bytes of what was forgotten in the database's files, and a check says so."""
    vacuum(upgraded)

    assert check(upgraded) == []


def test_it_exports_the_bytes_that_it_did(released: Released, upgraded: Engine, out: Path) -> None:
    assert exported(upgraded, out) == released.known["exported"]


def test_it_exports_an_earlier_state_as_it_was(released: Released, upgraded: Engine, out: Path) -> None:
    assert exported(upgraded, out, released.known["earlier_operation"]) == released.known["exported_then"]


def test_its_last_operations_can_be_undone(released: Released, upgraded: Engine, out: Path) -> None:
    earlier = released.known["earlier_operation"]
    later = [row["operation_id"] for row in released.known["operations"] if row["operation_id"] > earlier]
    vacuum(upgraded)
    for operation_id in reversed(later):
        undo(upgraded, operation_id, AUTHOR)

    assert exported(upgraded, out) == released.known["exported_then"]
    assert check(upgraded) == []


@pytest.mark.usefixtures("two_models")
def test_it_is_worked_on(upgraded: Engine, make_clip: MakeClip, indir: Path) -> None:
    make_clip("d", 3000, night(7))
    ingest(upgraded, [indir], AUTHOR)
    reembed(upgraded, "second", AUTHOR)
    switched = switch_model(upgraded, "second", AUTHOR).outcome.operation_id
    undo(upgraded, switched or 0, AUTHOR)
    vacuum(upgraded)

    assert check(upgraded) == []


def test_it_can_be_asked_about_before_it_is_brought_up(released: Released) -> None:
    """By `registry database status`, which changes nothing."""
    with reach(released.url, upgrade=False) as opened:
        found = status(opened)

    assert (found["schema_revision"], found["embedding_model"]) == (released.revision, "campplus")
    assert (found["models_beside"] == "none") == (released.revision < "0003")
    assert str(found["calibrated"]).startswith("no" if released.revision < "0010" else "since operation")


def test_a_view_of_a_persons_own_upon_ours_and_grants_outlive_the_upgrade(
    released: Released, tcp_server: TcpServer, plain_role: str
) -> None:
    home = "registry" if released.revision >= "0007" else "public"
    made = f"CREATE VIEW mine AS SELECT number FROM {home}.speakers; GRANT SELECT ON {home}.clips TO {plain_role}"
    tcp_server.run(made, released.url.rpartition("/")[2])
    with reach(released.url) as opened, opened.engine.connect() as connection:
        numbers = connection.execute(text("SELECT number FROM public.mine ORDER BY number")).scalars().all()
        may_read = text("SELECT has_table_privilege(:role, 'clips', 'SELECT')")

        assert numbers == sorted(row["number"] for row in released.known["speakers"])
        assert connection.execute(may_read, {"role": plain_role}).scalar_one()
