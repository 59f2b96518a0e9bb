"""No host is looked up that the user did not name: by no command, no runtime and no process that they start."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.database.embedded import EmbeddedServer
from tests.fix_places import short_folder
from tests.speech.test_embedder import wespeaker  # noqa: F401 - a fixture

SOURCE = Path(__file__).parents[2]
# Python runs it at the start of every process that has its folder on the path.
LISTENING = """
import os, socket, sys
LOOKUPS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo")
OURS = ("127.0.0.1", "localhost", "::1")
def hear(event, arguments):
    if event in LOOKUPS:
        host = arguments[0]
    elif event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    if host not in OURS:
        with open(os.environ["HEARD"], "a") as heard:
            heard.write(f"{sys.argv[:2]} {event} {host}\\n")
sys.addaudithook(hear)
"""
PROGRAM = "from cli.main import main; main()"
# As automated builds are not told apart, from which some packages do not report; nor what keeps others from it.
UNSET = ("CI", "PYANNOTE_METRICS_ENABLED", "HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK", "RAY_USAGE_STATS_ENABLED")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a user who set nothing, with ears."""
    home = Path(tempfile.mkdtemp(prefix="registry-no-host-", dir=short_folder()))
    own = tmp_path_factory.mktemp("no-host")
    home.chmod(0o755)
    (own / "ears").mkdir()
    (own / "ears" / "sitecustomize.py").write_text(LISTENING)
    paths = os.pathsep.join([str(own / "ears"), str(SOURCE)])
    kept = {name: value for name, value in os.environ.items() if name not in UNSET}
    folders = {"HOME": str(own), "XDG_CACHE_HOME": str(own / "cache"), "XDG_STATE_HOME": str(own / "state")}
    yield kept | folders | {"REGISTRY_HOME": str(home), "PYTHONPATH": paths, "HEARD": str(own / "heard")}
    EmbeddedServer(home).stop()
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def demo(machine: dict[str, str]) -> Path:
    """Two nights taken in by the default model and runtime; what was looked up meanwhile is still to be heard."""
    folder = Path(machine["HOME"]) / "demo"
    run(machine, f"demo {folder}")
    return folder


def run(machine: dict[str, str], line: str, code: int = 0) -> None:
    words = [sys.executable, "-c", PROGRAM, *line.split()]
    done = subprocess.run(words, env=machine, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == code, (line, done.stderr)


def heard(machine: dict[str, str]) -> str:
    """Tell what was looked up since this was asked last."""
    path = Path(machine["HEARD"])
    said = path.read_text() if path.exists() else ""
    path.unlink(missing_ok=True)
    return said


def test_the_ears_hear_a_lookup_in_a_process_of_a_process(machine: dict[str, str]) -> None:
    code = "import socket, contextlib\nwith contextlib.suppress(OSError): socket.getaddrinfo('host.invalid', 443)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"
    subprocess.run([sys.executable, "-c", parent], env=machine, check=True)

    assert heard(machine) == "['-c'] socket.getaddrinfo host.invalid\n"


@pytest.mark.parametrize(
    "asked",
    [
        "from huggingface_hub.constants import HF_HUB_DISABLE_TELEMETRY as off; print(not off)",
        "from ray._common.usage.usage_lib import usage_stats_enabled as on; print(on())",
    ],
    ids=["huggingface_hub", "ray"],
)
def test_a_package_that_reports_is_told_not_to(machine: dict[str, str], asked: str) -> None:
    reports = subprocess.check_output([sys.executable, "-c", f"import registry; {asked}"], env=machine, text=True)

    assert reports == "False\n"


def test_no_command_looks_up_a_host(machine: dict[str, str], demo: Path) -> None:
    for line in (
        f"ingest {demo}/nights --new --database by_torch --runtime torch",
        f"whois {demo}/nights/2020-11-05/demofm_F20201105/mclip-00000000.wav --database demo",
        f"export {demo}/again --database demo",
        "sql --csv VALUES(1) --database demo",
    ):
        run(machine, line)

    assert heard(machine) == ""
    assert not (demo.parent / "intel").exists()


def test_a_model_of_pyannote_looks_up_no_host(
    machine: dict[str, str],
    demo: Path,
    wespeaker: Path,  # noqa: F811 - a fixture
) -> None:
    assert demo.is_dir()
    run(machine, f"reembed --model {wespeaker} --database demo")

    assert heard(machine) == ""


def test_a_model_of_the_hub_looks_up_the_hub_alone(machine: dict[str, str], demo: Path) -> None:
    assert demo.is_dir()
    run(machine, "reembed --model nobody-of-this-name/nothing --database demo", code=2)
    lookups = [line for line in heard(machine).splitlines() if " socket.get" in line]

    assert {line.rpartition(" ")[2] for line in lookups} <= {"huggingface.co"}
