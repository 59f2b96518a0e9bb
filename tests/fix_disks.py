"""File systems of their own to export to, where root may mount them."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

FORCE = {"ntfs": ("-F", "-Q")}  # a file instead of a disk, without writing it full of zeros
Mount = Callable[[Path, Path], Path]


@contextmanager
def mounted(*options: str | Path, at: Path) -> Iterator[Path]:
    """Mount something for a while; skip the test where that cannot be done."""
    at.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", *options, at], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", at], check=True)


def new_image(path: Path, kind: str, megabytes: int) -> Path:
    """Make an image of an empty file system; skip the test where the tool for it is missing."""
    tool = shutil.which(f"mkfs.{kind}", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if tool is None or os.geteuid() != 0:
        pytest.skip(f"needs root and mkfs.{kind}")
    with path.open("wb") as image:
        image.truncate(megabytes * 1_000_000)
    subprocess.run([tool, *FORCE.get(kind, ()), path], check=True, capture_output=True)
    return path


@pytest.fixture
def mount_image() -> Iterator[Mount]:
    """Mount images until the test ends."""
    with ExitStack() as stack:
        yield lambda image, at: stack.enter_context(mounted("-o", "loop", image, at=at))


@pytest.fixture(params=["vfat", "ntfs"])
def caseless_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A disk that ignores case and cannot hold a colon in a name, as Windows has them."""
    image = new_image(tmp_path / "image", request.param, 16)
    options = (
        ("-t", "lowntfs-3g", "-o", "loop,ignore_case,windows_names") if request.param == "ntfs" else ("-o", "loop")
    )
    with mounted(*options, image, at=tmp_path / "caseless disk") as folder:
        yield folder


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    with mounted("-t", "tmpfs", "-o", "size=1m", "tmpfs", at=tmp_path / "small disk") as folder:
        yield folder
