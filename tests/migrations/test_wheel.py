"""The wheel carries what a database needs, and migrates one from where it is installed."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from alembic.command import upgrade
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import create_engine

from registry.database.schema import alembic_config, ensure_pgvector, newest_revision
from tests.fix_server import TcpServer

SOURCE = Path(__file__).parents[2]
CARRIED = [
    "cli/main.py",
    "migrations/__init__.py",
    "migrations/env.py",
    "migrations/script.py.mako",
    "migrations/versions/0001_initial.py",
    "registry/database/embedded/server.py",
    "registry/database/views.sql",
]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the wheel's files, as site-packages would."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, SOURCE]
    subprocess.run(build, check=True, cwd=folder)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder / "100% installed")
    return folder / "100% installed"


def test_the_wheel_carries_every_part(installed: Path) -> None:
    missing = [name for name in CARRIED if not (installed / name).is_file()]
    of_source = {path.name for path in (SOURCE / "migrations/versions").glob("*.py")}

    assert missing == []
    assert {path.name for path in (installed / "migrations/versions").glob("*.py")} == of_source
    assert not (installed / "tests").exists()


def test_it_migrates_a_database_from_where_it_is_installed(
    installed: Path, tcp_server: TcpServer, empty: str, tmp_path: Path
) -> None:
    engine = create_engine("postgresql+psycopg://", connect_args=conninfo_to_dict(tcp_server.url(empty)))
    with engine.begin() as connection:
        ensure_pgvector(connection, "shown")
        upgrade(alembic_config(connection), "0005")
    engine.dispose()
    command = "import migrations, cli.main; print(migrations.__file__); cli.main.main()"
    done = subprocess.run(
        [sys.executable, "-c", command, "database", "upgrade"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(installed), "PATH": os.defpath, "REGISTRY_DATABASE_URL": tcp_server.url(empty)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{installed}/migrations/__init__.py\n")
    assert done.stdout.endswith(f"/{empty} is at revision {newest_revision()}\n")
