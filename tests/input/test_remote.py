"""A URL is as good as a path, and what is no URL is left as it is."""

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from registry.errors import RemoteMissing
from registry.input.remote import AnyPath, RemotePath, at_hand, in_order, is_remote, readers, to_path

FOLDER = "memory://nights"


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    files = fsspec.filesystem("memory")
    files.pipe({"/nights/g/a.wav": b"sound", "/nights/g/a.b.TXT": b"", "/nights/b.wav": b"12"})
    yield files
    files.rm("/nights", recursive=True)


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("s3://bucket/nights/", RemotePath("s3://bucket/nights")),
        ("s3://bucket", RemotePath("s3://bucket")),
        ("memory://", RemotePath("memory://")),
        ("/nights//s3://x/", Path("/nights/s3:/x")),
        ("nights/", Path("nights")),
        ("S3:", Path("S3:")),
    ],
)
def test_what_is_a_url_and_what_a_path(address: str, path: object) -> None:
    assert to_path(address) == path
    assert is_remote(address) == isinstance(path, RemotePath)


def test_the_parts_of_a_name() -> None:
    path = RemotePath("s3://bucket/g/a.b.WAV")

    assert (path.name, path.stem, path.suffix, str(path)) == ("a.b.WAV", "a.b", ".WAV", path.url)
    assert path.absolute() == path


@pytest.mark.usefixtures("memory")
def test_a_listing_tells_what_each_entry_is() -> None:
    entries: list[AnyPath] = sorted(to_path(FOLDER).iterdir(), key=str)

    assert [(str(entry), entry.is_dir()) for entry in entries] == [(f"{FOLDER}/b.wav", False), (f"{FOLDER}/g", True)]
    assert entries[0].stat().st_size == 2


def test_a_listed_entry_stays_as_listed_and_any_other_is_asked_anew(memory: fsspec.AbstractFileSystem) -> None:
    listed = next(entry for entry in RemotePath(FOLDER).iterdir() if entry.name == "b.wav")
    memory.pipe("/nights/b.wav", b"123")

    assert (listed.stat().st_size, RemotePath(listed.url).stat().st_size) == (2, 3)
    assert listed == RemotePath(listed.url)
    assert pickle.loads(pickle.dumps(listed)).stat() == listed.stat()


def test_versions_of_one_second_differ_by_their_etag(monkeypatch: pytest.MonkeyPatch) -> None:
    infos = iter([{"ETag": "one"}, {"ETag": "two"}, {"ETag": "one"}])
    constant = {"type": "file", "size": 1, "mtime": 1_600_000_000.75}
    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.info", lambda *_: constant | next(infos))
    first, second, third = (RemotePath(f"{FOLDER}/a").stat() for _ in range(3))

    assert first.st_mtime_ns == third.st_mtime_ns != second.st_mtime_ns
    assert {int(status.st_mtime) for status in (first, second)} == {1_600_000_000}


@pytest.mark.usefixtures("memory")
def test_a_file_is_at_hand_by_a_copy_that_a_kill_does_not_leave_behind() -> None:
    with at_hand(RemotePath(f"{FOLDER}/g/a.wav")) as file:
        content, size, place = file.read_bytes(), file.stat().st_size, str(file.readlink())

    assert (content, size) == (b"sound", 5)
    assert place.endswith(" (deleted)")


def test_a_local_file_at_hand_stays_the_same_whatever_becomes_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"sound")
    with at_hand(tmp_path / "a.wav") as file:
        (tmp_path / "a.wav").unlink()
        os.mkfifo(tmp_path / "a.wav")

        assert file.read_bytes() == b"sound"


def test_a_local_file_that_is_not_there_is_named() -> None:
    with pytest.raises(FileNotFoundError) as missing, at_hand(Path("/nowhere/a.wav")):
        pass

    assert missing.value.filename == "/nowhere/a.wav"


@pytest.mark.usefixtures("memory")
def test_what_goes_wrong_is_an_os_error_that_names_the_url() -> None:
    gone = RemotePath("memory://nights/gone.wav")
    with pytest.raises(FileNotFoundError) as missing, at_hand(gone):
        pass
    with pytest.raises(NotADirectoryError):
        list(RemotePath(f"{FOLDER}/b.wav").iterdir())

    assert (missing.value.filename, missing.value.strerror) == (gone.url, "No such file or directory")


def test_an_error_comes_from_another_process_as_it_was() -> None:
    error = RemoteMissing(url="s3://bucket", cause="no s3fs")
    found = pickle.loads(pickle.dumps(error))

    assert (type(found), str(found)) == (RemoteMissing, str(error))


def test_a_scheme_of_which_nothing_is_installed_is_named() -> None:
    with pytest.raises(RemoteMissing, match=r"nonsense://x: Protocol not known: nonsense"):
        RemotePath("nonsense://x").stat()


@pytest.mark.parametrize("at_once", [1, 4])
def test_results_come_in_order(at_once: int) -> None:
    assert list(in_order(str, iter(range(50)), at_once)) == [str(number) for number in range(50)]


def test_several_are_done_at_once_and_not_many_ahead() -> None:
    two, begun = threading.Barrier(2, timeout=30), []

    def do(number: int) -> int:
        begun.append(number)
        two.wait()
        return number

    results = in_order(do, range(100), 2)

    assert next(results) == 0
    assert len(begun) <= 4


def test_one_reads_from_disks_and_several_from_afar() -> None:
    assert readers([Path("/nights"), "/more"]) == 1
    assert readers([Path("/nights"), RemotePath("s3://bucket")]) > 1


def test_local_input_needs_no_fsspec(tmp_path: Path) -> None:
    script = f"""
import sys
from pathlib import Path
from registry.input.scan import scan
scan([Path({str(tmp_path)!r})])
print([name for name in ("fsspec", "s3fs") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
