"""The embedded server stays a moment after its last user, and what stops it then is in nobody's way."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from registry.database.embedded import EmbeddedServer
from registry.database.embedded.linger import LINGER_S, linger_s
from tests.fix_places import short_folder

SOURCE = Path(__file__).parents[3]
USE = "import sys, pathlib, registry.database.embedded as e; e.EmbeddedServer(pathlib.Path(sys.argv[1]))"


@pytest.fixture(scope="module")
def initialised() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="registry-", dir=short_folder()))
    made.chmod(0o711)
    with EmbeddedServer(made / "home"):
        pass
    yield made / "home"
    shutil.rmtree(made)


@pytest.fixture
def server(initialised: Path) -> Iterator[EmbeddedServer]:
    folder = Path(tempfile.mkdtemp(prefix="registry-", dir=short_folder()))
    folder.chmod(0o711)
    subprocess.run(["cp", "-a", initialised, folder / "home"], check=True)
    running = EmbeddedServer(folder / "home")
    yield running
    running.stop()
    for pid in lingering(running):
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder)


def use(server: EmbeddedServer, linger: float) -> "subprocess.CompletedProcess[str]":
    """Start and leave the server in another process, and wait until nothing holds that process's output."""
    return subprocess.run(
        [sys.executable, "-c", f"{USE}.start().release()", str(server.home)],
        env={**os.environ, "PYTHONPATH": str(SOURCE), "REGISTRY_LINGER_S": str(linger)},
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )


def lingering(server: EmbeddedServer) -> list[int]:
    """Number the processes that are to stop the server."""
    name = str(server.home).encode()
    commands = {int(path.parent.name): path for path in Path("/proc").glob("[0-9]*/cmdline")}
    return [pid for pid, path in commands.items() if _is_lingering(path, name)]


def _is_lingering(path: Path, home: bytes) -> bool:
    try:
        words = path.read_bytes()
    except OSError:
        return False
    return b"registry.database.embedded.stopping" in words and home in words and b"/bin/sh" not in words


def wait_until_it_stops(server: EmbeddedServer) -> float:
    began_s = time.monotonic()
    while server.is_running() and time.monotonic() - began_s < 30:
        time.sleep(0.05)
    return time.monotonic() - began_s


def wait_until_one_lingers(server: EmbeddedServer) -> int:
    """Give the number of the process that is to stop the server, once it waits and does nothing else."""
    deadline_s = time.monotonic() + 20
    while time.monotonic() < deadline_s:
        for pid in lingering(server):
            if open_files(pid) == {"/dev/null", str(server.home / "linger.lock")}:
                return pid
        time.sleep(0.05)
    raise AssertionError("nothing waits")


def open_files(pid: int) -> set[str]:
    files = set()
    for path in Path(f"/proc/{pid}/fd").glob("*"):
        with suppress(FileNotFoundError):  # closed meanwhile
            files.add(str(path.readlink()))
    return files


def test_it_stays_and_then_stops(server: EmbeddedServer) -> None:
    done = use(server, 3)
    was_running = server.is_running()
    stopped_after_s = wait_until_it_stops(server)

    assert (done.stdout, done.stderr) == ("", "")
    assert was_running
    assert 1 < stopped_after_s < 15


def test_who_comes_in_time_finds_it_and_begins_the_wait_anew(server: EmbeddedServer) -> None:
    use(server, 4)
    first = wait_until_one_lingers(server)
    time.sleep(2)
    use(server, 4)
    time.sleep(2.5)
    is_running_still = server.is_running()
    same = lingering(server)

    assert is_running_still
    assert same == [first]
    assert wait_until_it_stops(server) < 15


def test_a_user_is_not_disturbed(server: EmbeddedServer) -> None:
    use(server, 1)
    with server:
        time.sleep(3)
        assert server.is_running()
        assert lingering(server) == []


def test_stop_stops_at_once(server: EmbeddedServer) -> None:
    use(server, 60)

    assert server.stop()
    assert not server.is_running()


def test_what_waits_holds_nothing_of_its_starter(server: EmbeddedServer) -> None:
    use(server, 60)
    pid = wait_until_one_lingers(server)
    streams = {str(Path(f"/proc/{pid}/fd/{number}").readlink()) for number in range(3)}

    assert streams == {"/dev/null"}
    assert open_files(pid) == {"/dev/null", str(server.home / "linger.lock")}
    assert Path(f"/proc/{pid}/cwd").readlink() == server.home
    assert os.getsid(pid) != os.getsid(0)


def test_where_it_is_killed_the_next_last_user_sees_to_it(server: EmbeddedServer) -> None:
    use(server, 60)
    os.kill(wait_until_one_lingers(server), signal.SIGKILL)
    use(server, 1)

    assert wait_until_it_stops(server) < 15


def test_a_home_that_is_removed_ends_it(server: EmbeddedServer) -> None:
    use(server, 5)  # long enough to remove it meanwhile on a busy machine
    wait_until_one_lingers(server)
    server.stop()
    shutil.rmtree(server.home)
    deadline_s = time.monotonic() + 20
    while lingering(server) and time.monotonic() < deadline_s:
        time.sleep(0.05)

    assert lingering(server) == []
    assert not server.home.exists()


@pytest.mark.parametrize(("named", "seconds"), [("0", 0.0), ("2.5", 2.5), ("-1", 0.0), ("soon", LINGER_S)])
def test_the_time_is_a_setting(monkeypatch: pytest.MonkeyPatch, named: str, seconds: float) -> None:
    monkeypatch.setenv("REGISTRY_LINGER_S", named)

    assert linger_s() == seconds


@pytest.mark.parametrize("asked", ["os.getpid", "os.getppid"])
def test_a_container_that_ends_with_the_command_keeps_no_server(monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    monkeypatch.delenv("REGISTRY_LINGER_S")
    monkeypatch.setattr(asked, lambda: 1)

    assert linger_s() == 0
