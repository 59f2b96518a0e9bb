"""The demo's two nights."""

from pathlib import Path

import pytest

from registry.demo import lay_out
from registry.errors import DemoFolderUnfit
from tests.conftest import tree


def test_two_nights_are_laid_out_once(tmp_path: Path) -> None:
    nights = lay_out(tmp_path)
    before = tree(tmp_path)

    assert [night.name for night in nights] == ["2020-11-05", "2020-11-06"]
    assert {Path(path).suffix for path in before} == {".wav", ".txt", ".csv"}
    assert lay_out(tmp_path) == nights
    assert tree(tmp_path) == before


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "nights").touch()

    with pytest.raises(DemoFolderUnfit, match=r"cannot be laid out in .*: (Not a directory|File exists)"):
        lay_out(tmp_path)


def test_a_full_disk_is_named_and_leaves_no_clip_that_is_cut(small_disk: Path, tmp_path: Path) -> None:
    (small_disk / "filling").write_bytes(bytes(800_000))
    with pytest.raises(DemoFolderUnfit, match=r"No space left on device\. Name another folder: registry demo FOLDER"):
        lay_out(small_disk)
    lay_out(tmp_path / "whole")
    whole, cut = tree(tmp_path / "whole"), tree(small_disk)

    written = {path: content for path, content in cut.items() if path.endswith((".wav", ".txt"))}
    assert written
    assert written.items() <= whole.items()
