"""Files of one user alone."""

import os
from pathlib import Path

import pytest

from registry.files.private_files import is_ours_alone, write


def test_what_is_written_only_its_owner_may_read(tmp_path: Path) -> None:
    write(tmp_path / "a", b"one")
    write(tmp_path / "a", b"two")

    assert (tmp_path / "a").read_bytes() == b"two"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_is_written_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_sync: list[tuple[bytes, bool]] = []

    def sync(descriptor: int) -> None:
        at_sync.append((Path(f"/proc/self/fd/{descriptor}").read_bytes(), (tmp_path / "a").exists()))

    monkeypatch.setattr(os, "fsync", sync)
    write(tmp_path / "a", b"one")

    assert at_sync == [(b"one", False)]


@pytest.mark.parametrize("target", ["there", "not there"])
def test_a_link_is_left_alone_and_what_it_leads_to(target: str, tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"theirs")
    (tmp_path / "link").symlink_to(tmp_path / target)

    with pytest.raises(FileExistsError):
        write(tmp_path / "link", b"ours")
    assert (tmp_path / "there").read_bytes() == b"theirs"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "there"]


def test_a_file_with_two_names_keeps_its_content_under_the_other(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_bytes(b"theirs")
    (tmp_path / "a").hardlink_to(tmp_path / "theirs")
    write(tmp_path / "a", b"ours")

    assert (tmp_path / "theirs").read_bytes() == b"theirs"


def test_a_file_that_others_may_write_is_not_ours_alone(tmp_path: Path) -> None:
    ours = tmp_path / "a"
    write(ours, b"")
    before = is_ours_alone(ours)
    ours.chmod(0o620)

    assert (before, is_ours_alone(ours), is_ours_alone(tmp_path / "none")) == (True, False, False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
def test_a_file_of_another_is_not_ours_alone(tmp_path: Path) -> None:
    write(tmp_path / "a", b"")
    os.chown(tmp_path / "a", 65534, 65534)

    assert not is_ours_alone(tmp_path / "a")
