"""The power may go at any moment of an export: every recording is still there, and the next export completes the tree.

A copy of a mounted image holds what is on the disk, and nothing of what the kernel still meant to write.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Engine

from registry.corrections.merge import merge
from registry.export import disk, export
from registry.ingest import ingest
from tests.conftest import AUTHOR, MakeClip, night, tree
from tests.fix_disks import Mount, new_image

pytestmark = pytest.mark.usefixtures("fake_model")
CHANGES = ("rename", "give_second_place", "remove", "replace_durably", "remove_durably", "sync")
MEGABYTES = 24


@pytest.fixture
def registry(engine: Engine, indir: Path, make_clip: MakeClip) -> Engine:
    """Three voices, of which the first two are one."""
    for name, pitch_hz in (("a", 1200), ("b", 2000), ("c", 2000), ("d", 3200), ("e", 1200)):
        make_clip(name, pitch_hz, text=name, seconds=0.5)
    ingest(engine, [indir], AUTHOR)
    return engine


def recordings(folder: Path) -> set[bytes]:
    return {content for path, content in tree(folder).items() if path.endswith(".wav") or "/kept/" in path}


@dataclass
class Watch:
    """Do something before every change of the tree, and note the changes in order."""

    before: Callable[[str], object]
    seen: list[tuple[str, Path]] = field(default_factory=list)

    def over(self, monkeypatch: pytest.MonkeyPatch) -> "Watch":
        for name in CHANGES:
            monkeypatch.setattr(disk, name, self._watching(name, getattr(disk, name)))
        return self

    def _watching(self, name: str, change: Callable[..., None]) -> Callable[..., None]:
        def watched(*arguments: Path) -> None:
            self.before(name)
            self.seen.append((name, arguments[-1] if name in ("rename", "give_second_place") else arguments[0]))
            change(*arguments)

        return watched


def test_what_was_exported_is_on_the_disk_when_the_command_says_so(
    registry: Engine, tmp_path: Path, mount_image: Mount
) -> None:
    image = new_image(tmp_path / "image", "ext4", MEGABYTES)
    out = mount_image(image, tmp_path / "disk") / "out"
    export(registry, out)
    merge(registry, ["F0001", "F0002"], AUTHOR)
    export(registry, out)
    shutil.copyfile(image, tmp_path / "after")

    then = tree(mount_image(tmp_path / "after", tmp_path / "then") / "out")
    then.pop(".registry/lock", None)  # an empty file, which need not be gone for good
    assert then == tree(out)


def test_no_recording_is_lost_whenever_the_power_goes(
    registry: Engine, indir: Path, tmp_path: Path, mount_image: Mount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The input folders are gone, so that the tree has the only copies."""
    image = new_image(tmp_path / "image", "ext4", MEGABYTES)
    out = mount_image(image, tmp_path / "disk") / "out"
    export(registry, out)
    shutil.rmtree(indir / night(5))
    before = recordings(out)
    merge(registry, ["F0001", "F0002"], AUTHOR)
    images = (tmp_path / f"image-{number:02}" for number in range(100))
    with monkeypatch.context() as patch:
        watch = Watch(lambda _: shutil.copyfile(image, next(images))).over(patch)
        report = export(registry, out)
    taken = sorted(tmp_path.glob("image-*"))

    assert (report.exit_code, report.renamed, len(taken)) == (0, 6, len(watch.seen))
    for number, copy in enumerate(taken):
        then = mount_image(copy, tmp_path / f"then-{number}") / "out"
        assert recordings(then) == before
        assert export(registry, then).exit_code == 0
        assert tree(then) == tree(out)


def test_a_first_export_cut_off_anywhere_is_completed(
    registry: Engine, tmp_path: Path, mount_image: Mount, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = new_image(tmp_path / "image", "ext4", MEGABYTES)
    merge(registry, ["F0001", "F0002"], AUTHOR)
    out = mount_image(image, tmp_path / "disk") / "out"
    images = (tmp_path / f"image-{number:02}" for number in range(100))
    with monkeypatch.context() as patch:
        Watch(lambda _: shutil.copyfile(image, next(images))).over(patch)
        export(registry, out)

    for number, copy in enumerate(sorted(tmp_path.glob("image-*"))):
        then = mount_image(copy, tmp_path / f"then-{number}") / "out"
        assert export(registry, then).exit_code == 0
        assert tree(then) == tree(out)


@pytest.fixture
def changes(
    registry: Engine, indir: Path, out: Path, make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> list[tuple[str, Path]]:
    """What an export does to a tree, in order: one clip is new, six files have other numbers."""
    export(registry, out)
    make_clip("f", 3200, text="f", seconds=0.5)
    ingest(registry, [indir], AUTHOR)
    merge(registry, ["F0001", "F0002"], AUTHOR)
    watch = Watch(lambda _: None).over(monkeypatch)
    export(registry, out)
    return [(name, path.relative_to(out)) for name, path in watch.seen]


def test_all_is_on_the_disk_before_the_manifest_says_so_and_before_anything_is_removed(
    changes: list[tuple[str, Path]],
) -> None:
    names = [name for name, path in changes if not str(path).startswith(".registry/")]
    manifest = changes.index(("replace_durably", Path(".registry/manifest.jsonl")))
    syncs = [number for number, (name, _) in enumerate(changes) if name == "sync"]
    put = [n for n, (name, path) in enumerate(changes) if name == "rename" and path.suffix in (".wav", ".txt")]
    removed = [n for n, (name, path) in enumerate(changes) if name == "remove" and path.suffix in (".wav", ".txt")]
    noted = changes.index(("replace_durably", Path(".registry/intended.jsonl")))

    assert len(names) > 0
    assert noted < min(put)
    assert max(put) < syncs[0] < manifest < min(removed)
    assert max(removed) < syncs[1] < changes.index(("remove_durably", Path(".registry/intended.jsonl")))


def test_what_moves_is_renamed_and_not_written_anew(
    registry: Engine, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(registry, out)
    before = {path.read_bytes(): path.stat().st_ino for path in out.rglob("*.wav")}
    merge(registry, ["F0001", "F0002"], AUTHOR)
    monkeypatch.delattr(disk, "write")  # nothing can be written
    monkeypatch.setattr(disk, "replace_durably", lambda *_: None)
    report = export(registry, out)

    assert (report.written, report.renamed) == (0, 6)
    assert {path.read_bytes(): path.stat().st_ino for path in out.rglob("*.wav")} == before
