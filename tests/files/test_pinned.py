"""What is read is what was looked at: no pipe is waited at, no link leads out of the folder it lies in."""

import os
from pathlib import Path

import pytest

from registry.core.records import Rejected
from registry.files.pinned import ForeignLink, LinkOut, NotRegular, look, pinned, remedy_of
from registry.input.sources import read_as_taken_in

NOBODY = 65534


@pytest.fixture
def group(tmp_path: Path) -> Path:
    """A folder with a file, and a secret outside."""
    folder = tmp_path / "group"
    folder.mkdir()
    (folder / "a.txt").write_text("bom dia")
    (tmp_path / "secret").write_text("secret")
    return folder


def test_a_file_stays_the_one_that_was_looked_at(group: Path) -> None:
    with pinned(group / "a.txt") as file:
        (group / "a.txt").unlink()
        (group / "a.txt").symlink_to("../secret")

        assert file.read_text() == "bom dia"


@pytest.mark.parametrize("target", ["../secret", "/proc/self/environ", "/etc/passwd"])
def test_a_link_out_of_its_folder_is_not_followed(group: Path, target: str) -> None:
    (group / "b.txt").symlink_to(target)

    with pytest.raises(LinkOut) as refused, pinned(group / "b.txt"):
        pass
    assert refused.value.filename == str(group / "b.txt")


def test_a_link_that_a_user_names_is_followed(group: Path) -> None:
    (group / "b.txt").symlink_to("../secret")

    with pinned(group / "b.txt", is_named_by_user=True) as file:
        assert file.read_text() == "secret"


def test_a_link_within_its_folder_and_a_linked_folder_are_followed(group: Path, tmp_path: Path) -> None:
    (group / "b.txt").symlink_to("a.txt")
    (tmp_path / "link").symlink_to(group)

    with pinned(tmp_path / "link" / "b.txt") as file:
        assert file.read_text() == "bom dia"


def test_a_folder_beside_it_of_a_longer_name_is_outside(group: Path, tmp_path: Path) -> None:
    (tmp_path / "group2").mkdir()
    (tmp_path / "group2" / "a.txt").touch()
    (group / "b.txt").symlink_to("../group2/a.txt")

    with pytest.raises(LinkOut), pinned(group / "b.txt"):
        pass


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")])
@pytest.mark.parametrize("is_named_by_user", [True, False])
def test_what_is_no_regular_file_is_not_opened(group: Path, make: object, *, is_named_by_user: bool) -> None:
    make(group / "b.txt")  # type: ignore[operator]

    with pytest.raises(NotRegular), pinned(group / "b.txt", is_named_by_user=is_named_by_user):
        pass


def test_no_descriptor_stays_open(group: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for name in ("a.txt", "gone.txt"):
        try:
            with pinned(group / name):
                pass
        except FileNotFoundError:
            pass

    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_look_is_bound_by_the_same_rules(group: Path) -> None:
    (group / "in.txt").symlink_to("a.txt")
    (group / "out.txt").symlink_to("../secret")
    os.mkfifo(group / "pipe.txt")

    assert look(group / "a.txt").st_size == look(group / "in.txt").st_size == len("bom dia")
    with pytest.raises(LinkOut):
        look(group / "out.txt")
    with pytest.raises(NotRegular):
        look(group / "pipe.txt")
    with pytest.raises(FileNotFoundError):
        look(group / "gone.txt")


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (LinkOut(), "put the file itself there, or link the whole folder of the group"),
        (NotRegular(), "put the file itself there"),
        (PermissionError(), "make the file readable"),
    ],
    ids=["link", "no file", "closed"],
)
def test_what_cannot_be_read_has_its_remedy(error: OSError, remedy: str) -> None:
    assert remedy_of(error) == remedy


def test_a_clip_that_became_a_link_says_what_to_do_about_it(group: Path) -> None:
    (group / "b.wav").symlink_to("../secret")
    rejected = read_as_taken_in(group / "b.wav", "", "")

    assert isinstance(rejected, Rejected)
    assert rejected.message.endswith(f"(it is a link that leads out of its folder); {LinkOut.remedy}")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give links to others")
@pytest.mark.parametrize(
    ("link_owner", "folder_owner", "is_followed"),
    [
        (NOBODY, 0, False),
        (NOBODY, 1, False),
        (0, 1, True),
        (NOBODY, NOBODY, True),
    ],
)
@pytest.mark.parametrize("target", ["absolute", "relative"])
def test_a_link_of_somebody_else_on_the_way_is_not_followed(
    group: Path, tmp_path: Path, link_owner: int, folder_owner: int, is_followed: bool, target: str
) -> None:
    """As it is put there between the look at a folder and the reading of its files."""
    nights = tmp_path / "nights"
    nights.mkdir()
    (nights / "night").symlink_to(group if target == "absolute" else "../group")
    os.chown(nights / "night", link_owner, -1, follow_symlinks=False)
    os.chown(group, folder_owner, -1)

    if is_followed:
        with pinned(nights / "night" / "a.txt") as file:
            assert file.read_text() == "bom dia"
    else:
        with pytest.raises(ForeignLink) as refused, pinned(nights / "night" / "a.txt"):
            pass
        assert "chown -h" in remedy_of(refused.value)


def test_a_circle_of_links_ends(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")

    with pytest.raises(OSError, match="symbolic links"), pinned(tmp_path / "one" / "a.txt"):
        pass
