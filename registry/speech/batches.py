"""Embed many recordings batch by batch, so that one is read, one is embedded and one is written at the same time."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from registry.speech.workers import Heard, Workers

AnyHeard = TypeVar("AnyHeard", bound=Heard[Any])
Begun = TypeVar("Begun")


def batches(heard: Iterable[AnyHeard], workers: Workers) -> Iterator[list[AnyHeard]]:
    """Cut by number and by length, so that a few hours-long clips do not fill the memory."""
    batch: list[AnyHeard] = []
    seconds = 0.0
    for one in heard:
        batch.append(one)
        seconds += one.sound.duration_s
        if len(batch) >= workers.batch.clips or seconds >= workers.batch.seconds:
            full, batch, seconds = batch, [], 0.0
            yield full
            del full  # whoever took it may be done with it before the next is full
    if batch:
        yield batch


def one_ahead(begun: Iterable[Begun]) -> Iterator[Begun]:
    """Give each when the next has begun too: while the one is waited for and written, the other is under way."""
    under_way: deque[Begun] = deque()
    for following in begun:
        under_way.append(following)
        if len(under_way) > 1:
            yield under_way.popleft()
    yield from under_way
