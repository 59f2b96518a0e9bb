"""Whoever may write in an input folder cannot have files read that lie elsewhere, nor make an ingest wait for ever."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from registry.core.records import Rejected
from registry.export import export
from registry.export.files import LinkMode
from registry.ingest import ingest, take_in
from registry.ingest.read import read_new
from registry.input.audio import Audio
from registry.input.scan import Pair, scan
from registry.input.sources import read_as_taken_in, sha256_of
from tests.conftest import AUTHOR, MakeClip, night, tree

pytestmark = pytest.mark.usefixtures("in_time")
SECRET = "root:$y$j9T$secret:20000:0:99999:7:::"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "shadow"
    path.write_text(SECRET)
    path.chmod(0o600)
    return path


def transcripts(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT transcript FROM clips")).scalars())


@pytest.mark.usefixtures("fake_model", "ends_sound")
@pytest.mark.parametrize("target", ["../../shadow", "/proc/self/environ", "../andaiafm_F20201106/b.txt"])
def test_a_transcript_that_is_a_link_out_of_its_group_is_named_and_not_read(
    engine: Engine, indir: Path, make_clip: MakeClip, secret: Path, out: Path, target: str
) -> None:
    txt = make_clip("a").with_suffix(".txt")
    make_clip("b", group=night(6))
    txt.unlink()
    txt.symlink_to(target)

    report = ingest(engine, [indir], AUTHOR)
    export(engine, out)

    assert [(one.path, one.reason) for one in report.rejected] == [(str(txt), "link")]
    assert "put the file itself there, or link the whole folder" in report.rejected[0].message
    assert transcripts(engine) == ["bom dia"]
    assert not any(SECRET.encode() in content for content in tree(out).values())
    assert secret.read_text() == SECRET


@pytest.mark.usefixtures("fake_model", "ends_sound")
def test_audio_that_is_a_link_out_of_its_group_is_named(
    engine: Engine, indir: Path, make_clip: MakeClip, tmp_path: Path
) -> None:
    wav = make_clip("a")
    wav.rename(tmp_path / "private.wav")
    wav.symlink_to(tmp_path / "private.wav")

    assert [(one.path, one.reason) for one in ingest(engine, [indir], AUTHOR).rejected] == [(str(wav), "link")]


@pytest.mark.usefixtures("fake_model", "ends_sound")
def test_links_within_a_group_and_a_linked_group_are_taken_in(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, tmp_path: Path
) -> None:
    wav = make_clip("a")
    for kind in ("wav", "txt"):
        (wav.parent / f"b.{kind}").symlink_to(f"a.{kind}")
    wav.parent.rename(tmp_path / "elsewhere")
    wav.parent.symlink_to(tmp_path / "elsewhere")

    report = ingest(engine, [indir], AUTHOR)

    assert (report.exit_code, report.total["new"], export(engine, out).written) == (0, 2, 4)


def listed_pair(indir: Path) -> Pair:
    (found,) = scan([indir]).groups.values()
    (pair,) = found.pairs.values()
    return pair


def to_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def to_link(target: str) -> Callable[[Path], None]:
    def swap(path: Path) -> None:
        path.unlink()
        path.symlink_to(target)

    return swap


def to_larger(path: Path) -> None:
    with path.open("ab") as file:
        file.truncate(1 << 40)


@pytest.mark.parametrize("kind", ["wav", "txt"])
@pytest.mark.parametrize(
    ("swap", "reason"),
    [
        (to_pipe, "unreadable"),
        (to_link("/dev/zero"), "unreadable"),
        (to_link("../../shadow"), "link"),
        (to_link("/proc/self/environ"), "link"),
        (to_larger, "unsettled"),
        (Path.unlink, "unreadable"),
    ],
)
@pytest.mark.usefixtures("secret")
def test_a_file_that_becomes_another_thing_while_a_group_is_read_is_named(
    indir: Path, make_clip: MakeClip, kind: str, swap: Callable[[Path], None], reason: str
) -> None:
    path = make_clip("a").with_suffix(f".{kind}")
    pair = listed_pair(indir)
    try:
        swap(path)
    except OSError:
        pytest.skip("no file here may be so large")

    found = read_new(pair)

    assert isinstance(found, Rejected)
    assert (found.path, found.reason) == (str(path), reason)


@pytest.mark.parametrize("swap", [to_pipe, to_link("/dev/zero"), to_link("../../shadow")])
def test_a_recording_that_becomes_another_thing_later_is_not_read_again(
    make_clip: MakeClip, secret: Path, swap: Callable[[Path], None]
) -> None:
    wav = make_clip("a")
    digest = sha256_of(wav)
    secret.write_bytes(wav.read_bytes())
    there = read_as_taken_in(wav, digest, "0" * 64)
    swap(wav)

    found = read_as_taken_in(wav, digest, "0" * 64)

    assert not isinstance(there, Audio)
    assert not isinstance(found, Audio)
    assert (there.reason, found.reason) == ("changed", "missing")


@pytest.mark.usefixtures("fake_model", "ends_sound")
@pytest.mark.parametrize("mode", ["copy", "hardlink", "symlink"])
def test_a_source_that_becomes_a_link_is_not_exported_however_alike_it_looks(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, secret: Path, mode: LinkMode
) -> None:
    """Size and time are as they were, and in the mode of hard links nothing else is looked at."""
    wav = make_clip("a")
    secret.write_bytes(bytes(wav.stat().st_size))
    os.utime(secret, ns=(0, wav.stat().st_mtime_ns))
    ingest(engine, [indir], AUTHOR)
    to_link("../../shadow")(wav)

    report = export(engine, out, mode=mode)

    assert [(one.path, one.reason) for one in report.rejected] == [(str(wav), "source-lost")]
    assert secret.stat().st_nlink == 1
    assert [path.suffix for path in out.rglob("andaia*") if not path.is_dir() or path.is_symlink()] == [".txt"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give links to others")
@pytest.mark.usefixtures("fake_model", "ends_sound")
def test_a_folder_that_becomes_a_link_of_somebody_else_is_not_read(
    engine: Engine, indir: Path, make_clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was looked at as a folder; the one it leads to has files of the same names."""
    make_clip("a", group=night(5), text="bom dia")
    hidden = tmp_path / "hidden"
    (indir / night(5)).rename(hidden)
    (hidden / "a.txt").write_text("segredo\n")
    make_clip("a", group=night(5), text="bom dia")
    sort_out = take_in.sort_group_out

    def swapped(*args: object) -> object:
        (indir / night(5)).rename(tmp_path / "aside")
        (indir / night(5)).symlink_to(hidden)
        os.chown(indir / night(5), 65534, -1, follow_symlinks=False)
        return sort_out(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(take_in, "sort_group_out", swapped)
    report = ingest(engine, [indir], AUTHOR)

    assert [one.reason for one in report.rejected] == ["link"]
    assert transcripts(engine) == []
