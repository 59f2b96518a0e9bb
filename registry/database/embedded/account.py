"""The account that runs the server, and whose folders and files it may work with."""

import os
import pwd
import shlex
import shutil
import stat
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from registry.files.ownership import WRITABLE_BY_OTHERS, user_name

NAME = "speaker-registry"
SYSTEM_FOLDERS = "/usr/sbin:/sbin:/usr/bin:/bin"  # the PATH of cron has no sbin

NO_WAY = (
    "the account of the server, {account}, may not pass through {folders}, which is not for us to open. Name a folder"
    " that it can reach, as with REGISTRY_HOME=/var/lib/speaker-registry; or let that one account through, with"
    " setfacl -m u:{uid}:--x {words}"
)
FOREIGN = (
    "{path} belongs to {owner}, who could have us run or believe what is theirs. Run this as {owner}, with sudo -u say,"
    " or name another folder with REGISTRY_HOME"
)
PLANTED = "{path} belongs to {owner} or is a link to a file elsewhere. Look at it, then remove it"
WRITABLE = (
    "others may write to {path}, and put there what we would take for ours. Name a folder inside it with REGISTRY_HOME,"
    " which we make for ourselves, or have its owner run chmod go-w"
)


class NotOurs(OSError):  # noqa: N818 - a name says what is wrong
    """A folder or a file is not as only we could have made it."""


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
    """Make the home unless it exists; root's lets the server's account pass to its data.

    Raises:
        NotOurs: It is another user's, or others may write to it.
        OSError: It cannot be made.
    """
    is_root = os.geteuid() == 0
    for folder in reversed([folder for folder in (home, *home.parents) if not folder.exists()]):
        folder.mkdir(exist_ok=True)
        if folder == home:
            folder.chmod(0o711 if is_root else 0o700)  # whatever the umask
        elif is_root:
            folder.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IXGRP | stat.S_IXOTH)
    refuse_foreign(home)


def refuse_foreign(home: Path) -> None:
    """Refuse a home in which another user could have put what we would run or believe.

    Root may work with the home of whoever called it by sudo, and of the server's account.

    Raises:
        NotOurs: It is another user's, or others may write to it.
    """
    found = home.stat()
    if found.st_uid not in _trusted():
        raise NotOurs(FOREIGN.format(path=home, owner=user_name(found.st_uid)))
    if found.st_mode & WRITABLE_BY_OTHERS:
        _close(home, found)


def refuse_foreign_links(home: Path) -> None:
    """Refuse a path to a home on which another user has put a link.

    Raises:
        NotOurs: There is one.
    """
    for link in (folder for folder in (home, *home.parents) if folder.is_symlink()):
        if (owner := link.lstat().st_uid) not in _trusted():
            raise NotOurs(FOREIGN.format(path=link, owner=user_name(owner)))


def _close(home: Path, found: os.stat_result) -> None:
    """Take the right to write from others, unless they have used it."""
    if found.st_uid != os.geteuid():
        raise NotOurs(WRITABLE.format(path=home))
    for path in home.iterdir():
        if (owner := path.lstat().st_uid) not in _trusted():
            raise NotOurs(PLANTED.format(path=path, owner=user_name(owner)))
    home.chmod(stat.S_IMODE(found.st_mode) & ~WRITABLE_BY_OTHERS)


def refuse_closed(folder: Path) -> None:
    """Refuse a folder that we may not look into, where it is another user's.

    Raises:
        NotOurs: It is.
    """
    for part in (folder, *folder.parents):
        try:
            owner = part.stat().st_uid
        except PermissionError:
            continue  # what it lies in is closed, too
        if owner != os.geteuid():
            raise NotOurs(FOREIGN.format(path=part, owner=user_name(owner)))
        return


def refuse_foreign_data(home: Path, data: Path) -> None:
    """Refuse data of another user's. Into a home of its own, only root can have put data of whatever account.

    Raises:
        NotOurs: It is.
    """
    owner = data.stat().st_uid
    is_in_roots = os.geteuid() == 0 and home.stat().st_uid == 0
    if owner not in _trusted() and not is_in_roots:
        raise NotOurs(FOREIGN.format(path=data, owner=user_name(owner)))


def _trusted() -> set[int]:
    """List the users who may own what we work with: ourselves, root, and for root those that it acts for."""
    trusted = {os.geteuid(), 0}
    if os.geteuid() != 0:
        return trusted
    if (caller := os.environ.get("SUDO_UID", "")).isdecimal():
        trusted.add(int(caller))
    with suppress(KeyError):
        trusted.add(pwd.getpwnam(NAME).pw_uid)
    return trusted


def open_private(path: Path, account: Account) -> int:
    """Open a file of the account to append, made if missing; return its descriptor.

    Raises:
        NotOurs: Somebody else has put a file there.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags, mode=0o600)
    try:
        _make_ours(path, descriptor, account)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _make_ours(path: Path, descriptor: int, account: Account) -> None:
    """Make a file private to the account; never one that has another name elsewhere, as a planted link has."""
    found = os.fstat(descriptor)
    is_ours = found.st_uid == account.uid or (found.st_uid == os.geteuid() and found.st_nlink == 1)
    if not is_ours or not stat.S_ISREG(found.st_mode):
        raise NotOurs(PLANTED.format(path=path, owner=user_name(found.st_uid)))
    if found.st_mode & 0o077:
        os.fchmod(descriptor, 0o600)
    if account.is_other and found.st_uid != account.uid:
        os.fchown(descriptor, account.uid, account.gid)


def make_private(folder: Path, account: Account) -> None:
    """Make a new folder that only the account can enter."""
    folder.mkdir(mode=0o700)
    if account.is_other:
        os.chown(folder, account.uid, account.gid)


def closed_folders(path: Path, account: Account) -> list[Path]:
    """List the parents of the path that are there and that the account cannot search, the outermost first."""
    return [folder for folder in reversed(path.parents) if folder.exists() and not _may_search(folder, account)]


def refuse_closed_way(home: Path, account: Account) -> None:
    """Refuse a home that the server's account cannot get to, rather than open folders that are closed to others.

    Raises:
        NotOurs: Parents of the home keep the account out.
    """
    if account.is_other and (closed := closed_folders(home, account)):
        named = f"{user_name(account.uid)} (user number {account.uid})"
        folders, words = ", ".join(map(str, closed)), shlex.join(map(str, closed))
        raise NotOurs(NO_WAY.format(account=named, folders=folders, uid=account.uid, words=words))


def let_in(home: Path, account: Account) -> None:
    """Let the server's account pass through the home itself, which is the registry's own: search only, no reading."""
    if account.is_other and not _may_search(home, account):
        home.chmod(stat.S_IMODE(home.stat().st_mode) | stat.S_IXOTH)


def _may_search(folder: Path, account: Account) -> bool:
    """Tell whether the account can pass through a folder; the system is asked where modes do not tell it all."""
    found = folder.stat()
    if found.st_uid == account.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_mode & stat.S_IXOTH:
        return True
    asked = ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)]  # its access control list may name the account
    ran = subprocess.run(
        asked, user=account.uid, group=account.gid, extra_groups=[], cwd="/", stderr=subprocess.DEVNULL, check=False
    )
    return ran.returncode == 0


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
