"""A full disk under the embedded server is told as such, and what was finished is kept."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from registry.database.embedded.disk_space import full_disk
from registry.database.reach import reach
from registry.errors import DatabaseDiskFull, NoSuchRegistry

SIZE_MB = 220
FILL = "INSERT INTO operation (operation_id, kind, user_name, command, summary) VALUES (:n, '', '', :words, '{}')"


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A small disk of its own, with the home of a server."""
    folder = Path(tempfile.mkdtemp(prefix="registry-disk-", dir="/tmp"))
    options = f"size={SIZE_MB}m,mode=0755"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False)
    if done.returncode:
        folder.rmdir()
        pytest.skip("only root may mount a small disk, and not in every container")
    monkeypatch.setenv("REGISTRY_HOME", str(folder / "home"))
    monkeypatch.delenv("REGISTRY_DATABASE_URL", raising=False)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)
    shutil.rmtree(folder)


def write(numbers: range) -> None:
    """Write operations into the registry, made if need be, each half a megabyte that does not compress."""
    words = "SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 16384)"
    with reach(None, create=True) as opened:
        for number in numbers:
            with opened.engine.begin() as connection:
                connection.execute(text(FILL), {"n": number, "words": connection.execute(text(words)).scalar_one()})


def count() -> int:
    with reach(None) as opened, opened.engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM operation")).scalar_one())


def fill(folder: Path, leave_bytes: int) -> Path:
    """Fill the disk with a file of somebody else's."""
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        for _ in range(max(0, shutil.disk_usage(folder).free - leave_bytes) >> 16):
            file.write(bytes(1 << 16))
    return ballast


def test_a_disk_that_fills_up_in_the_middle_is_told_and_the_rest_is_kept(disk: Path) -> None:
    write(range(1, 4))
    ballast = fill(disk, leave_bytes=6 << 20)
    with pytest.raises(DatabaseDiskFull, match=r"All that was finished is kept\. Make room there"):
        write(range(4, 900))
    ballast.unlink()

    assert count() >= 3


def test_a_server_that_cannot_start_on_a_full_disk_says_so(disk: Path) -> None:
    write(range(1, 2))
    ballast = fill(disk, leave_bytes=0)
    with pytest.raises(DatabaseDiskFull, match=rf"0 of {SIZE_MB} MiB are free where {disk / 'home'} is"):
        write(range(4, 900))
    ballast.unlink()

    assert count() == 1


def test_a_first_start_on_a_full_disk_says_so(disk: Path) -> None:
    fill(disk, leave_bytes=0)
    with pytest.raises(DatabaseDiskFull, match=r"are free where"):
        write(range(1, 2))


def test_what_has_nothing_to_do_with_the_disk_is_told_as_it_is(disk: Path) -> None:
    write(range(1, 2))
    fill(disk, leave_bytes=30 << 20)
    with pytest.raises(NoSuchRegistry, match="no registry 'another'"), reach("another"):
        pass


def test_a_disk_with_room_is_not_full(tmp_path: Path) -> None:
    assert full_disk(tmp_path, "the server closed the connection") is None


def test_words_that_say_so_are_believed(tmp_path: Path) -> None:
    assert "MiB are free where" in str(full_disk(tmp_path, "could not extend file: No space left on device"))
