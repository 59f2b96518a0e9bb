"""Input at s3:// is as good as input in a folder: the same state, the same messages, the same exported bytes."""

import os
import shutil
import stat
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from s3fs import S3FileSystem
from sqlalchemy import Engine

from cli.main import main
from registry import settings
from registry.corrections.addressed import find_clips
from registry.database.embedded import EmbeddedServer
from registry.database.reach import reach
from registry.errors import InputMissing, OutputRefused, PairsBroken, RemoteMissing
from registry.export import export
from registry.export.files import LinkMode
from registry.ingest import ingest
from registry.ingest.options import IngestOptions
from registry.ingest.reembed import reembed
from registry.input.remote import AnyPath, RemotePath, to_path
from registry.speech.embedder import Embedder
from registry.whois import whois
from tests.conftest import AUTHOR, MakeClip, new_database, night, tree
from tests.corrections.test_any_sequence import state
from tests.fix_s3 import Bucket
from tests.ingest.test_bad_input import BREAK

pytestmark = pytest.mark.usefixtures("fake_model", "ends_sound")


@pytest.fixture
def other(server: EmbeddedServer, template: str) -> Iterator[Engine]:
    """A second fresh registry."""
    with new_database(server, template) as url, reach(url) as opened:
        yield opened.engine


@pytest.fixture
def nights(indir: Path, make_clip: MakeClip) -> Path:
    """Two voices on two nights: eight clips, one of them with an odd name."""
    for day in (5, 6):
        for name, pitch_hz in (("a", 400), ("b", 1200), ("c", 400), ("d é #1?", 1200)):
            make_clip(name, pitch_hz, night(day))
    return indir


def times(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*.*") if path.is_file()}


def test_the_same_input_ends_in_the_same_state_and_the_same_tree(
    engine: Engine, other: Engine, nights: Path, bucket: Bucket, tmp_path: Path
) -> None:
    remote = ingest(engine, [to_path(bucket.upload(nights, "nights"))], AUTHOR)
    local = ingest(other, [nights], AUTHOR)
    for engine_of, name in ((engine, "remote"), (other, "local")):
        export(engine_of, tmp_path / name)

    assert remote == local
    assert (remote.total["new"], remote.exit_code) == (8, 0)
    assert state(engine) == state(other)
    assert tree(tmp_path / "remote") == tree(tmp_path / "local")
    assert times(tmp_path / "remote") == times(tmp_path / "local")


def test_every_file_is_read_once_and_on_the_second_night_none(engine: Engine, nights: Path, bucket: Bucket) -> None:
    url = to_path(bucket.upload(nights, "nights"))
    ingest(engine, [url], AUTHOR)
    first = bucket.asked.of_files()
    bucket.asked.all.clear()
    again = ingest(engine, [url], AUTHOR)

    assert first == [("GET", f"nights/{path.relative_to(nights)}") for path in sorted(nights.rglob("*.*"), key=str)]
    assert bucket.asked.of_files() == []
    assert (again.total["known"], again.total["updated"], again.exit_code) == (8, 0, 0)


def test_what_is_broken_is_named_with_the_same_words(
    engine: Engine, other: Engine, indir: Path, make_clip: MakeClip, bucket: Bucket
) -> None:
    for number, fault in enumerate(sorted(BREAK.keys() - {"unreadable", "too-long", "truncated"})):
        with np.errstate(all="ignore"):
            BREAK[fault](make_clip(f"{number} {fault}"))
    make_clip("good")
    make_clip("lost", group="nonsense")
    (indir / night(5) / "folder").mkdir()
    shutil.copy(make_clip("x"), indir / night(5) / "folder" / "x.wav")
    shutil.copy(make_clip("x"), indir / "stray.wav")
    url = bucket.upload(indir, "nights")

    remote = ingest(engine, [to_path(url)], AUTHOR)
    local = ingest(other, [indir], AUTHOR)

    assert [one.path.removeprefix(url) for one in remote.rejected] == [
        one.path.removeprefix(str(indir)) for one in local.rejected
    ]
    assert [replace(one, path="") for one in remote.rejected] == [
        replace(one, path="", message=one.message.replace(str(indir), url)) for one in local.rejected
    ]
    assert (remote.total["new"], remote.exit_code) == (2, 1)


def test_strict_refuses_before_any_change(engine: Engine, make_clip: MakeClip, indir: Path, bucket: Bucket) -> None:
    BREAK["unsettled"](make_clip("a"))
    make_clip("b")

    with pytest.raises(PairsBroken, match=r"a\.wav: It has no end yet"):
        ingest(engine, [to_path(bucket.upload(indir, "nights"))], AUTHOR, IngestOptions(strict=True))


def test_a_changed_transcript_is_taken_up_and_changed_audio_is_named(
    engine: Engine, make_clip: MakeClip, indir: Path, bucket: Bucket, out: Path
) -> None:
    """Also where size and second of the objects are the same."""
    make_clip("a", text="bom dia")
    make_clip("b", 400)
    url = bucket.upload(indir, "nights")
    ingest(engine, [to_path(url)], AUTHOR)
    make_clip("a", text="boa dia")
    make_clip("b", 2000)
    bucket.upload(indir, "nights")

    report = ingest(engine, [to_path(url)], AUTHOR)
    export(engine, out)

    assert report.total["updated"] == 1
    assert [(one.path, one.reason) for one in report.rejected] == [(f"{url}/{night(5)}/b.wav", "changed")]
    assert b"boa dia\n" in tree(out).values()


@pytest.mark.parametrize("is_local_first", [True, False])
def test_input_may_move_to_another_url_or_from_a_folder(
    engine: Engine, nights: Path, bucket: Bucket, out: Path, *, is_local_first: bool
) -> None:
    first: AnyPath = nights if is_local_first else to_path(bucket.upload(nights, "nights"))
    ingest(engine, [first], AUTHOR)
    moved = to_path(f"{bucket.upload(nights, 'archive/nights')}/")
    bucket.files.rm(f"{bucket.url}/nights", recursive=True) if not is_local_first else shutil.rmtree(nights)

    report = ingest(engine, [moved], AUTHOR)
    done = export(engine, out)

    assert (report.total["updated"], report.exit_code) == (8, 0)
    assert (done.written, done.exit_code) == (16, 0)


def test_an_object_that_is_gone_is_named_and_a_copy_in_the_tree_stays(
    engine: Engine, make_clip: MakeClip, indir: Path, bucket: Bucket, out: Path
) -> None:
    make_clip("a")
    url = bucket.upload(indir, "nights")
    ingest(engine, [to_path(url)], AUTHOR)
    gone = f"{url}/{night(5)}/a.wav"
    bucket.files.rm_file(gone)

    first = export(engine, out)
    bucket.upload(indir, "nights")
    whole = export(engine, out)
    bucket.files.rm_file(gone)
    again = export(engine, out)

    assert [(one.path, one.reason) for one in first.rejected] == [(gone, "source-lost")]
    assert "The specified key does not exist" in first.rejected[0].message
    assert (first.written, whole.written, whole.exit_code) == (1, 1, 0)
    assert (again.unchanged, again.exit_code) == (2, 0)


def test_an_object_that_changed_is_not_exported(
    engine: Engine, make_clip: MakeClip, indir: Path, bucket: Bucket, out: Path
) -> None:
    make_clip("a", 400)
    ingest(engine, [to_path(bucket.upload(indir, "nights"))], AUTHOR)
    make_clip("a", 2000)
    bucket.upload(indir, "nights")

    done = export(engine, out)

    assert [one.reason for one in done.rejected] == ["source-lost"]
    assert "changed since it was ingested" in done.rejected[0].message
    assert not list(out.rglob("*.wav"))
    assert not list((out / ".registry").glob("partial*"))


@pytest.mark.parametrize("mode", ["hardlink", "symlink"])
def test_what_cannot_be_linked_is_copied(
    engine: Engine, nights: Path, make_clip: MakeClip, bucket: Bucket, out: Path, mode: LinkMode
) -> None:
    ingest(engine, [to_path(bucket.upload(nights, "nights"))], AUTHOR)
    shutil.rmtree(nights)
    nights.mkdir()
    local = make_clip("e", group=night(7))
    ingest(engine, [nights], AUTHOR)

    done = export(engine, out, mode=mode)
    bucket.asked.all.clear()
    again = export(engine, out, mode=mode)

    statuses = [path.lstat() for path in out.rglob("*.wav")]
    linked = [found for found in statuses if stat.S_ISLNK(found.st_mode) or os.path.samestat(found, local.stat())]
    assert (done.written, done.exit_code, len(statuses), len(linked)) == (18, 0, 9, 1)
    assert (again.unchanged, again.written, bucket.asked.all) == (18, 0, [])


def test_files_that_move_in_the_tree_are_kept_where_their_source_is_gone(
    engine: Engine, nights: Path, bucket: Bucket, out: Path
) -> None:
    """Every sound but the first shifts, as the first speaker gets a clip more; the transcripts are all the same."""
    url = bucket.upload(nights / night(5), night(5))
    ingest(engine, [to_path(url)], AUTHOR)
    export(engine, out)
    before = {content for path, content in tree(out).items() if path.endswith((".wav", ".txt"))}
    bucket.files.rm([f"{url}/b.wav", f"{url}/b.txt"])
    for kind in ("wav", "txt"):
        bucket.files.put_file(str(nights / night(6) / f"a.{kind}"), f"{url}/aa.{kind}")
    ingest(engine, [to_path(url)], AUTHOR)

    done = export(engine, out)

    assert (done.exit_code, done.written, done.renamed) == (0, 2, 4)
    assert before < set(tree(out).values())


def test_a_second_model_reads_it_again(
    engine: Engine, nights: Path, bucket: Bucket, two_models: dict[str, Embedder]
) -> None:
    assert "second" in two_models
    url = bucket.upload(nights, "nights")
    ingest(engine, [to_path(url)], AUTHOR)
    gone, changed = f"{url}/{night(5)}/a.wav", f"{url}/{night(5)}/b.wav"
    bucket.files.rm_file(gone)
    bucket.files.pipe_file(changed, b"RIFF")

    done = reembed(engine, "second", AUTHOR)

    assert done.embedded == 6
    assert {one.path: one.reason for one in done.rejected} == {gone: "missing", changed: "changed"}


def test_a_clip_is_found_by_its_url(
    engine: Engine, nights: Path, bucket: Bucket, two_models: dict[str, Embedder]
) -> None:
    assert "campplus" in two_models
    url = bucket.upload(nights, "nights")
    ingest(engine, [to_path(url)], AUTHOR)
    with engine.connect() as connection:
        found = find_clips(connection, [f"{url}/{night(5)}/a.wav"])

    assert len(found) == 1
    assert whois(engine, [to_path(f"{url}/{night(5)}/a.wav")])[0].candidates[0].label.endswith("F0001")
    [nobody] = whois(engine, [to_path(f"{url}/nobody.wav")])
    assert "The specified key does not exist" in str(nobody.rejected)


def test_a_bucket_or_folder_that_is_missing_is_named(engine: Engine, bucket: Bucket, indir: Path) -> None:
    with pytest.raises(InputMissing, match=r"s3://no-such-bucket/nights \(The specified bucket does not exist\)"):
        ingest(engine, [to_path("s3://no-such-bucket/nights")], AUTHOR)
    with pytest.raises(InputMissing, match=r"/nights \(No such file or directory\)"):
        ingest(engine, [to_path(f"{bucket.url}/nights")], AUTHOR)
    with pytest.raises(InputMissing, match="Invalid bucket name"):
        ingest(engine, [to_path("s3://no input")], AUTHOR)

    report = ingest(engine, [indir, to_path(f"{bucket.url}/nights")], AUTHOR)

    assert [(one.path, one.reason) for one in report.rejected] == [
        (f"{bucket.url}/nights", "no-input"),
        (str(indir), "no-groups"),
    ]


def test_a_url_of_a_file_is_no_folder(engine: Engine, bucket: Bucket) -> None:
    bucket.files.pipe_file(f"{bucket.url}/a.wav", b"RIFF")

    with pytest.raises(InputMissing, match=r"a\.wav \(Not a directory\)"):
        ingest(engine, [to_path(f"{bucket.url}/a.wav")], AUTHOR)


def test_where_nobody_answers_it_is_said(engine: Engine, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    S3FileSystem.clear_instance_cache()

    with pytest.raises(InputMissing, match="Could not connect to the endpoint URL"):
        ingest(engine, [to_path(bucket.url)], AUTHOR)


def test_where_the_key_is_refused_it_is_said(engine: Engine, locked: Bucket) -> None:
    with pytest.raises(InputMissing, match="The AWS Access Key Id you provided does not exist"):
        ingest(engine, [to_path(locked.url)], AUTHOR)


def test_without_credentials_it_is_said(engine: Engine, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    S3FileSystem.clear_instance_cache()

    with pytest.raises(InputMissing, match="Unable to locate credentials"):
        ingest(engine, [to_path(bucket.url)], AUTHOR)


def test_without_the_extra_it_is_said_how_to_get_it(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(vars(sys.modules["fsspec.registry"])["_registry"], "s3", raising=False)

    with pytest.raises(RemoteMissing, match=r"s3://bucket/nights.*pip install '\.\[s3\]'"):
        ingest(engine, [to_path("s3://bucket/nights")], AUTHOR)


def test_the_command_line_takes_urls_and_ends_with_2_where_there_is_nothing(
    database_url: str, nights: Path, bucket: Bucket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url, plan = bucket.upload(nights, "nights"), tmp_path / "plan"
    database = f"--database={database_url}"
    commands = (
        ["ingest", f"{url}-none", database],
        ["ingest", f"{url}/", "--plan", "--save", str(plan), database],
        ["apply", str(plan), database],
        ["export", url, database],
    )
    codes = []
    for command in commands:
        with pytest.raises(SystemExit) as ended:
            main(command)
        codes.append(ended.value.code)

    printed = capsys.readouterr()
    assert codes == [2, 0, 0, 2]
    assert f"registry: There is nothing to read at {url}-none (No such file or directory)" in printed.err
    assert f"registry: Cannot export to {url}: only input may be at a URL" in printed.err
    assert "Traceback" not in printed.err


def test_nothing_is_exported_to_a_url(engine: Engine) -> None:
    with pytest.raises(OutputRefused, match="only input may be at a URL"):
        export(engine, to_path("s3://bucket/out"))


def test_several_are_read_at_once(
    engine: Engine, nights: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings.REMOTE_READERS > 1
    url, two_at_once = to_path(bucket.upload(nights, "nights")), threading.Barrier(2, timeout=60)
    fetch = RemotePath.fetch

    def fetch_with_another(path: RemotePath, to: Path) -> None:
        two_at_once.wait()
        fetch(path, to)

    monkeypatch.setattr(RemotePath, "fetch", fetch_with_another)

    assert ingest(engine, [url], AUTHOR).exit_code == 0
