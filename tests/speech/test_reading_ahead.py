"""Reading ahead: in order, bounded, and never so that the clip that is waited for waits itself."""

import threading

import numpy as np
import pytest

from registry import settings
from registry.core.records import Rejected
from registry.input.audio import Audio
from registry.speech.embedder import Embedder
from registry.speech.workers import Heard, LocalWorkers
from tests.sounds import sound

LONG_S = settings.EMBEDDING_BATCH_S  # one is as much as may wait


def audio(number: int, duration_s: float) -> Audio:
    return Audio(np.zeros(1, np.float32), sound(str(number), duration_s))


def no_model() -> Embedder:
    raise AssertionError("nothing is to be embedded")


@pytest.mark.parametrize("readers", [1, 8])
def test_clips_come_in_the_order_asked_for(readers: int) -> None:
    def read(number: int) -> tuple[int, Audio] | Rejected:
        return (number, audio(number, 1.0)) if number % 3 else Rejected(str(number), "silent", "")

    with LocalWorkers(no_model, 1, readers) as workers:
        heard = list(workers.hear(range(200), read))

    assert [one.record if isinstance(one, Heard) else int(one.path) for one in heard] == list(range(200))


def test_a_slow_clip_is_not_locked_out_by_long_ones_behind_it() -> None:
    overtaken = threading.Event()

    def read(number: int) -> tuple[int, Audio]:
        if number == 0:
            overtaken.wait(30)
        elif number == 1:
            overtaken.set()
        return number, audio(number, LONG_S)

    with LocalWorkers(no_model, 1, 2) as workers:
        heard = list(workers.hear(range(10), read))

    assert [one.record for one in heard if isinstance(one, Heard)] == list(range(10))


def test_readers_wait_while_enough_was_read() -> None:
    read_so_far: list[int] = []

    def read(number: int) -> tuple[int, Audio]:
        read_so_far.append(number)
        return number, audio(number, LONG_S)

    with LocalWorkers(no_model, 1, 4) as workers:
        hearing = workers.hear(range(64), read)
        next(hearing)
        next(hearing)

    assert len(read_so_far) <= 2 + 2 * 4
