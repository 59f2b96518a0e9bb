"""Embed many recordings: batch by batch, and those of a batch side by side."""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol, TypeVar

from registry import settings
from registry.audio import SAMPLE_RATE_HZ, Audio
from registry.embedder import Embedder
from registry.store.embeddings import EmbeddedAudio


class Heard(Protocol):
    """Anything with its audio in memory."""

    @property
    def audio(self) -> Audio:
        """Give the audio."""


AnyHeard = TypeVar("AnyHeard", bound=Heard)


def batches(heard: Iterable[AnyHeard]) -> Iterator[list[AnyHeard]]:
    """Cut by number and by length, so that a few hours-long clips do not fill the memory."""
    batch: list[AnyHeard] = []
    seconds = 0.0
    for one in heard:
        batch.append(one)
        seconds += len(one.audio.samples) / SAMPLE_RATE_HZ
        if len(batch) >= settings.EMBEDDING_BATCH_CLIPS or seconds >= settings.EMBEDDING_BATCH_S:
            yield batch
            batch, seconds = [], 0.0
    if batch:
        yield batch


def embed_all(audios: Sequence[Audio], embedder: Embedder) -> list[EmbeddedAudio | str]:
    """Embed audios, in order, or say of each why the model cannot.

    A clip a thread and a core, not all cores on one clip: faster, and the bits do not depend on the cores.
    """
    with ThreadPoolExecutor(max_workers=len(os.sched_getaffinity(0))) as threads:
        return list(threads.map(partial(_embed, embedder=embedder), audios))


def _embed(audio: Audio, embedder: Embedder) -> EmbeddedAudio | str:
    try:
        vector = embedder.embed(audio.samples)
    except ValueError as error:
        return str(error)
    return EmbeddedAudio(audio.audio_hash, audio.duration_s, audio.sample_rate_hz, audio.channels, vector)
