"""What was begun is completed, what is done stays done, whatever the order and however often it is interrupted."""

import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Engine, text

from registry import settings
from registry.core.export_plan import PlannedFile
from registry.core.records import Floats
from registry.database.check import check
from registry.database.embedded import EmbeddedServer
from registry.database.reach import reach
from registry.database.store.tree import Extent
from registry.export import export, files
from registry.export.files import LinkMode
from registry.ingest import IngestReport, ingest
from tests.conftest import AUTHOR, MakeClip, night, tree

pytestmark = pytest.mark.usefixtures("fake_model", "ends_sound")
ROOT = Path(__file__).parents[2]
KILLED = """
import os, signal, sys
from pathlib import Path
from registry.database.reach import reach
from registry.export import export, files

def put(outdir, file, mode, put=files.put):
    if "000001" in file.path:
        os.kill(os.getpid(), signal.SIGKILL)
    put(outdir, file, mode)

files.put = put
with reach(sys.argv[1]) as database:
    export(database.engine, Path(sys.argv[2]))
"""


@pytest.fixture
def other(server: EmbeddedServer, template: str) -> Iterator[Engine]:
    """Another registry, to compare with."""
    name = f"other_{uuid4().hex}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    with reach(server.url(name)) as opened:
        yield opened.engine


def exported(folder: Path) -> list[bytes]:
    return sorted(content for path, content in tree(folder).items() if not path.startswith(".registry"))


def nights(make_clip: MakeClip) -> list[str]:
    """Lay three nights down: a voice of each, one of all, one of two broadcasters."""
    groups = [night(5), night(6), night(6, broadcaster="outrafm")]
    for pitch_hz, group in zip([1200, 2000, 2800], groups, strict=True):
        make_clip("a", pitch_hz, group)
        make_clip("b", 400, group)
    return groups


def test_a_killed_ingest_embeds_only_the_rest(
    engine: Engine, indir: Path, make_clip: MakeClip, embedded: list[Floats], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "EMBEDDING_BATCH_CLIPS", 2)
    for name in "abcdefg":
        make_clip(name)
    with monkeypatch.context() as kill:
        kill.setattr("registry.speech.embedder.Embedder._long_enough", interrupted_after(5))
        with pytest.raises(KeyboardInterrupt):
            ingest(engine, [indir], AUTHOR)
    before = len(embedded)

    report = ingest(engine, [indir], AUTHOR)

    assert (before, len(embedded) - before) == (5, 3)
    assert (report.total["new"], report.total["speakers_new"]) == (7, 1)


def interrupted_after(clips: int) -> Callable[[object, Floats], Floats]:
    left = iter(range(clips))

    def long_enough(_: object, samples: Floats) -> Floats:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return samples

    return long_enough


def test_nights_in_one_run_equal_nights_in_runs_of_their_own(
    engine: Engine, other: Engine, indir: Path, make_clip: MakeClip, tmp_path: Path
) -> None:
    groups = nights(make_clip)

    ingest(engine, [indir], AUTHOR)
    for group in groups:
        ingest(other, [indir / group], AUTHOR)
    export(engine, tmp_path / "one")
    export(other, tmp_path / "many")

    assert tree(tmp_path / "one") == tree(tmp_path / "many")
    assert check(other) == []


def test_files_laid_down_in_another_order_give_the_same_tree(
    engine: Engine, other: Engine, indir: Path, make_clip: MakeClip, tmp_path: Path
) -> None:
    nights(make_clip)
    paths = sorted(path for path in indir.rglob("*") if path.is_file())
    for path in random.Random(1).sample(paths, len(paths)):
        (tmp_path / "shuffled" / path.relative_to(indir)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, tmp_path / "shuffled" / path.relative_to(indir))

    ingest(engine, [indir], AUTHOR)
    ingest(other, [tmp_path / "shuffled"], AUTHOR)
    export(engine, tmp_path / "one")
    export(other, tmp_path / "two")

    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_two_ingests_at_once_end_in_a_sound_registry(
    engine: Engine, database_url: str, indir: Path, make_clip: MakeClip
) -> None:
    nights(make_clip)

    def run(_: int) -> IngestReport:
        with reach(database_url) as opened:
            return ingest(opened.engine, [indir], AUTHOR)

    with ThreadPoolExecutor(2) as both:
        reports = list(both.map(run, range(2)))

    assert [report.exit_code for report in reports] == [0, 0]
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*), count(DISTINCT audio_id) FROM clip")).one() == (6, 6)
        assert connection.execute(text("SELECT count(*) FROM speaker")).scalar_one() == 4


def test_another_run_changes_nothing(engine: Engine, indir: Path, make_clip: MakeClip, embedded: list[Floats]) -> None:
    nights(make_clip)
    ingest(engine, [indir], AUTHOR)

    report = ingest(engine, [indir], AUTHOR)

    assert (report.exit_code, report.total["known"], report.total["new"], report.total["updated"]) == (0, 6, 0, 0)
    assert len(embedded) == 6


Put = Callable[[Path, PlannedFile, LinkMode], None]


def stopping(put: Put, ending: str) -> Put:
    """Make an export stop, as by a kill, where it would write a file of some ending."""

    def put_or_stop(outdir: Path, file: PlannedFile, mode: LinkMode) -> None:
        if file.path.endswith(ending):
            raise KeyboardInterrupt
        put(outdir, file, mode)

    return put_or_stop


@pytest.mark.parametrize("ending", ["000000.wav", "000000.txt", "000002.txt"])
def test_a_killed_export_is_completed_to_the_byte_even_of_bytes_that_only_the_tree_had(
    engine: Engine, indir: Path, make_clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    out = tmp_path / "out"
    make_clip("b", text="b")
    make_clip("c", text="c")
    make_clip("d", group=night(6, broadcaster="outrafm"))
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    (indir / night(5)).rename(tmp_path / "away")
    make_clip("a", text="a")
    ingest(engine, [indir], AUTHOR)
    with monkeypatch.context() as kill:
        kill.setattr(files, "put", stopping(files.put, ending))
        with pytest.raises(KeyboardInterrupt):
            export(engine, out)

    export(engine, out, Extent(broadcaster="outrafm"))
    completed = export(engine, out)
    shutil.copytree(tmp_path / "away", indir / night(5), dirs_exist_ok=True)
    export(engine, tmp_path / "new")

    assert completed.exit_code == 0
    assert tree(out) == tree(tmp_path / "new")


def test_an_export_killed_again_and_again_knows_what_it_wrote(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        make_clip(name)
    ingest(engine, [indir], AUTHOR)
    for ending in ("000001.wav", "000002.wav"):
        with monkeypatch.context() as kill:
            kill.setattr(files, "put", stopping(files.put, ending))
            with pytest.raises(KeyboardInterrupt):
                export(engine, out)

    completed = export(engine, out)
    export(engine, tmp_path / "whole")

    assert (completed.written, completed.unchanged, completed.rejected) == (2, 4, [])
    assert tree(out) == tree(tmp_path / "whole")


def test_an_export_ended_by_sigkill_is_completed(
    engine: Engine, database_url: str, indir: Path, make_clip: MakeClip, out: Path, tmp_path: Path
) -> None:
    make_clip("a")
    make_clip("b")
    ingest(engine, [indir], AUTHOR)

    killed = subprocess.run([sys.executable, "-c", KILLED, database_url, out], cwd=ROOT, check=False)
    left = exported(out)
    export(engine, out)
    export(engine, tmp_path / "whole")

    assert (killed.returncode, len(left)) == (-9, 2)
    assert tree(out) == tree(tmp_path / "whole")
