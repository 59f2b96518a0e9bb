"""What a person of this machine named: a row of the database, or a plan, may not choose what is run or fetched here.

A model's file is a program, and a URL is a request to a host. Those that a command line named are remembered, as ssh
remembers hosts; the settings REGISTRY_MODELS and REGISTRY_SOURCES name more.
"""

import errno
import os
import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal, NoReturn

import platformdirs

from registry.errors import ModelUnnamed, SettingUnreadable, SourceUnnamed
from registry.files import private_files
from registry.input.model_names import INSIDE, recorded_name
from registry.input.remote import AnyPath, RemotePath, to_path

Kind = Literal["models", "sources"]
SETTINGS: dict[Kind, str] = {"models": "REGISTRY_MODELS", "sources": "REGISTRY_SOURCES"}
REFUSED = "nobody of this machine named this URL: put it, or one above it, into REGISTRY_SOURCES"

named_here: defaultdict[Kind, set[str]] = defaultdict(set)  # by this process, also where nothing can be kept


class UnnamedPath(RemotePath):
    """A URL that only the database names: nothing is asked of it."""

    def stat(self) -> NoReturn:
        """Refuse."""
        raise PermissionError(errno.EACCES, REFUSED, self.url)

    def iterdir(self) -> Iterator[RemotePath]:
        """Refuse."""
        raise PermissionError(errno.EACCES, REFUSED, self.url)

    def fetch(self, to: Path) -> None:  # noqa: ARG002 - nothing is copied there
        """Refuse."""
        raise PermissionError(errno.EACCES, REFUSED, self.url)


def stored_path(address: str) -> AnyPath:
    """Make a path of what the database holds; a URL that nobody of this machine named refuses once it is read."""
    path = to_path(address)
    return UnnamedPath(path.url) if isinstance(path, RemotePath) and not _is_named_source(path.url) else path


def insist_on_source(url: str) -> None:
    """Refuse to fetch from anywhere but below the URLs that a person of this machine named.

    Raises:
        SourceUnnamed: Nobody named it.
        SettingUnreadable: REGISTRY_SOURCES is no list of words.
    """
    if not _is_named_source(url):
        raise SourceUnnamed(url=url)


def insist_on_model(name: str) -> str:
    """Give the name back if a person of this machine named this model, or if it comes with the packages.

    Raises:
        ModelUnnamed: Nobody did.
        SettingUnreadable: REGISTRY_MODELS is no list of words.
    """
    if name not in INSIDE and name not in _named("models"):
        raise ModelUnnamed(model=name)
    return name


def is_program_trusted(name: str) -> bool:
    """Tell whether a model's file may be run, not only read: the setting names it."""
    return name in _in_environment("models")


def name_model(name: str) -> None:
    """Note that a command line named a model."""
    if name not in INSIDE:
        _remember("models", [name])


def name_sources(paths: Iterable[AnyPath]) -> None:
    """Note which of the paths of a command line are URLs."""
    _remember("sources", [path.url for path in paths if isinstance(path, RemotePath)])


def is_below(url: str, place: str) -> bool:
    """Tell whether a URL is a place, or below it; a step up is not, nor is a URL inside a URL, as fsspec takes them."""
    place = place.rstrip("/")
    return (url == place or url.startswith(f"{place}/")) and ".." not in url.split("/") and "::" not in url


def _is_named_source(url: str) -> bool:
    return any(is_below(url, place) for place in _named("sources"))


def _named(kind: Kind) -> set[str]:
    return _in_environment(kind) | named_here[kind] | set(_remembered(kind))


def _in_environment(kind: Kind) -> set[str]:
    setting = SETTINGS[kind]
    try:
        words = shlex.split(os.environ.get(setting, ""))
    except ValueError as error:
        raise SettingUnreadable(setting=setting, cause=error) from error
    return {recorded_name(word) for word in words} if kind == "models" else set(words)


def _remember(kind: Kind, names: Iterable[str]) -> None:
    new = {name for name in names if "\n" not in name} - _named(kind)
    if not new:
        return
    named_here[kind] |= new
    path = _path(kind)
    with suppress(OSError):
        if private_files.made_private(path.parent):
            with private_files.alone_in(path.parent):
                lines = "".join(f"{name}\n" for name in sorted({*_remembered(kind), *new}))
                private_files.write(path, lines.encode("utf-8", "surrogateescape"))


def _remembered(kind: Kind) -> list[str]:
    path = _path(kind)
    # Whoever else could write it would name what is run here.
    if not (private_files.is_private(path.parent) and private_files.is_ours_alone(path)):
        return []
    with suppress(OSError):
        return path.read_text(encoding="utf-8", errors="surrogateescape").split("\n")[:-1]
    return []


def _path(kind: Kind) -> Path:
    return platformdirs.user_state_path("speaker-registry") / kind
