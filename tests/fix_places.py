"""Where and in how many processes the tests run.

Servers and exports wait for a disk most of their time: what they write lies in memory, where there is room. What is
measured is measured on the disk, and alone.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")  # a file system without a disk
ROOM_BYTES = 4_000_000_000  # the whole run held 1.4 GB at most, in two processes
MOST_WORKERS = 8  # each has servers of its own


def pytest_configure(config: pytest.Config) -> None:
    """Lay temporary files into memory until the run ends, those of programs that are started too."""
    is_worker = hasattr(config, "workerinput")  # which has the folder from the process that started it
    if is_worker or _is_measured(config) or not _has_room():
        return
    folder = Path(tempfile.mkdtemp(prefix="registry-tests-", dir=MEMORY))
    folder.chmod(0o1777)  # as /tmp is
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None  # asks anew


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Give the whole run a process a core; what is named, measured or shown runs in this one, which is 0."""
    is_whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    if not is_whole or _is_measured(config) or config.option.capture == "no":
        return 0
    return min(len(os.sched_getaffinity(0)), MOST_WORKERS)


def _is_measured(config: pytest.Config) -> bool:
    return "not benchmark" not in config.option.markexpr


def _has_room() -> bool:
    if not os.access(MEMORY, os.W_OK):
        return False
    found = os.statvfs(MEMORY)
    return found.f_bavail * found.f_frsize >= ROOM_BYTES and not found.f_flag & os.ST_NOEXEC  # programs are made too


def short_folder() -> str:
    """Say where to make a folder whose path is short enough for a socket, and that other accounts can reach."""
    return str(MEMORY) if Path(tempfile.gettempdir()).is_relative_to(MEMORY) else "/tmp"


def open_to_all(folder: Path) -> None:
    """Let other accounts get to a folder of pytest's, which is closed to them."""
    top = Path(tempfile.gettempdir())
    for closed in (folder, *folder.parents):
        if closed.is_relative_to(top) and closed != top:
            closed.chmod(0o755)
