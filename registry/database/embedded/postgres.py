"""PostgreSQL's own programs at work in one home: initialise, start, stop, ask."""

import enum
import hashlib
import os
import pwd
import shlex
import shutil
import stat
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from registry.database.embedded import binaries, shared_memory
from registry.database.embedded.account import (
    Account,
    account_for,
    let_in,
    make_private,
    open_private,
    refuse_closed_way,
    refuse_foreign_data,
)

PORT = 5432  # names the socket file; nothing listens on TCP
SOCKET = f".s.PGSQL.{PORT}"
SOCKET_PATH_BYTES = 103  # AF_UNIX takes 107 on Linux, 103 on macOS
WAIT_S = 300  # a crashed server replays its log first, a stopping one writes its buffers
POLL_S = 0.05
LOG_TAIL_LINES = 5
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "maintenance_work_mem": "256MB",
    "wal_recycle": "off",  # what is written over old segments leaves the rest of them, and so what was forgotten
    "jit": "off",  # compiling costs more than it saves on queries this short
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Nothing of what is in the registry gets into the log: no statements, no parameters, no rows that were refused.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_checkpoints": "off",  # two lines every five minutes, for years
}
# The names of the C library's locales differ between machines; the built-in C.UTF-8 is everywhere.
LOCALE = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]


NAMELESS = (
    "the user number {uid} has no name on this machine, which initdb needs to make the data. Add the line"
    " registry:x:{uid}:{gid}::/:/sbin/nologin to /etc/passwd, of the image say, for the first start; later ones do"
    " without"
)


class State(enum.Enum):
    """What the server answers."""

    READY = enum.auto()
    BUSY = enum.auto()  # starting or stopping
    SILENT = enum.auto()


class ProgramError(Exception):
    """A program of PostgreSQL failed: {its own words}."""


@dataclass(frozen=True)
class Postgres:
    """The server of one home.

    The programs run inside the home and get names relative to it: pg_ctl hands its arguments to a shell
    without quoting them.
    """

    home: Path

    @property
    def data(self) -> Path:
        """The folder that initdb makes."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """What the programs say, since the last start."""
        return self.home / "postgres.log"

    @property
    def socket_folder(self) -> Path:
        """The data folder, or a short one where the socket's path would be too long.

        A comma would part the path in two for libpq. TMPDIR is not asked: it differs between the shells
        and jobs that share one server.
        """
        if len(os.fsencode(self.data / SOCKET)) <= SOCKET_PATH_BYTES and "," not in str(self.data):
            return self.data
        name = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]
        return Path("/tmp", f"speaker-registry-{name}")  # noqa: S108 - refused below when it is not ours

    def state(self) -> State:
        """Ask the server itself; process numbers are given again after a crash."""
        if not (self.socket_folder / SOCKET).exists():
            return State.SILENT
        target = ["-h", str(self.socket_folder), "-p", str(PORT), "-U", "postgres", "-d", "postgres"]
        command = [str(binaries.programs() / "pg_isready"), "-q", *target]
        asked = subprocess.run(command, env=_environment(), check=False)
        return {0: State.READY, 1: State.BUSY}.get(asked.returncode, State.SILENT)

    def refuse_unreachable(self) -> None:
        """Refuse a home that the account of the server cannot get to.

        Raises:
            OSError: It cannot, or the account is missing and cannot be made.
        """
        refuse_closed_way(self.home, account_for(self.home, self.data))

    def ensure_running(self) -> None:
        """Initialise the data on first use and start the server if it does not run.

        Raises:
            OSError: when a folder, an account or a program is missing or refused.
            ProgramError: when PostgreSQL refuses, with its own words.
        """
        account = account_for(self.home, self.data)
        if self.data.exists():
            refuse_foreign_data(self.home, self.data)
        let_in(self.home, account)
        if not (self.data / "PG_VERSION").exists():
            self._initialise(account)
        self._refuse_other_version()
        self._prepare_socket_folder(account)
        if not self._settles():
            self._start(account)

    def stop(self) -> bool:
        """Stop the server now, whoever is connected; return whether it was running.

        Raises:
            ProgramError: when it does not stop within WAIT_S seconds.
        """
        if self.state() is State.SILENT:
            return False
        account = account_for(self.home, self.data)
        self._run(account, "pg_ctl", "stop", "-D", "data", "-m", "fast", "-s", "-w", "-t", str(WAIT_S))
        return True

    def _initialise(self, account: Account) -> None:
        _refuse_nameless(account)
        # Under another name first: initdb writes PG_VERSION early, so a killed one would look complete.
        unfinished = self.home / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        make_private(unfinished, account)
        self._run(account, "initdb", "-D", unfinished.name, "-U", "postgres", "--auth=trust", *LOCALE)
        unfinished.rename(self.data)

    def _refuse_other_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != binaries.MAJOR:
            message = f"its data is of PostgreSQL {found}, the programs are of PostgreSQL {binaries.MAJOR}"
            raise ProgramError(message)

    def _prepare_socket_folder(self, account: Account) -> None:
        folder = self.socket_folder
        if not os.path.lexists(folder):
            make_private(folder, account)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid or found.st_mode & 0o077:
            message = f"{folder}, the folder of its socket, is not private to the user number {account.uid}"
            raise ProgramError(message)

    def _settles(self) -> bool:
        """Wait for a server on its way up or down; return whether one is ready."""
        deadline = time.monotonic() + WAIT_S
        while (state := self.state()) is State.BUSY or (state is State.SILENT and shared_memory.processes(self.data)):
            if time.monotonic() > deadline:
                message = "processes of an earlier server still hold its data and do not answer"
                raise ProgramError(message)
            time.sleep(POLL_S)
        return state is State.READY

    def _start(self, account: Account) -> None:
        self._begin_log(account)
        if shared_memory.processes(self.data) == 0:
            self._remove_stale_locks()
        folder = "." if self.socket_folder == self.data else str(self.socket_folder)
        settings = SETTINGS | {"unix_socket_directories": folder}
        options = shlex.join(f"--{name}={value}" for name, value in settings.items())
        log = self.log.name
        self._run(account, "pg_ctl", "start", "-D", "data", "-l", log, "-o", options, "-s", "-w", "-t", str(WAIT_S))

    def _begin_log(self, account: Account) -> None:
        # Begun anew by every start: it never grows for long, and what earlier versions wrote is gone.
        log = open_private(self.log, account)
        os.ftruncate(log, 0)
        os.close(log)

    def _remove_stale_locks(self) -> None:
        # PostgreSQL believes them when an unrelated process, or a zombie nobody reaps, has the noted number.
        for path in (self.data / "postmaster.pid", self.socket_folder / f"{SOCKET}.lock"):
            path.unlink(missing_ok=True)

    def _run(self, account: Account, program: str, *arguments: str) -> None:
        # Into the log, never a pipe: the server keeps what it inherits, and a reader would wait for ever.
        with os.fdopen(open_private(self.log, account), "ab") as log:
            start = log.tell()
            done = subprocess.run(
                [binaries.programs_for(account) / program, *arguments],
                cwd=self.home,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=False,
                umask=0o077,
                user=account.uid if account.is_other else None,
                group=account.gid if account.is_other else None,
                extra_groups=[] if account.is_other else None,
            )
        if done.returncode:
            raise ProgramError(self._log_tail(start))

    def _log_tail(self, start: int) -> str:
        lines = self.log.read_bytes()[start:].decode(errors="replace").splitlines()
        return " / ".join(line.strip() for line in lines[-LOG_TAIL_LINES:]) or "it said nothing"


def _refuse_nameless(account: Account) -> None:
    """Refuse an account that initdb would: only the first start needs its name."""
    try:
        pwd.getpwuid(account.uid)
    except KeyError:
        message = NAMELESS.format(uid=account.uid, gid=account.gid)
        raise ProgramError(message) from None


def _environment() -> dict[str, str]:
    # Nothing else: PGHOST, PGPORT, PGDATA or TZ of the caller would change what the programs do.
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "LC_ALL": "C", "PGCLIENTENCODING": "UTF8"}
