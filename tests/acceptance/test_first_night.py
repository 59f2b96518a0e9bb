"""A registry is begun by --new and by nothing else; what is not there is an error, and nothing is made."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.main import main
from registry.database.embedded import EmbeddedServer
from registry.database.reach import reach
from registry.errors import ModelUnavailable
from registry.speech.embedder import Embedder
from tests.conftest import MakeClip
from tests.fix_places import short_folder
from tests.fix_server import TcpServer

pytestmark = pytest.mark.usefixtures("fake_model")

Said = tuple[int, str, str]
Run = Callable[..., Said]
READING = [
    ["sql", "SELECT 1"],
    ["check"],
    ["log"],
    ["show", "1"],
    ["whois", "x.wav"],
    ["export", "out"],
    ["database", "status"],
    ["database", "url"],
    ["database", "upgrade"],
    ["merge", "F0001", "F0002"],
    ["ingest", "in"],
    ["ingest", "in", "--plan"],
    ["consolidate"],
]


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in which REGISTRY_HOME, home, is not there yet."""
    made = Path(tempfile.mkdtemp(prefix="registry-new-", dir=short_folder()))
    made.chmod(0o711)
    monkeypatch.setenv("REGISTRY_HOME", str(made / "home"))
    monkeypatch.delenv("REGISTRY_DATABASE_URL", raising=False)
    yield made
    EmbeddedServer(made / "home").stop()
    shutil.rmtree(made)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process; give its exit code, output and messages."""

    def run_command(*arguments: object) -> Said:
        words = [str(argument) for argument in arguments]
        monkeypatch.setattr("sys.argv", ["registry", *words])
        with pytest.raises(SystemExit) as ended:
            main(words)
        return (int(ended.value.code or 0), *capsys.readouterr())

    return run_command


@pytest.mark.parametrize("command", READING, ids=" ".join)
@pytest.mark.parametrize("is_mounted", [False, True])
def test_without_a_registry_a_command_says_where_it_looked_and_makes_nothing(
    folder: Path, run: Run, command: list[str], *, is_mounted: bool
) -> None:
    if is_mounted:
        (folder / "home").mkdir()
    before = sorted(folder.rglob("*"))
    code, out, err = run(*command)

    assert (code, out) == (2, "")
    assert f"There is no registry in {folder / 'home'}" in err
    assert "REGISTRY_HOME" in err
    assert "--new" in err
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("command", READING[:6], ids=" ".join)
def test_an_empty_database_behind_a_url_is_no_registry(
    tcp_server: TcpServer, empty: str, run: Run, command: list[str]
) -> None:
    code, _, err = run(*command, "--database", tcp_server.url(empty))

    assert code == 2
    assert f"There is no registry in postgresql://postgres:***@127.0.0.1:{tcp_server.port}/{empty}" in err
    with pytest.raises(Exception, match="There is no registry"), reach(tcp_server.url(empty)):
        pass


def test_the_first_night_is_begun_by_new_and_the_second_is_not(
    folder: Path, run: Run, indir: Path, make_clip: MakeClip
) -> None:
    make_clip("a")
    first = run("ingest", indir, "--new")
    again = run("ingest", indir, "--new")
    nightly = run("ingest", indir)
    identity = run("database", "status")[1]

    made = f"made a new registry, {identity.split('registry  ')[1].split()[0]}, in {folder / 'home'}\n"
    assert first[0] == 0
    assert first[2].startswith(made)
    assert again[0] == 2
    assert f"There is a registry with clips in {folder / 'home'} already. Leave --new out" in again[2]
    assert nightly[0] == 0
    assert "made" not in nightly[2]


def test_a_name_that_is_not_there_is_no_registry_either(
    folder: Path, run: Run, indir: Path, make_clip: MakeClip
) -> None:
    make_clip("a")
    run("ingest", indir, "--new", "--database", "andaiafm")
    code, _, err = run("ingest", indir, "--database", "andaiaffm")

    assert code == 2
    assert f"The embedded server in {folder / 'home'} has no registry 'andaiaffm'; it has: andaiafm" in err
    assert names(folder) == ["andaiafm"]


def names(folder: Path) -> list[str]:
    with EmbeddedServer(folder / "home") as server:
        return server.databases()


@pytest.mark.parametrize(
    "words", [["in", "--plan"], ["none"], ["silent"]], ids=["a plan", "an input that is not there", "all rejected"]
)
def test_a_first_night_that_brings_nothing_leaves_no_registry(
    folder: Path, run: Run, indir: Path, make_clip: MakeClip, caplog: pytest.LogCaptureFixture, words: list[str]
) -> None:
    make_clip("a")
    (indir.parent / "silent/andaiafm_F20201105").mkdir(parents=True)
    (indir.parent / "silent/andaiafm_F20201105/a.wav").touch()
    from_where, *options = words
    run("ingest", indir.parent / from_where, "--new", *options)

    assert "nothing was taken in: the new registry was removed again" in caplog.text
    assert names(folder) == []


def test_a_model_that_cannot_be_loaded_leaves_no_registry(
    folder: Path, run: Run, indir: Path, make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str = "") -> Embedder:
        raise ModelUnavailable(model="no/such", cause="it is not there")

    make_clip("a")
    monkeypatch.setattr("registry.ingest.model_in_use.load_embedder", fail)

    assert run("ingest", indir, "--new")[0] == 2
    assert names(folder) == []


def test_a_first_night_that_brings_nothing_leaves_a_url_empty(
    tcp_server: TcpServer, empty: str, run: Run, indir: Path
) -> None:
    url = tcp_server.url(empty)

    assert run("ingest", indir / "none", "--new", "--database", url)[0] == 2
    assert run("check", "--database", url)[2].startswith("registry: There is no registry in postgresql://")


def test_registries_are_listed_and_dropped(folder: Path, run: Run, indir: Path, make_clip: MakeClip) -> None:
    make_clip("a")
    make_clip("b", 2000)
    run("ingest", indir, "--new", "--database", "andaiafm")
    listed = run("database", "list")
    dropped = run("database", "drop", "andaiafm", "--yes")

    assert [line.split()[:3] for line in listed[1].splitlines()] == [
        ["registry", "clips", "speakers"],
        ["andaiafm", "2", "2"],
    ]
    assert listed[2] == f"the server in {folder / 'home'} was not running\n"
    assert dropped == (0, "dropped andaiafm\n", "")
    assert run("database", "list")[1] == f"there is no registry in {folder / 'home'}\n"
    assert run("database", "drop", "andaiafm", "--yes")[2].startswith("registry: The embedded server in")


def test_nothing_is_dropped_without_being_asked_or_told(
    folder: Path, run: Run, indir: Path, make_clip: MakeClip
) -> None:
    make_clip("a")
    run("ingest", indir, "--new", "--database", "andaiafm")

    assert "add --yes" in run("database", "drop", "andaiafm")[2]
    assert names(folder) == ["andaiafm"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("template1", "PostgreSQL keeps that name for itself"),
        ("postgres", "PostgreSQL keeps that name for itself"),
        ("x" * 64, "longer than 63 bytes"),
        ("é" * 32, "longer than 63 bytes"),
        ("", "it is empty, as a variable that is not set is"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_name_that_is_no_registrys_own_is_refused(run: Run, indir: Path, name: str, words: str) -> None:
    code, _, err = run("ingest", indir, "--new", "--database", name)

    assert code == 2
    assert words in err


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["move", "x" * 300, "F0001"], "There is no clip 'xxx"),
        (["confirm", f"andaiafm_F20201105/{'x' * 300}.wav"], "There is no clip 'andaiafm"),
        (["move", "99999999999999999999", "F0001"], "There is no clip '9999"),
        (["show", "99999999999999999999"], "There is no operation 9999"),
        (["merge", "F0001", "F99999999999999999999"], "There is no speaker 'F9999"),
        (["rename", "F0001", "a\udcff"], r"'a\udcff' is no text in UTF-8"),
        (["demo", "/etc/passwd"], "'/etc/passwd' is a file"),
        (["demo", "/proc/self"], "registry: The demo cannot be laid out in /proc/self: "),
    ],
)
def test_arguments_that_nothing_can_be_are_refused_plainly(
    run: Run, indir: Path, make_clip: MakeClip, command: list[str], words: str
) -> None:
    make_clip("a")
    run("ingest", indir, "--new")
    code, _, err = run(*command)

    assert code == 2
    assert words in err
    assert "unexpected" not in err


def test_a_list_where_there_is_no_server_makes_none(folder: Path, run: Run) -> None:
    assert run("database", "list", "--json")[0] == 0
    assert list(folder.iterdir()) == []
