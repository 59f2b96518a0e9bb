"""The embedded server and its life time: it runs while a process uses it, and a moment longer."""

import atexit
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from registry.database.embedded import linger
from registry.database.embedded.account import NotOurs, make_home, refuse_closed, refuse_foreign, refuse_foreign_links
from registry.database.embedded.disk_space import full_disk
from registry.database.embedded.file_locks import Locks
from registry.database.embedded.postgres import PORT, Postgres, ProgramError, State
from registry.errors import DatabaseError, EmbeddedServerFailed, HomeRefused

if TYPE_CHECKING:
    import psycopg

APPLICATION = "speaker-registry"
ROOT_HOME = Path("/var/lib", APPLICATION)


def home() -> Path:
    """Name the folder of the embedded server: REGISTRY_HOME, or the user's data folder."""
    if named := os.environ.get("REGISTRY_HOME"):
        return Path(named).expanduser().absolute()
    return default_home()


def default_home() -> Path:
    """Name the folder where the server is unless REGISTRY_HOME says otherwise."""
    if os.geteuid() == 0 and not os.environ.get("XDG_DATA_HOME"):
        # /root is private and PostgreSQL refuses to run as root: the server's account could not reach it.
        return ROOT_HOME
    from platformdirs import user_data_path

    return user_data_path(APPLICATION, appauthor=False)


class EmbeddedServer:
    """A private PostgreSQL server in one folder, shared by all processes of its user.

    It stops a moment after the last user has left. A user that is killed leaves without a word; the next one sees to
    it then.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Describe the server of the folder, by default of home(); nothing is touched before start()."""
        self._named = (folder or home()).absolute()
        self.home = self._named.resolve()
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
            refuse_foreign_links(self._named)
            self._postgres.refuse_unreachable()
            make_home(self.home)
            with self._locks.alone():
                self._locks.join()
                try:
                    self._postgres.ensure_running()
                except BaseException:
                    self._leave(lingering_s=0)
                    raise
        atexit.register(self.release)
        return self

    def exists(self) -> bool:
        """Say whether there is a server's data in the folder; touches nothing.

        Raises:
            HomeRefused: Another user's folder is closed to us.
        """
        with self._failures():
            try:
                return (self._postgres.data / "PG_VERSION").exists()
            except PermissionError:
                refuse_closed(self._postgres.data)
                raise

    def release(self) -> None:
        """Use the server no longer; after the last user it stops soon, unless keep() was asked for.

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
            self._leave(linger.linger_s())

    def url(self, database: str) -> str:
        """Give the address of a database on this server, as psql takes it; any name, percent-encoded."""
        folder = quote(os.fsencode(self._postgres.socket_folder), safe="")
        return f"postgresql://postgres@/{quote(database, safe='')}?host={folder}&port={PORT}"

    def ensure_database(self, name: str) -> None:
        """Create the database unless it exists; safe against other processes that do the same.

        Raises:
            DatabaseError: when the server refuses; with its words.
        """
        import psycopg
        from psycopg import sql

        try:
            with self._locks.alone():
                if not self.has_database(name):
                    with self.connect("postgres") as connection:
                        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except psycopg.Error as error:
            raise DatabaseError(cause=error) from error

    def ensure_reader(self, database: str) -> None:
        """Make the role that people's queries are asked as, unless it is there, and confine it in a database."""
        from registry.database.embedded import reader_role

        with self._locks.alone():
            with self.connect("postgres") as connection:
                reader_role.ensure(connection)
            with self.connect(database) as connection:
                reader_role.confine(connection)

    def databases(self) -> list[str]:
        """Name the databases that were made on the running server, sorted."""
        with self.connect("postgres") as connection:
            query = "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'"
            return sorted(row[0] for row in connection.execute(query))

    def has_database(self, name: str) -> bool:
        """Say whether the running server has a database of this name."""
        with self.connect("postgres") as connection:
            query = "SELECT FROM pg_database WHERE datname = %s::name AND NOT datistemplate"
            return connection.execute(query, [name]).rowcount > 0

    def drop_database(self, name: str) -> None:
        """Remove a database and all in it.

        Raises:
            psycopg.errors.ObjectInUse: when somebody is connected to it.
            psycopg.errors.InvalidCatalogName: when there is none.
        """
        from psycopg import sql

        with self.connect("postgres") as connection:
            connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))

    def connect(self, database: str) -> "psycopg.Connection[Any]":
        """Connect to a database of the running server, each statement a transaction of its own."""
        import psycopg

        from registry.database.embedded import environment

        with environment.hidden():
            return psycopg.connect(self.url(database), autocommit=True)

    def said(self) -> int:
        """Give the length of the server's log so far, in bytes."""
        log = self._postgres.log
        return log.stat().st_size if log.exists() else 0

    def full_disk(self, said_before: int, words: str) -> str | None:
        """Describe the server's disk if a failure came from its being full, else None.

        Args:
            said_before: What said() gave before the failure.
            words: What the failure says itself.
        """
        if not self.home.is_dir():
            return None
        log = self._postgres.log
        said = log.read_bytes() if log.is_file() else b""
        told = said[said_before if said_before <= len(said) else 0 :].decode(errors="replace")  # or it was begun anew
        return full_disk(self.home, words + told)

    def lingers_s(self) -> float | None:
        """Be the process that stops the server after its last user, and give how long it has to wait yet, in seconds.

        None once there is nothing more to do: somebody uses it or sees to it, or it was stopped.
        """
        if not self.home.is_dir():
            return None
        with self._locks.alone():
            left_at = self._locks.linger()
            remaining_s = None if left_at is None else self._remaining_s(left_at)
            if remaining_s is None:
                self._locks.stop_lingering()
            return remaining_s

    def _remaining_s(self, left_at: float) -> float | None:
        if not self._locks.is_unused() or self._keep_marker.exists():
            return None
        remaining_s = left_at + linger.linger_s() - time.time()
        if remaining_s > 0:
            return min(remaining_s, linger.linger_s())
        self._postgres.stop()
        return None

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
        with self._failures():
            refuse_foreign(self.home)
        with self._failures(), self._locks.alone():
            self._keep_marker.unlink(missing_ok=True)
            return self._postgres.stop()

    def is_running(self) -> bool:
        """Say whether the server answers."""
        return self._postgres.state() is State.READY

    @property
    def _keep_marker(self) -> Path:
        return self.home / "keep"

    def _leave(self, lingering_s: float) -> None:
        try:
            if self._locks.is_last_user() and not self._keep_marker.exists():
                self._end_or_linger(lingering_s)
        finally:
            self._locks.let_go()

    def _end_or_linger(self, lingering_s: float) -> None:
        if not lingering_s:
            self._postgres.stop()
        elif self._locks.note_leaving():
            linger.start(self.home)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except NotOurs as error:
            raise HomeRefused(home=self.home, cause=error) from error
        except (OSError, ProgramError) as error:
            raise EmbeddedServerFailed(home=self.home, cause=_words(error), log=self._postgres.log) from error


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error)
