"""What an attacker lays out, and what ends a test that falls for it."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest


class Program:
    """What a checkpoint may hold: unpickled, it makes a folder."""

    def __init__(self, made: Path) -> None:
        self.made = str(made)

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (self.made,)


@pytest.fixture
def in_time() -> Iterator[None]:
    """End a test that waits, or reads, for ever."""

    def stop(*_: object) -> None:
        raise AssertionError("it goes on for ever")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(120)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
