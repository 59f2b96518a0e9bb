"""The installed command, as a shell or a script runs it."""

import json
import os
import pwd
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import soundfile as sf

from registry.database.check import ALL
from registry.database.embedded import EmbeddedServer, binaries
from registry.database.reach import reach
from tests.conftest import MakeClip
from tests.fix_server import PASSWORD, TcpServer

SOURCE = Path(__file__).parents[2]
REGISTRY = [str(Path(sys.executable).with_name("registry"))]
# The same command with the fake model of the tests, which needs no torch.
FAKE_MODEL = """
import registry.ingest.model_in_use as model
from cli.main import main
from registry.speech.embedder import Embedder
from tests.conftest import fake_infer
model.load_embedder = lambda *_: Embedder("campplus", "fake", 40, 1, fake_infer)
main()
"""
FAKE_REGISTRY = [sys.executable, "-c", FAKE_MODEL]
is_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another account")

Shell = dict[str, str]


def run(shell: Shell, *arguments: object, command: list[str] = REGISTRY) -> subprocess.CompletedProcess[str]:
    words = [*command, *map(str, arguments)]
    return subprocess.run(words, env=shell, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture(scope="module")
def new_shell() -> Iterator[Shell]:
    """The environment of a shell whose embedded server is its own."""
    home = Path(tempfile.mkdtemp(prefix="registry-cli-"))
    home.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REGISTRY_")}
    yield {**kept, "REGISTRY_HOME": str(home), "PYTHONPATH": str(SOURCE), "TERM": "xterm", "REGISTRY_LINGER_S": "0"}
    EmbeddedServer(home).stop()
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def url(new_shell: Shell) -> str:
    """The URL that `registry database url` prints; the server is then left running."""
    with EmbeddedServer(Path(new_shell["REGISTRY_HOME"])) as server:
        server.ensure_database("registry")
        with reach(server.url("registry"), create=True):
            pass
    printed = run(new_shell, "database", "url").stdout.strip()
    with psycopg.connect(printed, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")  # a test's data need not outlive a power cut
        connection.execute("SELECT pg_reload_conf()")
    return printed


@pytest.fixture
def shell(new_shell: Shell, url: str) -> Shell:
    """The environment of a shell whose embedded server is up, whatever the test before did to it."""
    if not is_running(new_shell):
        run(new_shell, "database", "url")
    with psycopg.connect(url) as connection:
        connection.execute("TRUNCATE clip, clip_group, speaker, operation, audio, embedding_model CASCADE")
    return new_shell


def is_running(shell: Shell) -> bool:
    return EmbeddedServer(Path(shell["REGISTRY_HOME"])).is_running()


def test_the_printed_url_works_with_psql_while_the_server_is_left_running(shell: Shell, url: str) -> None:
    psql = [str(binaries.programs() / "psql"), url, "-XAtc", "SELECT count(*) FROM speakers"]
    asked = subprocess.run(psql, capture_output=True, text=True, check=True)

    assert asked.stdout == "0\n"
    assert is_running(shell)


def test_the_server_lives_with_its_commands_unless_its_url_was_asked_for(shell: Shell) -> None:
    stopped = [run(shell, "database", "stop").stdout for _ in range(2)]
    counted = run(shell, "sql", "SELECT count(*) FROM clips", "--csv")

    assert stopped == ["stopped\n", "was not running\n"]
    assert (counted.stdout, counted.stderr, counted.returncode) == ("count\n0\n", "", 0)
    assert not is_running(shell)
    assert run(shell, "database", "url").returncode == 0
    assert is_running(shell)


def test_status_of_an_empty_database_changes_nothing(tcp_server: TcpServer, empty: str, shell: Shell) -> None:
    asked = run(shell, "database", "status", "--json", "--database", tcp_server.url(empty))

    assert json.loads(asked.stdout)["schema_revision"] == "none yet"
    with psycopg.connect(tcp_server.url(empty)) as connection:
        assert connection.execute("SELECT extname FROM pg_extension").fetchall() == [("plpgsql",)]
        assert connection.execute("SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace").rowcount == 0


def test_0_when_all_is_well_1_when_some_is_rejected_2_when_nothing_could_be_done(
    shell: Shell, indir: Path, make_clip: MakeClip, tmp_path: Path
) -> None:
    make_clip("a")
    assert run(shell, "ingest", indir, command=FAKE_REGISTRY).returncode == 0
    assert run(shell, "check").returncode == 0
    assert run(shell, "export", tmp_path / "out").returncode == 0

    make_clip("b").with_suffix(".txt").unlink()
    assert run(shell, "ingest", indir, command=FAKE_REGISTRY).returncode == 1
    (indir / "andaiafm_F20201105/a.wav").unlink()
    assert run(shell, "export", tmp_path / "other").returncode == 1

    assert run(shell, "ingest", indir, "--strict", command=FAKE_REGISTRY).returncode == 2
    assert run(shell, "ingest", tmp_path / "none").returncode == 2
    assert run(shell, "export", indir).returncode == 2
    assert run(shell, "sql", "SELECT nonsense").returncode == 2


def test_a_broken_invariant_is_1(shell: Shell, url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO operation (operation_id, kind, user_name, command, summary) VALUES (1, '', '', '', '{}')"
        )
        connection.execute("INSERT INTO speaker (gender, operation_id) SELECT 'F', max(operation_id) FROM operation")
        connection.execute(
            "INSERT INTO speaker_number (broadcaster, gender, number, speaker_id, from_operation)"
            " SELECT 'b', 'F', 2, speaker_id, operation_id FROM speaker"
        )
    plain, as_json = run(shell, "check"), run(shell, "check", "--json")

    assert (plain.returncode, as_json.returncode) == (1, 1)
    assert "broken: numbers at a broadcaster count up from 1 without gaps" in plain.stdout
    assert [found["rows"] for found in json.loads(as_json.stdout)["broken"]] == [[["b", "F", 2, 1]]]


def test_json_is_one_document_and_nothing_else(shell: Shell, indir: Path, make_clip: MakeClip, tmp_path: Path) -> None:
    make_clip("a")
    make_clip("b").with_suffix(".txt").unlink()
    documents = [
        json.loads(run(shell, *arguments, "--json", command=FAKE_REGISTRY).stdout)
        for arguments in (
            ("ingest", indir),
            ("export", tmp_path / "out"),
            ("sql", "SELECT name FROM clips"),
            ("check",),
            ("database", "status"),
        )
    ]

    assert documents[0]["total"]["new"] == 1
    assert [rejected["reason"] for rejected in documents[0]["rejected"]] != []
    assert documents[1]["clips"] == 1
    assert documents[2] == [{"name": "a"}]
    assert documents[3] == {"sound": True, "invariants": len(ALL), "broken": []}
    assert documents[4]["clips"] == 1


def test_an_error_with_json_leaves_standard_output_empty(shell: Shell) -> None:
    failed = run(shell, "sql", "SELECT nonsense", "--json")

    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr.startswith("registry: The database refused the query: ")
    assert "Traceback" not in failed.stderr


def test_no_password_is_shown_or_stored(
    shell: Shell, tcp_server: TcpServer, empty: str, indir: Path, make_clip: MakeClip
) -> None:
    make_clip("a")
    secret = tcp_server.url(empty)
    taken_in = run(shell, "ingest", indir, "--new", "--database", secret, command=FAKE_REGISTRY)
    refused = run(shell, "check", "-v", "--database", tcp_server.url("none"))
    journal = run(shell, "sql", "SELECT command FROM operation", "--csv", "--database", secret)

    assert f"--database 'postgresql://postgres:***@127.0.0.1:{tcp_server.port}/{empty}'" in journal.stdout
    for said in (taken_in, refused, journal):
        assert PASSWORD not in said.stdout + said.stderr
        assert "p%40ss" not in said.stdout + said.stderr


@pytest.mark.parametrize("output", ["", "--json", "--csv"])
@pytest.mark.parametrize("rows", [1, 20_000])
def test_a_reader_that_has_seen_enough_is_no_error(shell: Shell, output: str, rows: int) -> None:
    """Also where all of the output is smaller than a buffer, and is written at the very end."""
    command = shlex.join([*REGISTRY, "sql", f"SELECT generate_series(1, {rows})"])
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} {output} | true"],
        env=shell,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_output_that_the_terminal_cannot_show_is_escaped(shell: Shell) -> None:
    latin = {**shell, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    done = subprocess.run([*REGISTRY, "sql", "SELECT 'é→'", "--csv"], env=latin, capture_output=True, check=True)

    assert done.stdout == b"?column?\n\xe9\\u2192\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_it_cleanly_and_releases_the_server(shell: Shell, number: int, code: int) -> None:
    run(shell, "database", "stop")
    with _asleep(shell) as process:
        process.send_signal(number)
        _, said = process.communicate(timeout=30)

    assert (process.returncode, said.strip(), is_running(shell)) == (code, "", False)


def test_a_command_under_nohup_outlives_its_terminal(shell: Shell) -> None:
    with _asleep(shell, "nohup") as process:
        process.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)

    assert process.returncode == 143


def test_a_terminal_gets_a_bar(shell: Shell, indir: Path, make_clip: MakeClip) -> None:
    make_clip("a")
    ours, its = os.openpty()
    words = [*FAKE_REGISTRY, "ingest", str(indir)]
    done = subprocess.run(words, env={**shell, "COLUMNS": "100"}, stdout=subprocess.PIPE, stderr=its, check=True)
    os.close(its)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)

    assert "━" in shown
    assert "1/1" in shown
    assert "━" not in done.stdout.decode()


def test_elsewhere_progress_is_a_plain_line(shell: Shell, indir: Path, make_clip: MakeClip) -> None:
    make_clip("a")

    assert run(shell, "ingest", indir, command=FAKE_REGISTRY).stderr == "andaiafm_F20201105: 1 of 1\n"


@is_root
def test_a_home_that_the_server_cannot_reach_is_refused_with_the_way_out(
    new_shell: Shell, indir: Path, make_clip: MakeClip
) -> None:
    make_clip("a")
    private = Path(tempfile.mkdtemp(prefix="registry-private-"))
    its_own = {**new_shell, "REGISTRY_HOME": str(private / "home")}
    started = run(its_own, "ingest", indir, "--new", command=FAKE_REGISTRY)
    is_untouched = private.stat().st_mode & 0o777 == 0o700 and list(private.iterdir()) == []
    shutil.rmtree(private)

    assert started.returncode == 2
    assert f"setfacl -m u:{pwd.getpwnam('speaker-registry').pw_uid}:--x {private}" in started.stderr
    assert is_untouched


@contextmanager
def _asleep(shell: Shell, *by: str) -> Iterator[subprocess.Popen[str]]:
    """Start a command that asks for a minute's sleep, and wait until it is asleep; in the end it is gone.

    It is started as in a terminal: the tests may run in the background, or by nohup.
    """
    words = ["env", "--default-signal=INT,TERM,HUP", *by, *REGISTRY, "sql", "SELECT pg_sleep(60)"]
    with subprocess.Popen(words, env=shell, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            _wait_for_a_query(shell)
            yield process
        finally:
            process.kill()


def _wait_for_a_query(shell: Shell) -> None:
    server = EmbeddedServer(Path(shell["REGISTRY_HOME"]))
    sleeping = "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    deadline_s = time.monotonic() + 30
    while time.monotonic() < deadline_s:
        if server.is_running():
            with psycopg.connect(server.url("postgres")) as connection:
                if connection.execute(sleeping).rowcount:
                    return
        time.sleep(0.1)
    pytest.fail("the query never began")


def test_a_folder_of_nights_is_taken_in_and_what_is_left_is_told_in_a_few_lines(
    shell: Shell, indir: Path, make_clip: MakeClip
) -> None:
    make_clip("a", group="nights/andaiafm_F20201105")
    samples, rate = sf.read(make_clip("b", 1200, group="nights/andaiafm_F20201105"), dtype="int16")
    sf.write(indir / "nights" / "andaiafm_F20201105" / "b.flac", samples, rate)
    (indir / "nights" / "andaiafm_F20201105" / "b.wav").unlink()
    for number in range(9):
        make_clip(f"c{number}", group="nights/andaiafm_F20201106").with_suffix(".txt").unlink()
    (indir / "nights" / "andaiafm_F20201105" / "notes.json").touch()
    (indir / "nights" / "rÃ¡dio_F20201105").mkdir()

    done = run(shell, "ingest", indir, command=FAKE_REGISTRY)
    said = done.stderr.replace(f"{indir}/nights/", "").splitlines()

    assert done.returncode == 1
    assert [line for line in said if "rejected" in line or "more" in line or "left alone" in line] == [
        (
            "rejected 'rÃ¡dio_F20201105': did you mean rádio? Rename the folder; if the broadcaster is really called"
            " so, add --as-named [garbled-name]"
        ),
        "rejected 'andaiafm_F20201106/c0.wav': there is no c0.txt beside it [no-transcript]",
        "rejected 'andaiafm_F20201106/c1.wav': there is no c1.txt beside it [no-transcript]",
        "rejected 'andaiafm_F20201106/c2.wav': there is no c2.txt beside it [no-transcript]",
        "... and 6 more like these [no-transcript]; --json lists all",
        "left alone in andaiafm_F20201105, neither audio nor .txt: .json 1",
    ]
    assert done.stdout.splitlines()[1].split()[:3] == ["andaiafm_F20201105", "2", "2"]
