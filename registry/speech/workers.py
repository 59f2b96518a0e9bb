"""Who reads and embeds clips: here threads, so that decoding, the model and the database overlap."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import count as counting
from itertools import islice
from threading import Event
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar, cast

from registry import settings
from registry.core.records import EmbeddedSound, Floats, Rejected, Sound
from registry.input.audio import Audio
from registry.speech.embedder import Embedder
from registry.speech.read_ahead import ReadAhead
from registry.speech.runtimes.packing import in_place

Asked = TypeVar("Asked")
Record = TypeVar("Record")
Asked_contra = TypeVar("Asked_contra", contravariant=True)
Record_co = TypeVar("Record_co", covariant=True)
Given = TypeVar("Given")
Got = TypeVar("Got")


class Read(Protocol[Asked_contra, Record_co]):
    """A function at the top of a module, so that it can be called in another process."""

    def __call__(self, asked: Asked_contra, /) -> tuple[Record_co, Audio] | Rejected:
        """Read what was asked for, and note what there is to note about it; or say why it cannot be used."""


@dataclass(frozen=True)
class Heard(Generic[Record]):
    """A clip that was read: the samples stay with the workers, for the database is asked first whether to embed it."""

    record: Record
    sound: Sound
    samples: object  # a handle, to be given back to the workers that gave it


@dataclass(frozen=True)
class BatchSize:
    """How much is read ahead, embedded and written at a time; what is reached first counts."""

    clips: int
    seconds: float


def batch_size(workers: int) -> BatchSize:
    """Give many workers enough to do."""
    times = max(1.0, workers / settings.EMBEDDING_BATCH_WORKERS)
    return BatchSize(round(settings.EMBEDDING_BATCH_CLIPS * times), settings.EMBEDDING_BATCH_S * times)


Told = Callable[[int], object]


def nobody(_: int) -> None:
    """Hear how many are done and do nothing."""


def counted(
    shares: Iterable[Sequence[int]], results: Iterable[list[EmbeddedSound | str]], told: Told
) -> Iterator[list[EmbeddedSound | str]]:
    """Tell of each share that is done how many clips are in it."""
    for share, result in zip(shares, results, strict=True):
        told(len(share))
        yield result


class Pending(Protocol):
    """Embeddings under way."""

    def results(self, told: Told = nobody) -> list[EmbeddedSound | str]:
        """Wait for the embeddings, in the order asked for; of an audio the model cannot embed, why.

        Args:
            told: Called now and then with how many more are done.

        Raises:
            Exception: What broke a worker.
        """


class Workers(Protocol):
    """Whoever reads and embeds; all calls come from one thread."""

    @property
    def batch(self) -> BatchSize:
        """How much these workers take best at a time; known once something was read."""

    def hear(self, asked: Iterable[Asked], read: Read[Asked, Record]) -> Iterator[Heard[Record] | Rejected]:
        """Read ahead, at most a batch, and give everything in the order asked for."""

    def embed(self, heard: Sequence[Heard[Any]]) -> Pending:
        """Begin to embed; does not wait."""

    def described(self) -> Mapping[str, object]:
        """Tell the journal who embedded: "runtime" and "workers"; nothing as long as nothing was embedded."""


class LocalWorkers:
    """Threads of this process: one reads, or several from far away, the others embed, a call of the model a core.

    Faster than all cores on one clip, and no bit depends on how many there are.
    """

    def __init__(self, load: Callable[[], Embedder], count: int | None = None, readers: int = 1) -> None:
        """Get ready.

        Args:
            load: Gives the model, as soon as there is something to embed.
            count: How many clips to embed side by side; by default as many as this process may use cores.
            readers: How many clips to read side by side.
        """
        self._load = load
        self._count = count or len(os.sched_getaffinity(0))
        self._loaded: Embedder | None = None
        self._stopped = Event()
        self.batch = batch_size(self._count)
        self._ahead = ReadAhead(self.batch.seconds)
        self._turns = counting()
        self._reader = ThreadPoolExecutor(readers, "read")
        self._embedding = ThreadPoolExecutor(self._count, "embed")

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End all threads; each ends what it has begun, of a long clip the piece."""
        self._stopped.set()
        self._ahead.stop()
        self._reader.shutdown(wait=False, cancel_futures=True)
        self._embedding.shutdown(cancel_futures=True)
        self._reader.shutdown()

    def hear(self, asked: Iterable[Asked], read: Read[Asked, Record]) -> Iterator[Heard[Record] | Rejected]:
        """Read ahead in threads of their own, and give everything in the order asked for.

        At most `batch.clips` clips, and `batch.seconds` of sound, are read and not yet taken; a clip that is being read
        does not count.
        """
        still = iter(asked)
        under_way = deque(self._begin(read, one) for one in islice(still, self.batch.clips))
        while under_way:
            heard = under_way.popleft().result()
            under_way.extend(self._begin(read, one) for one in islice(still, 1))
            self._ahead.take(_duration_s(heard))
            yield heard

    def _begin(self, read: Read[Asked, Record], asked: Asked) -> "Future[Heard[Record] | Rejected]":
        return self._reader.submit(self._read, read, asked, next(self._turns))

    def _read(self, read: Read[Asked, Record], asked: Asked, turn: int) -> Heard[Record] | Rejected:
        self._ahead.wait(turn)
        heard = _heard(read(asked))
        self._ahead.add(_duration_s(heard))
        return heard

    def embed(self, heard: Sequence[Heard[Any]]) -> Pending:
        """Hand clips to the threads, as many together as the model takes best."""
        if not heard:
            return _LocalPending([], [])
        embedder = self._embedder()
        shares = embedder.share_out([_samples(one).size for one in heard])
        given = [[heard[place] for place in share] for share in shares]
        return _LocalPending(shares, [self._embedding.submit(_embed, embedder, some) for some in given])

    def _embedder(self) -> Embedder:
        if self._loaded is None:
            self._loaded = _until(self._stopped, self._load())
        return self._loaded

    def described(self) -> Mapping[str, object]:
        """Tell the journal what ran the model, and in how many threads."""
        return {} if self._loaded is None else {"runtime": self._loaded.runtime, "workers": self._count}


@dataclass(frozen=True)
class _LocalPending:
    shares: list[list[int]]  # places of the clips that are embedded together
    futures: "list[Future[list[EmbeddedSound | str]]]"

    def results(self, told: Told = nobody) -> list[EmbeddedSound | str]:
        return in_place(self.shares, counted(self.shares, (future.result() for future in self.futures), told))


def _heard(read: tuple[Record, Audio] | Rejected) -> Heard[Record] | Rejected:
    if isinstance(read, Rejected):
        return read
    record, audio = read
    return Heard(record, audio.sound, audio.samples)


def _duration_s(heard: Heard[Any] | Rejected) -> float:
    return 0.0 if isinstance(heard, Rejected) else heard.sound.duration_s


def _until(stopped: Event, embedder: Embedder) -> Embedder:
    """Let go of a clip of an hour between two of its pieces."""

    def or_stop(infer: Callable[[Given], Got]) -> Callable[[Given], Got]:
        def infer_or_stop(given: Given) -> Got:
            if stopped.is_set():
                raise InterruptedError("The run was ended.")
            return infer(given)

        return infer_or_stop

    packing = embedder.packing and replace(embedder.packing, infer=or_stop(embedder.packing.infer))
    return replace(embedder, infer=or_stop(embedder.infer), packing=packing)


def _embed(embedder: Embedder, heard: Sequence[Heard[Any]]) -> list[EmbeddedSound | str]:
    try:
        vectors = embedder.embed_together([_samples(one) for one in heard])
    except ValueError as error:
        if len(heard) == 1:
            return [str(error)]
        return [result for one in heard for result in _embed(embedder, [one])]  # the others are not to suffer
    given = zip(heard, vectors, strict=True)
    return [vector if isinstance(vector, str) else EmbeddedSound(one.sound, vector) for one, vector in given]


def _samples(heard: Heard[Any]) -> Floats:
    return cast("Floats", heard.samples)  # these workers' own handle
