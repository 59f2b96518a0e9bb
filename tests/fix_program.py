"""The command as a program of its own, as it is called from a shell that knows nothing."""

import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.main import main
from registry.database.embedded import EmbeddedServer
from registry.speech.embedder import Embedder
from tests.fix_places import short_folder

SOURCE = Path(__file__).parents[1]
# With the fake model of the tests, which needs no torch.
PROGRAM = f"""#!{sys.executable}
import sys
sys.path.insert(0, {str(SOURCE)!r})
import registry.ingest.model_in_use as model
from cli.main import main
from registry.speech.embedder import Embedder
from tests.conftest import fake_infer
model.load_embedder = lambda *_: Embedder("campplus", "fake", 40, 1, fake_infer)
main()
"""


@dataclass(frozen=True)
class Machine:
    folder: Path  # has the program "registry" and room for a registry's "home"

    def shell(self, line: str, cwd: str | Path = "/", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a line as cron does."""
        given = [f"{name}={value}" for name, value in environment.items()]
        plain = [f"HOME={self.folder}", "PATH=/usr/bin:/bin", "REGISTRY_LINGER_S=0"]
        words = ["env", "-i", *plain, *given, "sh", "-c", line]
        return subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False, timeout=60)

    def on_terminal(self, line: str) -> str:
        """Run a line on a terminal of 100 columns; give what it shows, without colours and movements."""
        ours, its = os.openpty()
        shell = {"HOME": str(self.folder), "PATH": os.defpath, "TERM": "xterm", "COLUMNS": "100"}
        registry = {"REGISTRY_HOME": str(self.folder / "home"), "REGISTRY_LINGER_S": "0"}
        with subprocess.Popen(line, shell=True, cwd=self.folder, env=shell | registry, stdout=its, stderr=its):
            os.close(its)
            shown = b"".join(_until_closed(ours))
        os.close(ours)
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode()).replace("\r\n", "\n")


def _until_closed(terminal: int) -> Iterator[bytes]:
    with suppress(OSError):  # which is how a terminal ends
        while some := os.read(terminal, 4096):
            yield some


@pytest.fixture
def machine() -> Iterator[Machine]:
    """A folder with a program that runs this source."""
    folder = Path(tempfile.mkdtemp(prefix="registry-program-", dir=short_folder()))
    folder.chmod(0o755)
    program = folder / "registry"
    program.write_text(PROGRAM)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    yield Machine(folder)
    EmbeddedServer(folder / "home").stop()
    shutil.rmtree(folder)


def _remove(home: Path) -> None:
    """Remove a server's folder, into which the process that waits for its end may write a last time."""
    while home.exists():
        shutil.rmtree(home, ignore_errors=True)


Run = Callable[..., tuple[int, str, str]]  # words -> exit code, standard output and error


@pytest.fixture
def run(
    two_models: dict[str, Embedder], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Run a command in this process, on an embedded server of its own."""
    home = Path(tempfile.mkdtemp(prefix="registry-run-", dir=short_folder()))
    home.chmod(0o755)
    monkeypatch.setenv("REGISTRY_HOME", str(home))
    monkeypatch.setenv("REGISTRY_LINGER_S", "30")
    monkeypatch.delenv("REGISTRY_DATABASE_URL", raising=False)
    assert two_models

    def run_command(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["registry", *words])
        with pytest.raises(SystemExit) as ended:
            main(words)
        return (int(ended.value.code or 0), *capsys.readouterr())

    yield run_command
    EmbeddedServer(home).stop()
    _remove(home)
