"""The embedded server and its life time: it runs while a process uses it, and no longer."""

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self
from urllib.parse import quote

from registry.embedded.account import make_home
from registry.embedded.locks import Locks
from registry.embedded.postgres import PORT, Postgres, ProgramError, State, psql
from registry.errors import DatabaseError, EmbeddedServerFailed

APPLICATION = "speaker-registry"
ROOT_HOME = Path("/var/lib", APPLICATION)

# The advisory lock makes the second of two processes wait and then see the database of the first.
CREATE_DATABASE = """
SELECT pg_advisory_lock(7264732573) \\g /dev/null
SELECT format('CREATE DATABASE %I', :'name')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name'::name) \\gexec
"""


def home() -> Path:
    """Name the folder of the embedded server: REGISTRY_HOME, or the user's data folder."""
    if named := os.environ.get("REGISTRY_HOME"):
        return Path(named).expanduser().absolute()
    if os.geteuid() == 0 and not os.environ.get("XDG_DATA_HOME"):
        # /root is private and PostgreSQL refuses to run as root: the server's account could not reach it.
        return ROOT_HOME
    from platformdirs import user_data_path

    return user_data_path(APPLICATION, appauthor=False)


class EmbeddedServer:
    """A private PostgreSQL server in one folder, shared by all processes of its user.

    The last user to leave stops it. A user that is killed leaves without a word; the next one stops it then.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Describe the server of the folder, by default of home(); nothing is touched before start()."""
        self.home = (folder or home()).resolve()
        self._postgres = Postgres(self.home)
        self._locks = Locks(self.home)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.release()

    def start(self) -> Self:
        """Use the server from now on: make its data on first use, start it unless it runs.

        Raises:
            EmbeddedServerFailed: when it cannot be started; with the cause.
        """
        with self._failures():
            make_home(self.home)
            with self._locks.alone():
                self._locks.join()
                try:
                    self._postgres.ensure_running()
                except BaseException:
                    self._leave()
                    raise
        atexit.register(self.release)
        return self

    def release(self) -> None:
        """Use the server no longer; the last user stops it, unless keep() was asked for.

        Raises:
            EmbeddedServerFailed: when the server does not stop.
        """
        atexit.unregister(self.release)
        if not self._locks.is_user:
            return
        if not self.home.is_dir():  # deleted under the server, which then ends by itself within a minute
            self._locks.let_go()
            return
        with self._failures(), self._locks.alone():
            self._leave()

    def url(self, database: str) -> str:
        """Give the address of a database on this server, as psql takes it; any name, percent-encoded."""
        folder = quote(os.fsencode(self._postgres.socket_folder), safe="")
        return f"postgresql://postgres@/{quote(database, safe='')}?host={folder}&port={PORT}"

    def ensure_database(self, name: str) -> None:
        """Create the database unless it exists; safe against other processes that do the same.

        Raises:
            DatabaseError: when the server refuses; with its words.
        """
        try:
            psql(self.url("postgres"), CREATE_DATABASE, name=name)
        except (OSError, ProgramError) as error:
            raise DatabaseError(cause=error) from error

    def keep(self) -> None:
        """Leave the server running when its last user goes, until stop()."""
        with self._failures():
            make_home(self.home)
            self._keep_marker.touch()

    def stop(self) -> bool:
        """Stop the server now, whoever uses it, and end keep(); return whether it was running.

        Raises:
            EmbeddedServerFailed: when the server does not stop.
        """
        if not self.home.is_dir():
            return False
        with self._failures(), self._locks.alone():
            self._keep_marker.unlink(missing_ok=True)
            return self._postgres.stop()

    def is_running(self) -> bool:
        """Say whether the server answers."""
        return self._postgres.state() is State.READY

    @property
    def _keep_marker(self) -> Path:
        return self.home / "keep"

    def _leave(self) -> None:
        try:
            if self._locks.is_last_user() and not self._keep_marker.exists():
                self._postgres.stop()
        finally:
            self._locks.let_go()

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ProgramError) as error:
            raise EmbeddedServerFailed(home=self.home, cause=_words(error), log=self._postgres.log) from error


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error)
