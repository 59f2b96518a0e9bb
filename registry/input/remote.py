"""Files and folders that a URL names, s3:// above all, reached by fsspec: as much of pathlib as input takes."""

import errno
import os
import re
import stat
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import Any, TypeVar

from registry import settings
from registry.errors import RemoteMissing
from registry.files.pinned import pinned

URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
# What the schemes call the time a file was written.
WRITTEN = ("LastModified", "last_modified", "mtime", "modified", "updated", "created")
ERRNO_OF = ((FileNotFoundError, errno.ENOENT), (PermissionError, errno.EACCES), (TimeoutError, errno.ETIMEDOUT))
NS = 1_000_000_000
Asked = TypeVar("Asked")
Result = TypeVar("Result")


@dataclass(frozen=True, order=True)
class RemotePath:
    """A file or folder named by a URL. All that goes wrong with it is an `OSError` that tells the cause."""

    url: str
    listed: os.stat_result | None = field(default=None, compare=False, repr=False)  # as its folder showed it

    def __str__(self) -> str:
        """Give the URL, which is how the registry stores it."""
        return self.url

    @property
    def name(self) -> str:
        """The last part."""
        return self.url.rpartition("/")[2]

    @property
    def stem(self) -> str:
        """The last part without its suffix."""
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        """The suffix, such as .wav."""
        return PurePosixPath(self.name).suffix

    def absolute(self) -> "RemotePath":
        """Give itself: there is no current folder."""
        return self

    def is_dir(self) -> bool:
        """Tell whether it is a folder."""
        return stat.S_ISDIR(self.stat().st_mode)

    def stat(self) -> os.stat_result:
        """Give type, size and time of writing: as its folder listed them where that was asked, else as they are now."""
        return self.listed or _status(_ask(self.url, "info"))

    def iterdir(self) -> Iterator["RemotePath"]:
        """List what is in the folder, with one request for many files.

        Raises:
            OSError: There is no such folder, or it cannot be listed.
        """
        here = _ask(self.url, "_strip_protocol").rstrip("/")
        for info in _ask(self.url, "ls", detail=True):
            path = info["name"].rstrip("/")
            if path.lstrip("/") != here.lstrip("/"):
                yield RemotePath(f"{self.url.rstrip('/')}/{path.rpartition('/')[2]}", _status(info))
            elif path == info["name"] and info["type"] == "file":  # with a slash it marks an empty folder
                raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), self.url)

    def fetch(self, to: Path) -> None:
        """Copy the whole file, with one request where it is small.

        Raises:
            OSError: It is not there, or holds more than any clip.
        """
        _ask(self.url, "get_file", str(to), callback=_at_most(settings.MAX_AUDIO_BYTES))


AnyPath = Path | RemotePath


def is_remote(address: str) -> bool:
    """Tell a URL from a path."""
    return URL.match(address) is not None


def to_path(address: str) -> AnyPath:
    """Make a URL a `RemotePath` and all else a `Path`, which would make one slash of two."""
    match = URL.match(address)
    return Path(address) if match is None else RemotePath(match[0] + address[match.end() :].rstrip("/"))


@contextmanager
def at_hand(path: AnyPath, *, is_named_by_user: bool = False) -> Iterator[Path]:
    """Give a file as a local one that stays the same as long as this lasts: itself, or a copy of a remote one.

    Args:
        path: The file.
        is_named_by_user: It was not found in a folder; so a link may lead anywhere.

    Raises:
        OSError: It is not there, cannot be fetched, is no regular file, or a link that leads out of its folder.
    """
    if isinstance(path, Path):
        with pinned(path, is_named_by_user=is_named_by_user) as file:
            yield file
        return
    with TemporaryFile(prefix="registry-") as copy:  # nameless: nothing is left of it if the run is killed
        local = Path(f"/proc/self/fd/{copy.fileno()}")
        path.fetch(local)
        yield local


def in_order(do: Callable[[Asked], Result], asked: Iterable[Asked], at_once: int) -> Iterator[Result]:
    """Do something with each, several at once for what is far away, and give the results in order."""
    if at_once == 1:
        yield from map(do, asked)
        return
    still = iter(asked)
    with ThreadPoolExecutor(at_once, "remote") as threads:
        under_way = deque(threads.submit(do, one) for one in islice(still, 2 * at_once))
        while under_way:
            yield under_way.popleft().result()
            under_way.extend(threads.submit(do, one) for one in islice(still, 1))


def readers(addresses: Iterable[AnyPath | str]) -> int:
    """Say how many files to read at once: one where all are on disks, more where any is far away."""
    return settings.REMOTE_READERS if any(is_remote(str(address)) for address in addresses) else 1


def _at_most(size_bytes: int) -> Any:  # noqa: ANN401 - fsspec is untyped
    """Make what fsspec tells how much it has fetched, and what stops it: an object may be larger than it was listed."""
    from fsspec.callbacks import Callback

    class AtMost(Callback):  # type: ignore[misc]  # see above
        def relative_update(self, inc: int = 1) -> None:
            super().relative_update(inc)
            if self.value > size_bytes:
                raise OSError(errno.EFBIG, f"it holds more than {size_bytes} bytes")

    return AtMost()


def _ask(url: str, what: str, *arguments: object, **options: object) -> Any:  # noqa: ANN401 - fsspec is untyped
    from fsspec.core import url_to_fs

    try:
        files, path = url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise RemoteMissing(url=url, cause=error) from error
    with _told_as_os_error(url, path):
        files.invalidate_cache()  # what it was told before is of no use: somebody may have written since
        return getattr(files, what)(path, *arguments, **options)


@contextmanager
def _told_as_os_error(url: str, path: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # every scheme has errors of its own
        number = next((number for kind, number in ERRNO_OF if isinstance(error, kind)), errno.EIO)
        said = " ".join(str(getattr(error, "strerror", None) or error).split()).rstrip(".")
        raise OSError(number, os.strerror(number) if said in ("", path) else said, url) from error


def _status(info: Mapping[str, Any]) -> os.stat_result:
    kind = stat.S_IFDIR if info["type"] == "directory" else stat.S_IFREG
    mtime_ns = _mtime_ns(info)
    return os.stat_result((kind, 0, 0, 1, 0, 0, info["size"] or 0, 0, mtime_ns // NS, 0), {"st_mtime_ns": mtime_ns})


def _mtime_ns(info: Mapping[str, Any]) -> int:
    """Give the second in which a file was written; the rest tells versions of one second apart, by their ETags.

    Where object stores show parts of a second at all, they do so in a listing and not for a single object.
    """
    written = next((info[key] for key in WRITTEN if info.get(key)), 0)
    seconds = int(written.timestamp() if hasattr(written, "timestamp") else written)
    return seconds * NS + zlib.crc32(str(info.get("ETag", "")).encode()) % NS
