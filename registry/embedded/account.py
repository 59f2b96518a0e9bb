"""The account that runs the server, and its way to the folders it needs."""

import logging
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

NAME = "speaker-registry"
SYSTEM_FOLDERS = "/usr/sbin:/sbin:/usr/bin:/bin"  # the PATH of cron has no sbin

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Account:
    """A user and its group, by number: in a container the number of a data folder may have no name."""

    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        """Root hands the server to another account, because PostgreSQL refuses to run as root."""
        return self.uid != os.geteuid()


def account_for(home: Path, data: Path) -> Account:
    """Find the account that runs the server of this home; as root, make it when there is none.

    Raises:
        OSError: as root, when the account is missing and cannot be made.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    return _owner_of(data) or _named_owner_of(home) or _system_account()


def make_home(home: Path) -> None:
    """Make the home unless it exists; root's lets the server's account pass to its data."""
    if not home.exists():
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o711 if os.geteuid() == 0 else 0o700)


def open_private(path: Path, account: Account) -> int:
    """Open a file of the account to append, made if missing; return its descriptor."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, mode=0o600)
    if account.is_other:
        os.fchown(descriptor, account.uid, account.gid)
    return descriptor


def make_private(folder: Path, account: Account) -> None:
    """Make a new folder that only the account can enter."""
    folder.mkdir(mode=0o700)
    if account.is_other:
        os.chown(folder, account.uid, account.gid)


def closed_folders(path: Path, account: Account) -> list[Path]:
    """List the parents of the path that the account cannot search, the outermost first."""
    return [folder for folder in reversed(path.parents) if not _may_search(folder.stat(), account)]


def open_way(path: Path, account: Account) -> None:
    """Let the account pass through the parents of the path: search only, no reading."""
    closed = closed_folders(path, account) if account.is_other else []
    for folder in closed:
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IXOTH)
    if closed:
        names = ", ".join(map(str, closed))
        _log.warning("opened to be passed through (o+x), for the account of the embedded server: %s", names)


def _may_search(folder: os.stat_result, account: Account) -> bool:
    if folder.st_uid == account.uid:
        return bool(folder.st_mode & stat.S_IXUSR)
    if folder.st_gid == account.gid:
        return bool(folder.st_mode & stat.S_IXGRP)
    return bool(folder.st_mode & stat.S_IXOTH)


def _owner_of(folder: Path) -> Account | None:
    if not folder.exists() or folder.stat().st_uid == 0:
        return None
    return Account(folder.stat().st_uid, folder.stat().st_gid)


def _named_owner_of(folder: Path) -> Account | None:
    # A user's own folder stays that user's after a run under sudo; initdb refuses a number without a name.
    try:
        return _account(pwd.getpwuid(folder.stat().st_uid)) if _owner_of(folder) else None
    except KeyError:
        return None


def _system_account() -> Account:
    try:
        return _account(pwd.getpwnam(NAME))
    except KeyError:
        return _make_system_account()


def _make_system_account() -> Account:
    useradd = shutil.which("useradd", path=SYSTEM_FOLDERS)
    if useradd is None:
        message = f"PostgreSQL refuses to run as root and useradd is missing: add a user named {NAME}"
        raise OSError(message)
    command = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return _account(pwd.getpwnam(NAME))  # made by us, or by another process at the same moment
    except KeyError:
        message = f"PostgreSQL refuses to run as root, and useradd {NAME} failed: {made.stderr.strip()}"
        raise OSError(message) from None


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_uid, entry.pw_gid)
