"""Whatever goes wrong while exporting: the tree loses nothing, the fault is named, the next run completes."""

import fcntl
import os
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from registry.errors import OutputBusy, OutputRefused, OutputUnusable
from registry.export import export
from registry.export.aliases import HEADER
from registry.export.files import LinkMode
from registry.export.lock import locked
from registry.ingest import ingest
from registry.progress import Silent
from tests.conftest import AUTHOR, MakeClip, night, tree

pytestmark = pytest.mark.usefixtures("fake_model", "ends_sound")
ROOT = Path(__file__).parents[2]
F0001 = "andaiafm20201105/andaiafm20201105-F0001/andaiafm20201105F0001_"
FOREIGN = '["../../etc/passwd", "' + "0" * 64 + '"]\n'
OUTSIDE = '["x20201105/../x20201105F0001_000000.wav", "' + "0" * 64 + '"]\n'
NO_DATE = '["x20209999/x20209999-F0001/x20209999F0001_000000.wav", "' + "0" * 64 + '"]\n'


def clips(folder: Path) -> dict[str, bytes]:
    return {path: content for path, content in tree(folder).items() if not path.startswith(".registry")}


@pytest.mark.parametrize("place", ["a file", "a file/out", "in", "in/out", "in/andaiafm_F20201105/out", "link/out"])
def test_a_folder_that_cannot_serve_is_refused_and_left_alone(
    engine: Engine, indir: Path, make_clip: MakeClip, tmp_path: Path, place: str
) -> None:
    make_clip("a")
    ingest(engine, [indir], AUTHOR)
    (tmp_path / "a file").write_text("mine")
    (tmp_path / "link").symlink_to(indir)
    before = tree(tmp_path)

    with pytest.raises((OutputRefused, OutputUnusable), match="Cannot export to"):
        export(engine, tmp_path / place)

    assert tree(tmp_path) == before


def test_links_in_a_circle_are_refused(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to("circle")

    with pytest.raises((OutputRefused, OutputUnusable), match="Cannot export to"):
        export(engine, tmp_path / "circle")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_closed_folder_is_refused(engine: Engine, out: Path) -> None:
    out.mkdir(mode=0o500)

    with pytest.raises(OutputUnusable, match="Permission denied"):
        export(engine, out)


@pytest.mark.parametrize(
    "damage", [b"\xff\xfe", b"{", b"5\n", b"[]\n", b'["a", 1]\n', FOREIGN.encode(), OUTSIDE.encode(), NO_DATE.encode()]
)
def test_a_damaged_record_is_refused_and_nothing_is_touched(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, damage: bytes
) -> None:
    make_clip("a")
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    (out / ".registry" / "manifest.jsonl").write_bytes(damage)
    before = tree(out)

    with pytest.raises(OutputRefused, match=r"its record of earlier exports, .* is damaged"):
        export(engine, out)

    assert tree(out) == before


@pytest.fixture
def little_memory() -> Iterator[None]:
    """Leave two more gigabytes, so that who reads a large file whole fails and harms nobody."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 2_000_000_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize("name", ["manifest.jsonl", "intended.jsonl"])
def test_a_huge_record_is_damaged_and_takes_no_memory(engine: Engine, out: Path, name: str) -> None:
    (out / ".registry").mkdir(parents=True)
    (out / ".registry" / name).touch()
    os.truncate(out / ".registry" / name, 20_000_000_000)

    with pytest.raises(OutputRefused, match=rf"its record of earlier exports, .*{name}, is damaged"):
        export(engine, out)


@pytest.mark.usefixtures("little_memory")
def test_a_huge_list_of_aliases_is_somebody_elses_and_takes_no_memory(engine: Engine, out: Path) -> None:
    out.mkdir()
    (out / "aliases.tsv").write_text(HEADER)
    os.truncate(out / "aliases.tsv", 20_000_000_000)

    assert [one.reason for one in export(engine, out).rejected] == ["foreign-file"]


def test_of_two_exports_at_once_one_is_refused(engine: Engine, indir: Path, make_clip: MakeClip, out: Path) -> None:
    class Second(Silent):
        def begin(self, what: str, total: int) -> None:  # noqa: ARG002
            with pytest.raises(
                OutputBusy,
                match=r"another export, or a program that holds the file .*/\.registry/lock, is at work there.*Wait",
            ):
                export(engine, out)

    make_clip("a")
    ingest(engine, [indir], AUTHOR)

    assert export(engine, out, progress=Second()).written == 2


def test_the_lock_of_a_tree_is_its_owners_alone_and_goes_with_the_export(tmp_path: Path) -> None:
    lock = tmp_path / ".registry" / "lock"
    lock.parent.mkdir()
    lock.touch(mode=0o644)  # left by a killed export of an earlier version
    with locked(tmp_path):
        assert lock.stat().st_mode & 0o777 == 0o600
    assert list(lock.parent.iterdir()) == []
    with locked(tmp_path):
        assert lock.stat().st_mode & 0o777 == 0o600
        with pytest.raises(OutputBusy), locked(tmp_path):
            pass
        assert lock.exists()


def test_a_lock_that_was_removed_while_it_was_awaited_is_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / ".registry" / "lock"
    lock.parent.mkdir()
    flock, taken = fcntl.flock, list[None]()

    def removed_before(opened: int, how: int) -> None:
        if not taken:
            lock.unlink()
        flock(opened, how)
        taken.append(None)

    monkeypatch.setattr(fcntl, "flock", removed_before)
    with locked(tmp_path):
        is_there = lock.exists()

    assert (len(taken), is_there) == (2, True)


def replace_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("mode", ["copy", "hardlink", "symlink"])
@pytest.mark.parametrize("damage", [Path.unlink, lambda wav: wav.write_bytes(b"other"), replace_by_pipe])
def test_a_lost_source_is_named_and_the_rest_is_exported(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, damage: Callable[[Path], object], mode: LinkMode
) -> None:
    wav = make_clip("a")
    make_clip("b", 1200)
    ingest(engine, [indir], AUTHOR)
    damage(wav)

    report = export(engine, out, mode=mode)
    again = export(engine, out, mode=mode)

    assert [(one.path, one.reason) for one in report.rejected] == [(str(wav), "source-lost")]
    assert (report.exit_code, report.written, again.written, again.unchanged) == (1, 3, 0, 3)
    assert not (out / f"{F0001}000000.wav").exists()


def test_a_link_whose_source_changes_is_removed(engine: Engine, indir: Path, make_clip: MakeClip, out: Path) -> None:
    wav = make_clip("a")
    ingest(engine, [indir], AUTHOR)
    export(engine, out, mode="symlink")
    wav.write_bytes(b"other")

    report = export(engine, out, mode="symlink")

    assert [one.reason for one in report.rejected] == ["source-lost"]
    assert list(clips(out)) == [f"{F0001}000000.txt"]


@pytest.mark.parametrize("mode", ["copy", "hardlink"])
def test_a_clip_that_only_the_tree_still_has_moves_with_its_bytes(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, mode: LinkMode
) -> None:
    moving = make_clip("b").read_bytes()
    ingest(engine, [indir], AUTHOR)
    export(engine, out, mode=mode)
    shutil.rmtree(indir / night(5))
    make_clip("a")
    ingest(engine, [indir], AUTHOR)

    report = export(engine, out, mode=mode)
    again = export(engine, out, mode=mode)

    assert (report.exit_code, again.written, again.unchanged) == (0, 0, 4)
    assert (out / f"{F0001}000001.wav").read_bytes() == moving
    assert sorted(path.name for path in (out / ".registry").iterdir()) == ["manifest.jsonl"]


@pytest.mark.parametrize("then", ["copy", "hardlink", "symlink"])
def test_the_last_copy_stays_whatever_links_are_asked_for(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, then: LinkMode
) -> None:
    make_clip("a")
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    before = clips(out)
    shutil.rmtree(indir)

    report = export(engine, out, mode=then)

    assert (report.written, report.unchanged, clips(out)) == (0, 2, before)


def test_no_empty_folder_stays_where_nothing_could_be_written(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    make_clip("a").unlink()
    make_clip("b").rename(indir / night(5) / "a.wav")
    ingest(engine, [indir], AUTHOR)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE clip SET txt_content = NULL")  # as taken in before it was kept
    (out / F0001).parent.mkdir(parents=True)
    shutil.rmtree(indir)

    export(engine, out)

    assert [path.name for path in out.iterdir()] == [".registry"]


def test_a_folder_put_in_the_place_of_a_file_stays(engine: Engine, indir: Path, make_clip: MakeClip, out: Path) -> None:
    make_clip("a")
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    (out / f"{F0001}000000.wav").unlink()
    (out / f"{F0001}000000.wav").mkdir()

    report = export(engine, out)

    assert [one.reason for one in report.rejected] == ["foreign-file"]
    assert export(engine, out).exit_code == 1


@pytest.mark.parametrize("inside", [".", "2020-11-05"])
def test_a_folder_of_nights_is_not_exported_to(
    engine: Engine, indir: Path, make_clip: MakeClip, tmp_path: Path, inside: str
) -> None:
    make_clip("a")
    ingest(engine, [indir], AUTHOR)
    nights = tmp_path / "nights"
    (nights / inside / "radiox_F20201109").mkdir(parents=True)

    with pytest.raises(OutputRefused, match=r"it holds groups to be taken in, such as .*radiox_F20201109"):
        export(engine, nights)
    assert sorted(path.name for path in nights.iterdir()) == [inside if inside != "." else "radiox_F20201109"]
