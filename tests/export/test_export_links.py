"""Whoever may write in an exported tree can lay out links, pipes and names: none leads the exporter out of the tree."""

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from registry.corrections.withdraw import withdraw
from registry.errors import OutputOfAnother, OutputRefused, OutputUnsafe, OutputUnusable
from registry.export import export, guard
from registry.ingest import ingest
from registry.progress import Silent
from tests.conftest import AUTHOR, MakeClip, night, tree
from tests.fix_places import open_to_all

pytestmark = pytest.mark.usefixtures("fake_model", "ends_sound", "in_time")
NIGHT = "andaiafm20201105"
F0001 = f"{NIGHT}/{NIGHT}-F0001/{NIGHT}F0001_"
NOBODY, SOMEBODY = 65534, 65533
Lay = Callable[[Path, Path], object]  # at some place, something that leads to another


@pytest.fixture
def registry(engine: Engine, indir: Path, make_clip: MakeClip) -> Engine:
    make_clip("a")
    ingest(engine, [indir], AUTHOR)
    return engine


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A folder of somebody else with a file, both of a time long ago."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "file").write_text("precious")
    os.utime(folder / "file", (1, 1))
    return folder


@pytest.fixture
def unlooked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whatever is laid out come right after the exporter has looked."""
    monkeypatch.setattr(guard, "refuse_unsafe", lambda _: None, raising=False)


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path: (content, (folder / path).stat().st_mtime_ns) for path, content in tree(folder).items()}


def lay_link(at: Path, to: Path) -> None:
    at.symlink_to(to)


def lay_second_name(at: Path, to: Path) -> None:
    at.hardlink_to(to)


def lay_pipe(at: Path, _: Path) -> None:
    os.mkfifo(at)


@pytest.mark.parametrize("name", ["kept", "set-aside"])
@pytest.mark.parametrize("is_looked_at", [True, False])
def test_a_linked_folder_of_the_exporter_keeps_its_files(
    registry: Engine,
    out: Path,
    theirs: Path,
    request: pytest.FixtureRequest,
    name: str,
    *,
    is_looked_at: bool,
) -> None:
    (out / ".registry").mkdir(parents=True)
    (out / ".registry" / name).symlink_to(theirs)
    before = state(theirs)
    if is_looked_at:
        with pytest.raises(OutputUnsafe, match=rf"\.registry/{name} is a link.*remove that"):
            export(registry, out)
    else:
        request.getfixturevalue("unlooked")
        export(registry, out)

    assert state(theirs) == before


@pytest.mark.usefixtures("unlooked")
def test_what_waits_for_its_place_is_not_put_behind_a_link(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, theirs: Path
) -> None:
    make_clip("b")
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    make_clip("a")
    ingest(engine, [indir], AUTHOR)
    (out / ".registry" / "kept").symlink_to(theirs)
    before = state(theirs)
    with pytest.raises(OutputUnusable, match=r"Not a directory \(.*\.registry/kept"):
        export(engine, out)

    assert state(theirs) == before


@pytest.mark.usefixtures("unlooked")
@pytest.mark.parametrize("name", ["manifest.partial", "intended.partial", "partial", "manifest.jsonl", "lock"])
@pytest.mark.parametrize("lay", [lay_link, lay_second_name])
def test_a_file_behind_a_name_that_the_exporter_uses_stays_as_it_is(
    registry: Engine, out: Path, theirs: Path, name: str, lay: Lay
) -> None:
    (out / ".registry").mkdir(parents=True)
    lay(out / ".registry" / name, theirs / "file")
    before = state(theirs)
    try:
        export(registry, out)
    except (OutputRefused, OutputUnusable) as refused:
        assert name in str(refused)  # noqa: PT017 - it may be refused, or pass it by

    assert state(theirs) == before


def test_no_file_is_made_behind_a_lock_that_is_a_link(registry: Engine, out: Path, theirs: Path) -> None:
    (out / ".registry").mkdir(parents=True)
    (out / ".registry" / "lock").symlink_to(theirs / "new")
    with pytest.raises(OutputUnsafe, match=r"lock is a link"):
        export(registry, out)

    assert not (theirs / "new").exists()


@pytest.mark.usefixtures("unlooked")
def test_a_foreseen_name_of_a_partial_file_is_not_written_through(
    registry: Engine, out: Path, theirs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "token_hex", lambda _: "foreseen")
    (out / ".registry").mkdir(parents=True)
    (out / ".registry" / "partial-foreseen").symlink_to(theirs / "file")
    before = state(theirs)
    with pytest.raises(OutputUnusable, match=r"File exists \(.*partial-foreseen"):
        export(registry, out)

    assert state(theirs) == before


def test_names_of_partial_files_cannot_be_foreseen(
    registry: Engine, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    rename = os.rename

    def noted(old: str, new: str, **at: int) -> None:
        seen.append(str(old))
        rename(old, new, **at)

    monkeypatch.setattr(os, "rename", noted)
    export(registry, out)
    first, seen[:] = set(seen), []
    export(registry, tmp_path / "again")

    assert first
    assert first.isdisjoint(seen)


@pytest.mark.parametrize("depth", [1, 2])
def test_nothing_is_written_into_a_folder_behind_a_link(registry: Engine, out: Path, theirs: Path, depth: int) -> None:
    place = out.joinpath(*F0001.split("/")[:depth])
    place.parent.mkdir(parents=True)
    place.symlink_to(theirs)
    before = state(theirs)

    report = export(registry, out)

    assert (state(theirs), {one.reason for one in report.rejected}) == (before, {"foreign-file"})
    assert report.exit_code == 1


@pytest.mark.parametrize("depth", [1, 2])
def test_nothing_is_removed_from_a_folder_behind_a_link(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, tmp_path: Path, depth: int
) -> None:
    make_clip("a")
    make_clip("b", group=night(6))
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    place = out.joinpath(*F0001.split("/")[:depth])
    place.rename(tmp_path / "moved")
    place.symlink_to(tmp_path / "moved")
    before = state(tmp_path / "moved")
    withdraw(engine, [night(5)], AUTHOR)

    export(engine, out, may_remove=True)

    assert state(tmp_path / "moved") == before


@pytest.mark.parametrize(
    "name", ["aliases.tsv", ".registry/manifest.jsonl", ".registry/intended.jsonl", ".registry/lock"]
)
@pytest.mark.parametrize("is_looked_at", [True, False])
def test_no_export_waits_at_a_named_pipe(
    registry: Engine, out: Path, request: pytest.FixtureRequest, name: str, *, is_looked_at: bool
) -> None:
    (out / ".registry").mkdir(parents=True)
    os.mkfifo(out / name)
    if not is_looked_at:
        request.getfixturevalue("unlooked")
    if name == "aliases.tsv":
        assert [one.reason for one in export(registry, out).rejected] == ["foreign-file"]
        return
    with pytest.raises((OutputUnsafe, OutputUnusable), match=Path(name).name):
        export(registry, out)


def test_a_list_of_aliases_that_is_a_link_is_in_the_way_and_stays(registry: Engine, out: Path, theirs: Path) -> None:
    out.mkdir()
    (out / "aliases.tsv").symlink_to(theirs / "file")
    before = state(theirs)

    report = export(registry, out)

    assert [(one.reason, Path(one.path).name) for one in report.rejected] == [("foreign-file", "aliases.tsv")]
    assert ((out / "aliases.tsv").is_symlink(), state(theirs)) == (True, before)


def test_a_folder_that_a_user_reaches_by_a_link_is_exported_to(registry: Engine, out: Path, tmp_path: Path) -> None:
    out.mkdir()
    (tmp_path / "link").symlink_to(out)

    assert export(registry, tmp_path / "link").exit_code == 0
    assert (out / f"{F0001}000000.wav").is_file()


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of others")


@needs_root
@pytest.mark.parametrize("plan_only", [True, False])
def test_an_export_that_somebody_else_began_is_refused(registry: Engine, out: Path, *, plan_only: bool) -> None:
    (out / ".registry").mkdir(parents=True)
    os.chown(out / ".registry", NOBODY, NOBODY)

    with pytest.raises(OutputUnsafe, match=r"\.registry belongs to nobody, not to root.*chown -R root on it"):
        export(registry, out, plan_only=plan_only)
    assert list((out / ".registry").iterdir()) == []


@needs_root
@pytest.mark.parametrize(
    ("owner", "rights", "is_refused"),
    [
        (NOBODY, 0o777, True),
        (NOBODY, 0o1777, False),
        (NOBODY, 0o775, False),
        (NOBODY, 0o755, False),
        (0, 0o777, False),
        (0, 0o2775, False),
    ],
)
def test_a_folder_of_somebody_else_in_which_all_the_world_may_write_is_refused(
    registry: Engine, out: Path, owner: int, rights: int, *, is_refused: bool
) -> None:
    out.mkdir()
    os.chown(out, owner, owner)
    out.chmod(rights)
    if is_refused:
        with pytest.raises(OutputUnsafe, match="everybody may write in it, and it belongs to nobody"):
            export(registry, out)
    else:
        assert export(registry, out).exit_code == 0


@needs_root
def test_an_export_into_the_tree_of_another_account_says_whose_it_is_and_the_way_out(
    registry: Engine, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def as_nobody(_: Path) -> None:  # once the database, which only root reaches, was asked
        os.seteuid(NOBODY)

    open_to_all(tmp_path)
    export(registry, out)
    before = state(out)
    monkeypatch.setattr(guard, "refuse_unsafe", as_nobody)
    try:
        with pytest.raises(OutputOfAnother, match=rf"\.registry belongs to root, and nobody.*chown -R nobody {out};"):
            export(registry, out)
    finally:
        os.seteuid(0)

    assert state(out) == before


@needs_root
def test_who_may_read_a_tree_cannot_keep_exports_out_of_it(registry: Engine, out: Path) -> None:
    class Locker(Silent):
        def begin(self, what: str, total: int) -> None:  # noqa: ARG002
            os.seteuid(NOBODY)
            try:
                with pytest.raises(PermissionError):
                    (out / ".registry" / "lock").open()
            finally:
                os.seteuid(0)

    assert export(registry, out, progress=Locker()).exit_code == 0
    assert not (out / ".registry" / "lock").exists()


@needs_root
def test_who_owns_the_folder_may_have_begun_its_tree(registry: Engine, out: Path) -> None:
    (out / ".registry").mkdir(parents=True)
    for folder in (out, out / ".registry"):
        os.chown(folder, NOBODY, NOBODY)

    assert export(registry, out).exit_code == 0


@needs_root
@pytest.mark.parametrize(
    ("source", "group", "copy"),
    [
        (0o644, 0, 0o644),
        (0o600, 0, 0o600),
        (0o640, 0, 0o640),
        (0o640, SOMEBODY, 0o600),  # the copy is of another group
        (0o604, 0, 0o604),
        (0o755, 0, 0o644),
    ],
)
def test_a_copy_can_be_read_by_nobody_who_could_not_read_its_source(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, source: int, group: int, copy: int
) -> None:
    wav = make_clip("a")
    for path in (wav, wav.with_suffix(".txt")):
        os.chown(path, 0, group)
        path.chmod(source)
    ingest(engine, [indir], AUTHOR)

    export(engine, out)

    assert {oct(stat.S_IMODE(path.stat().st_mode)) for path in out.glob(f"{F0001}*")} == {oct(copy)}


def test_a_transcript_whose_file_is_gone_is_for_its_owner_alone(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    make_clip("a").with_suffix(".txt").chmod(0o600)
    ingest(engine, [indir], AUTHOR)
    (indir / night(5) / "a.txt").unlink()

    export(engine, out)

    assert stat.S_IMODE((out / f"{F0001}000000.txt").stat().st_mode) == 0o600
