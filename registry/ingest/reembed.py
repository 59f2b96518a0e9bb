"""Fill a second model beside the first: embed by it what the registry holds, batch by batch.

Under the model that decides it catches up with what earlier versions did not do: to measure narrowness.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import tee

from sqlalchemy import Engine

from registry import settings
from registry.core.records import EmbeddedSound, Rejected
from registry.core.rejections import Fault
from registry.corrections.change import Change, Outcome, change
from registry.database.store import clips, embeddings, models, operations, profiles
from registry.database.store.embeddings import LeftAudio
from registry.database.store.operations import Author
from registry.errors import CorrectionRefused
from registry.input.audio import Audio
from registry.input.sources import read_as_taken_in
from registry.input.trust import name_model, stored_path
from registry.progress import Progress, Silent
from registry.speech.batches import batches, one_ahead
from registry.speech.embedder import load_embedder
from registry.speech.runtimes import Runtime
from registry.speech.workers import Heard, LocalWorkers, Pending, Workers


@dataclass(frozen=True)
class Reembedded:
    """What a model has embedded, and what was measured on the way."""

    model: str  # as the registry calls it
    embedded: int  # recordings embedded now
    measured: int  # recordings whose narrowness was not known and is now
    clips_without: int  # clips that it still has no embedding of
    rejected: tuple[Rejected, ...]
    outcome: Outcome

    @property
    def exit_code(self) -> int:
        """0 if all went well, 1 if some recordings could not be read or embedded."""
        return 1 if self.rejected else 0


def reembed(
    engine: Engine,
    model: str,
    author: Author,
    *,
    runtime: Runtime | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Reembedded:
    """Embed by another model every recording that it has not embedded yet, from the files the clips came from.

    Batch by batch, each its own transaction: a killed run keeps what it embedded, and the next takes up the rest. From
    then on the model is kept beside the one that decides; `switch_model` lets it decide.

    By the model that decides also the narrowness is measured of every recording that has none, since an earlier
    version took it in.

    Args:
        engine: The registry's database.
        model: The name of any embedding model, see `load_embedder`.
        author: Who runs this, for the journal.
        runtime: What is to run the model; None for the fastest that can.
        workers: How many recordings to embed side by side; None for as many as there are cores.
        progress: Told how far it is.

    Raises:
        CorrectionRefused: The registry is empty.
        ModelUnavailable, RuntimeUnavailable: The model cannot be loaded, or not be run by this.
    """
    _refuse_empty(engine)
    embedder = load_embedder(model, runtime)
    name_model(embedder.name)
    progress = progress or Silent()
    with engine.begin() as connection:
        operations.lock_registry(connection)
        model_id = models.add_model(connection, embedder.name, embedder.fingerprint, embedder.dimension)
        name = models.name_of(connection, model_id)
        progress.begin(name, embeddings.count_left(connection, model_id))
        read_at_once = settings.REMOTE_READERS if clips.came_from_urls(connection) else 1
    rejected: list[Rejected] = []
    embedded = measured = 0
    with LocalWorkers(lambda: embedder, workers, read_at_once) as hands:
        begin = partial(_begin, hands)
        for batch in one_ahead(map(begin, batches(_hear(engine, model_id, hands, rejected, progress), hands))):
            kept = _keep(engine, model_id, batch, rejected, progress)
            embedded, measured = embedded + kept.embedded, measured + kept.measured
    progress.done()
    outcome, clips_without = _keep_beside(engine, model_id, name, author)
    return Reembedded(name, embedded, measured, clips_without, tuple(rejected), outcome)


def _refuse_empty(engine: Engine) -> None:
    with engine.begin() as connection:
        if models.foundation(connection) is None:
            raise CorrectionRefused(cause="the registry is empty; its first ingest takes --model")


def _hear(
    engine: Engine, model_id: int, workers: Workers, rejected: list[Rejected], progress: Progress
) -> Iterator[Heard[LeftAudio]]:
    """Read what is left, some at a time, so that memory does not grow with the registry."""
    lefts, asked = tee(_all_left(engine, model_id))
    for left, heard in zip(lefts, workers.hear(asked, read_left), strict=True):
        if isinstance(heard, Rejected):
            rejected += [heard] if left.is_heard else []  # what was undone need not be there
            progress.advance(1)
        else:
            yield heard


def _all_left(engine: Engine, model_id: int) -> Iterator[LeftAudio]:
    after = 0
    while left := _next_left(engine, model_id, after):
        yield from left
        after = left[-1].audio_id


def _next_left(engine: Engine, model_id: int, after: int) -> list[LeftAudio]:
    with engine.begin() as connection:
        return embeddings.next_left(connection, model_id, after, settings.EMBEDDING_BATCH_CLIPS)


def read_left(left: LeftAudio) -> tuple[LeftAudio, Audio] | Rejected:
    """Read a recording from the first of its files that is still what it was, or say what is wrong with them."""
    faults: list[Rejected] = []
    for path, sha256 in left.sources:
        audio = read_as_taken_in(stored_path(path), sha256, left.audio_hash)
        if isinstance(audio, Audio):
            return left, audio
        faults.append(audio)
    return next((fault for fault in faults if fault.reason == "changed"), faults[0])


@dataclass(frozen=True)
class _Batch:
    """Recordings that were read, and of which some are being embedded."""

    narrowness: dict[str, float]  # by audio hash, of all
    left: list[LeftAudio]  # those that are being embedded
    pending: Pending


def _begin(workers: Workers, batch: list[Heard[LeftAudio]]) -> _Batch:
    narrowness = {heard.record.audio_hash: heard.sound.narrowness for heard in batch}
    missing = [heard for heard in batch if not heard.record.is_embedded]
    return _Batch(narrowness, [heard.record for heard in missing], workers.embed(missing))


@dataclass(frozen=True)
class _Kept:
    """How many recordings of a batch were new in which way."""

    embedded: int
    measured: int


def _keep(engine: Engine, model_id: int, batch: _Batch, rejected: list[Rejected], progress: Progress) -> _Kept:
    """Wait for a batch and write it; count what was kept. What the model cannot embed is added to `rejected`."""
    progress.advance(len(batch.narrowness) - len(batch.left))
    results = batch.pending.results(progress.advance)
    ready = [result for result in results if isinstance(result, EmbeddedSound)]
    with engine.begin() as connection:
        operations.lock_registry(connection)  # nobody computes profiles from half of it, or forgets meanwhile
        embeddings.add_vectors(connection, model_id, ready)
        profiles.drop(connection, model_id, [embedded.sound.audio_hash for embedded in ready])
        measured = embeddings.measure(connection, batch.narrowness)
        profiles.follow_narrowness(connection, [one for one in measured if batch.narrowness[one]])
    for left, cause in zip(batch.left, results, strict=True):
        if isinstance(cause, str) and left.is_heard:
            rejected.append(Fault.NO_EMBEDDING_BESIDE.of(left.sources[0][0], cause=cause))
    return _Kept(len(ready), len(measured))


def _keep_beside(engine: Engine, model_id: int, name: str, author: Author) -> tuple[Outcome, int]:
    """Complete the profiles, also of a run that is not journalled, and note what the model is for."""
    with engine.begin() as connection:
        operations.lock_registry(connection)
        profiles.complete(connection, model_id)
        clips_without = embeddings.clips_without(connection, model_id)

    def act(under_way: Change) -> Mapping[str, object]:
        models.put_beside(under_way.connection, model_id, under_way.operation_id)
        return {"model": name, "clips_without": clips_without}

    return change(engine, author, "reembed", act), clips_without
