"""No host is looked up that the user did not name: by no command, no runtime and no process that they start."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.embedded import EmbeddedServer
from registry.runtimes import has_openvino
from tests.integration.test_embedder import wespeaker  # noqa: F401 - a fixture

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
INGEST = "ingest {demo}/nights --new --database {name} --runtime {runtime}"
RUNTIMES = ["torch", *(["openvino"] if has_openvino() else [])]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a user who set nothing, with ears."""
    home = Path(tempfile.mkdtemp(prefix="registry-no-host-", dir="/tmp"))
    home.chmod(0o755)
    (tmp_path / "ears").mkdir()
    (tmp_path / "ears" / "sitecustomize.py").write_text(LISTENING)
    paths = os.pathsep.join([str(tmp_path / "ears"), str(SOURCE)])
    kept = {name: value for name, value in os.environ.items() if name not in UNSET}
    own = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "XDG_STATE_HOME": str(tmp_path / "state")}
    yield kept | own | {"REGISTRY_HOME": str(home), "PYTHONPATH": paths, "HEARD": str(tmp_path / "heard")}
    EmbeddedServer(home).stop()
    shutil.rmtree(home)


def run(machine: dict[str, str], line: str) -> None:
    words = [sys.executable, "-c", PROGRAM, *line.split()]
    done = subprocess.run(words, env=machine, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, (line, done.stderr)


def heard(machine: dict[str, str]) -> str:
    path = Path(machine["HEARD"])
    return path.read_text() if path.exists() else ""


def test_the_ears_hear_a_lookup_in_a_process_of_a_process(machine: dict[str, str]) -> None:
    code = "import socket, contextlib\nwith contextlib.suppress(OSError): socket.getaddrinfo('host.invalid', 443)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"
    subprocess.run([sys.executable, "-c", parent], env=machine, check=True)

    assert heard(machine) == "['-c'] socket.getaddrinfo host.invalid\n"


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_no_command_looks_up_a_host(machine: dict[str, str], tmp_path: Path, runtime: str) -> None:
    demo, wav = tmp_path / "demo", "nights/2020-11-05/demofm_F20201105/mclip-00000000.wav"
    for line in (
        "demo {demo}",
        INGEST,
        "whois {demo}/{wav} --database {name}",
        "export {demo}/again --database {name}",
        "reembed --model campplus --runtime {runtime} --database {name}",
        "sql --csv VALUES(1) --database {name}",
    ):
        run(machine, line.format(demo=demo, wav=wav, runtime=runtime, name=f"by_{runtime}"))

    assert heard(machine) == ""
    assert not (tmp_path / "intel").exists()


def test_a_model_of_pyannote_looks_up_no_host(
    machine: dict[str, str],
    tmp_path: Path,
    wespeaker: Path,  # noqa: F811 - a fixture
) -> None:
    demo = tmp_path / "demo"
    run(machine, f"demo {demo}")
    run(machine, f"reembed --model {wespeaker} --database demo")

    assert heard(machine) == ""
