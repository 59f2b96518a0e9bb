"""A command imports no more than it needs: torch and what comes with it take longer than all the rest."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from registry.speech.runtimes import has_openvino
from tests.conftest import MakeClip

HEAVY = ("torch", "torchaudio", "pyannote.audio", "lightning", "matplotlib", "pandas", "alembic", "ray")
SCRIPT = f"""
import sys
from cli.main import main
try:
    main()
except SystemExit as ended:
    print(ended.code, [name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
"""


def imported(url: str, *arguments: object) -> str:
    words = [sys.executable, "-c", SCRIPT, *map(str, arguments), "--database", url]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    return done.stderr.splitlines()[-1]


@pytest.mark.skipif(not has_openvino(), reason="openvino cannot be imported here")
@pytest.mark.skipif(os.path.exists("/dev/nvidiactl"), reason="with a GPU it is torch that runs the model")  # noqa: PTH110
def test_neither_reading_nor_hearing_needs_torch(
    database_url: str, indir: Path, make_clip: MakeClip, tmp_path: Path
) -> None:
    wav = make_clip("a")
    imported(database_url, "ingest", indir)  # which has the model converted

    assert imported(database_url, "whois", wav) == "0 []"
    assert imported(database_url, "sql", "SELECT 1") == "0 []"
    assert imported(database_url, "log") == "0 []"
    assert imported(database_url, "night", indir, tmp_path / "out") == "0 []"
