"""An S3 server in this process, and a bucket in it that is spoken to over the network as any other."""

import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest
from fsspec import AbstractFileSystem

REQUEST = re.compile(r"(?P<method>[A-Z]+) /(?P<path>[^ ?]*)")


class Requests(logging.Handler):
    """What the server was asked for, as it logs it."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[tuple[str, str]] = []  # method, and bucket and key

    def emit(self, record: logging.LogRecord) -> None:
        if match := REQUEST.search(record.getMessage()):
            self.all.append((match["method"], unquote(match["path"])))

    def of_files(self) -> list[tuple[str, str]]:
        """All but listings, which name no key, in order of name."""
        return sorted((method, path.partition("/")[2]) for method, path in self.all if "/" in path.rstrip("/"))


@dataclass(frozen=True)
class Bucket:
    url: str
    files: AbstractFileSystem
    asked: Requests

    def upload(self, folder: Path, name: str) -> str:
        """Copy a folder and give its URL."""
        for path in folder.rglob("*"):
            if path.is_file():
                self.files.put_file(str(path), f"{self.url}/{name}/{path.relative_to(folder)}")
        self.asked.all.clear()
        return f"{self.url}/{name}"


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The URL of a server; imported here, as it takes a second that other tests need not wait."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def locked(bucket: Bucket, s3_endpoint: str) -> Iterator[Bucket]:
    """A bucket that refuses the key."""
    _let_in(s3_endpoint, "0")
    yield bucket
    _let_in(s3_endpoint, "inf")


def _let_in(endpoint: str, requests: str) -> None:
    """Say how many requests are answered before keys are looked at."""
    headers = {"Content-Type": "text/plain"}
    urlopen(Request(f"{endpoint}/moto-api/reset-auth", requests.encode(), headers, method="POST")).close()


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """An empty bucket."""
    from s3fs import S3FileSystem

    credentials = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in ({"AWS_ENDPOINT_URL": s3_endpoint, "AWS_CONFIG_FILE": os.devnull} | credentials).items():
        monkeypatch.setenv(name, value)
    S3FileSystem.clear_instance_cache()
    files, name, asked = S3FileSystem(), f"bucket-{uuid4().hex}", Requests()
    files.mkdir(name)
    logger = logging.getLogger("werkzeug")
    monkeypatch.setattr(logger, "level", logging.INFO)
    logger.addHandler(asked)
    yield Bucket(f"s3://{name}", files, asked)
    logger.removeHandler(asked)
    files.rm(name, recursive=True)
    S3FileSystem.clear_instance_cache()
