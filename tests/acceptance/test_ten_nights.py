"""Ten nights of real speech through the installed command, night by night in processes of their own."""

import json
import os
import random
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import CORPORA

pytestmark = pytest.mark.skipif(not CORPORA.exists(), reason="the labelled speech is not beside this checkout")
REGISTRY = Path(sysconfig.get_path("scripts")) / "registry"


def run(home: Path, *arguments: str | Path) -> str:
    environment = {**os.environ, "REGISTRY_HOME": str(home)}
    finished = subprocess.run([REGISTRY, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def tree(folder: Path) -> dict[str, tuple[bytes, int]]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}


def without_record(files: dict[str, tuple[bytes, int]]) -> dict[str, tuple[bytes, int]]:
    """Leave out what names the registry that wrote a tree."""
    return {path: file for path, file in files.items() if not path.startswith(".registry")}


@pytest.fixture(scope="module")
def nights(home: Path) -> Iterator[Path]:
    folder = home / "nights"
    lay_out = [sys.executable, *map(str, (CORPORA / "lay_out.py", CORPORA / "emodb", folder)), "--uneven"]
    subprocess.run(lay_out, check=True, capture_output=True)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def exported(home: Path, nights: Path) -> Path:
    first, *later = sorted(nights.glob("night-*"))
    run(home, "ingest", first, "--database", "ten nights", "--new")
    for night in later:
        run(home, "ingest", night, "--database", "ten nights")
    run(home, "export", home / "out", "--database", "ten nights")
    return home / "out"


def test_voices_are_told_apart_and_known_again(nights: Path, exported: Path) -> None:
    score = [sys.executable, *map(str, (CORPORA / "score.py", nights, exported)), "--json"]
    scores = json.loads(subprocess.run(score, check=True, capture_output=True, text=True).stdout)

    assert scores["missing"] == 0
    assert scores["b3_f1"] >= 0.80


def test_everything_again_changes_nothing(home: Path, nights: Path, exported: Path) -> None:
    before = tree(exported)
    run(home, "ingest", *sorted(nights.glob("night-*")), "--database", "ten nights")
    run(home, "export", exported, "--database", "ten nights")

    assert tree(exported) == before
    run(home, "check", "--database", "ten nights")  # exits with 1 if an invariant is broken


def test_files_laid_down_in_another_order_give_the_same_tree(home: Path, nights: Path, exported: Path) -> None:
    paths = list(nights.rglob("mclip-*"))
    for path in random.Random(1).sample(paths, len(paths)):
        target = home / "shuffled" / path.relative_to(nights)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    run(home, "ingest", *sorted((home / "shuffled").glob("night-*"), reverse=True), "--database", "shuffled", "--new")
    run(home, "export", home / "out-shuffled", "--database", "shuffled")

    assert without_record(tree(home / "out-shuffled")) == without_record(tree(exported))
