"""Nights of labelled speech laid out, taken through the installed command line, and scored."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.conftest import CORPORA

REGISTRY = Path(sysconfig.get_path("scripts")) / "registry"


def run_tool(name: str, *arguments: object) -> bytes:
    """Run one of the tools beside the labelled speech, and give what it prints."""
    command = [sys.executable, str(CORPORA / f"{name}.py"), *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True).stdout


def score_of(nights: Path, out: Path, home: Path, database: str) -> dict[str, float]:
    """Ingest nights one after the other into a new registry, export it, and score the tree."""
    for at, night in enumerate(sorted(nights.glob("night-*"))):
        _registry(home, "ingest", night, "--database", database, *(["--new"] if at == 0 else []))
    _registry(home, "export", out, "--database", database)
    return dict(json.loads(run_tool("score", nights, out, "--json")))


def _registry(home: Path, *arguments: object) -> None:
    environment = {**os.environ, "REGISTRY_HOME": str(home)}
    subprocess.run([REGISTRY, *map(str, arguments)], check=True, capture_output=True, env=environment)
