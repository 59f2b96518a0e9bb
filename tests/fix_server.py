"""A PostgreSQL server as other people run it: over TCP, with passwords; and pgvector as it should not be."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest

from registry.database.embedded import binaries
from registry.database.embedded.account import account_for, make_private

PASSWORD = "p@ss/w:rd %41"


@dataclass(frozen=True)
class TcpServer:
    folder: Path
    port: int

    def url(
        self,
        database: str = "postgres",
        *,
        scheme: str = "postgresql",
        user: str = "postgres",
        password: str = PASSWORD,
    ) -> str:
        return f"{scheme}://{user}:{quote(password, safe='')}@127.0.0.1:{self.port}/{quote(database, safe='')}"

    def run(self, statement: str, database: str = "postgres") -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def start(self) -> None:
        options = f"-h 127.0.0.1 -p {self.port} -k . -c fsync=off -c shared_buffers=32MB"
        self.program("pg_ctl", "start", "-D", "data", "-l", "log", "-w", "-s", "-o", options)

    def stop(self) -> None:
        self.program("pg_ctl", "stop", "-D", "data", "-m", "immediate", "-w", "-s")

    def program(self, name: str, *arguments: str) -> None:
        account = account_for(self.folder, self.folder / "data")
        subprocess.run(
            [binaries.programs_for(account) / name, *arguments],
            cwd=self.folder,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            check=True,
            stdout=subprocess.DEVNULL,
            user=account.uid if account.is_other else None,
            group=account.gid if account.is_other else None,
            extra_groups=[] if account.is_other else None,
        )


@pytest.fixture(scope="session")
def tcp_server() -> Iterator[TcpServer]:
    """One server for the whole run; its superuser postgres has a password."""
    parent = Path(tempfile.mkdtemp(prefix="registry-tcp-"))
    parent.chmod(0o711)
    server = TcpServer(parent / "server", _free_port())
    make_private(server.folder, account_for(server.folder, server.folder / "data"))
    (parent / "password").write_text(PASSWORD)
    (parent / "password").chmod(0o644)
    login = ["-U", "postgres", "--auth=scram-sha-256", "--pwfile=../password"]
    server.program("initdb", "-D", "data", "--no-sync", "--locale=C", "--encoding=UTF8", *login)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(parent)


@pytest.fixture
def empty(tcp_server: TcpServer) -> Iterator[str]:
    """The name of an empty database."""
    name = f"empty_{uuid4().hex}"
    tcp_server.run(f"CREATE DATABASE {name}")
    yield name
    tcp_server.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def plain_role(tcp_server: TcpServer, empty: str) -> Iterator[str]:
    """The name of a role without any rights, with the password of all."""
    name = f"plain_{uuid4().hex}"
    tcp_server.run(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
    yield name
    tcp_server.run(f"REASSIGN OWNED BY {name} TO postgres; DROP OWNED BY {name}", empty)
    tcp_server.run(f"REASSIGN OWNED BY {name} TO postgres; DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.fixture
def plain_database(tcp_server: TcpServer, plain_role: str) -> Iterator[str]:
    """The name of an empty database that an ordinary role owns, where a superuser has installed pgvector."""
    name = f"plain_{uuid4().hex}"
    tcp_server.run(f"CREATE DATABASE {name} OWNER {plain_role}")
    tcp_server.run(f"CREATE EXTENSION vector; ALTER SCHEMA public OWNER TO {plain_role}", name)
    yield name
    tcp_server.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def offered_extensions(tcp_server: TcpServer, empty: str) -> Iterator[Path]:
    """A folder from which alone the empty database may take extensions: nothing at first."""
    folder = Path(tempfile.mkdtemp(prefix="registry-extensions-"))
    folder.chmod(0o755)
    tcp_server.run(f"ALTER DATABASE {empty} SET extension_control_path = '{folder}'")
    yield folder
    shutil.rmtree(folder)


def offer_pgvector(folder: Path, version: str) -> None:
    """Put this machine's pgvector into the folder, under another version."""
    shared = binaries.programs().parent / "share/postgresql/extension"
    (folder / "extension").mkdir()
    control = (shared / "vector.control").read_text().replace("0.8.5", version)
    (folder / "extension/vector.control").write_text(control)
    shutil.copy(shared / "vector--0.8.5.sql", folder / f"extension/vector--{version}.sql")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
