"""The registries of the embedded server: list them, drop one."""

from dataclasses import dataclass
from pathlib import Path

import psycopg

from registry.database.embedded import EmbeddedServer
from registry.database.session import session_for
from registry.errors import NoSuchRegistry, RegistryInUse

SIZE = "SELECT pg_database_size(current_database())"
CONTENTS = """
    SELECT count(*), count(DISTINCT speaker_id) FROM assignment WHERE to_operation IS NULL
"""


@dataclass(frozen=True)
class Registry:
    """A database of the embedded server; one that holds no registry has no counts."""

    name: str
    clips: int | None  # there now, not those withdrawn
    speakers: int | None  # with clips now
    bytes: int  # on the disk


@dataclass(frozen=True)
class Registries:
    """What an embedded server holds."""

    home: Path
    running: bool  # before it was asked
    registries: tuple[Registry, ...]  # by name


def listed(server: EmbeddedServer) -> Registries:
    """List the registries of a server, which is started for it; where there is none, nothing is made.

    Raises:
        EmbeddedServerFailed: It cannot be started.
    """
    if not server.exists():
        return Registries(server.home, running=False, registries=())
    was_running = server.is_running()
    with server:
        return Registries(server.home, was_running, tuple(_described(server, name) for name in server.databases()))


def _described(server: EmbeddedServer, name: str) -> Registry:
    with session_for(server.url(name), server.url(name), is_own=True).connect() as connection:
        (size,) = connection.execute(SIZE).fetchone() or (0,)
        try:
            clips, speakers = connection.execute(CONTENTS).fetchone() or (None, None)
        except psycopg.errors.UndefinedTable:
            return Registry(name, None, None, size)
    return Registry(name, clips, speakers, size)


def dropped(server: EmbeddedServer, name: str) -> None:
    """Remove a registry and all in it, for good.

    Raises:
        NoSuchRegistry: The server has none of this name, or there is no server.
        RegistryInUse: Another program is connected to it.
        EmbeddedServerFailed: The server cannot be started.
    """
    if not server.exists():
        raise NoSuchRegistry(home=server.home, name=name, known="none")
    with server:
        if name not in (known := server.databases()):
            raise NoSuchRegistry(home=server.home, name=name, known=", ".join(known) or "none")
        try:
            server.drop_database(name)
        except psycopg.errors.ObjectInUse as error:
            raise RegistryInUse(name=name) from error
