"""Clips are embedded together, and yet each for itself."""

from collections.abc import Sequence

import numpy as np

from registry.core.records import EmbeddedSound, Floats
from registry.speech.embedder import Embedder
from registry.speech.runtimes.packing import Packing
from registry.speech.workers import BatchSize, Heard, LocalWorkers, batch_size
from tests.sounds import sound

Calls = list[list[int]]


def first_sample(samples: Floats) -> Floats:
    if samples[0] < 0:
        raise ValueError("It is negative.")
    return samples[:1]


def packing_embedder(calls: Calls) -> Embedder:
    """A model whose embedding of a clip is its first sample; takes 10 samples a call, and notes the sizes of each."""

    def infer(clips: Sequence[Floats]) -> Sequence[Floats]:
        calls.append([clip.size for clip in clips])
        return [first_sample(clip) for clip in clips]

    return Embedder("fake", "fake", 1, 1, first_sample, packing=Packing(infer, most_samples=10, gap_samples=1))


def heard(value: float, size: int) -> Heard[str]:
    return Heard(f"{value:g}", sound(f"{value:g}", size / 16_000), np.full(size, value, np.float32))


def embed(calls: Calls, clips: Sequence[Heard[str]]) -> list[object]:
    with LocalWorkers(lambda: packing_embedder(calls), 2) as workers:
        results = workers.embed(clips).results()
    return [float(result.vector[0]) if isinstance(result, EmbeddedSound) else result for result in results]


def test_results_come_in_the_order_asked_for_whatever_was_embedded_together() -> None:
    calls: Calls = []
    clips = [heard(1, 3), heard(2, 9), heard(3, 4), heard(4, 1), heard(5, 25)]

    assert embed(calls, clips) == [1, 2, 3, 4, 5]
    assert sorted(calls) == [[1], [4, 3], [9], [25]]


def test_a_clip_that_cannot_be_embedded_does_not_take_the_others_with_it() -> None:
    assert embed([], [heard(1, 3), heard(-2, 3), heard(0, 2)]) == [
        1,
        "It is negative.",
        "The model fake gives no usable embedding of these samples.",
    ]


def test_without_clips_no_model_is_loaded() -> None:
    with LocalWorkers(lambda: 1 / 0, 1) as workers:  # type: ignore[arg-type, return-value]
        assert workers.embed([]).results() == []


def test_many_workers_get_larger_batches() -> None:
    assert batch_size(1) == batch_size(8) == BatchSize(64, 600)
    assert batch_size(64) == BatchSize(512, 4800)
