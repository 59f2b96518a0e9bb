"""What works on the nodes of a Ray cluster: a process that reads a clip, or embeds a few together, at a time."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import registry
from registry.core.records import EmbeddedSound, Floats, Rejected, Sound
from registry.errors import RegistryError
from registry.speech.embedder import Embedder, load_embedder
from registry.speech.runtimes import Runtime
from registry.speech.workers import Heard, LocalWorkers, Read

FETCH_S = 5.0  # for samples of another hand, which may just have died; then the file is read again


@dataclass(frozen=True)
class Greeting:
    """The first word of a hand."""

    hand: str  # its id
    version: str  # of speaker-registry on its node


@dataclass(frozen=True)
class ModelWanted:
    """The model that is to embed; a hand loads it by name from what is installed on its node."""

    name: str
    fingerprint: str
    runtime: Runtime


@dataclass(frozen=True)
class HeldSamples:
    """Where the samples of a clip are, and how to get them again should they be lost."""

    asked: object
    read: Read[Any, Any]
    sound: Sound
    node: str  # where it was read
    hand: str  # that read it: the samples are lost with it
    samples: Sequence[object]  # one object reference, wrapped so that Ray does not fetch it; none once they are lost


@dataclass(frozen=True)
class Embedded:
    """An embedding, or why there is none, and what ran the model."""

    sound: EmbeddedSound | str
    runtime: str


@dataclass(frozen=True)
class OtherModel:
    """This node has another model under the name."""

    fingerprint: str


@dataclass(frozen=True)
class NoModel:
    """The model cannot be loaded on this node."""

    cause: str


class Hand:
    """Reads and embeds as this machine does alone, with one thread for each."""

    def __init__(self) -> None:
        self._embedder: Embedder | None = None
        self._local = LocalWorkers(lambda: self._loaded, 1)

    def greet(self) -> Greeting:
        """Tell who this is, and the version of what is installed here."""
        import ray

        return Greeting(ray.get_runtime_context().get_actor_id(), registry.__version__)

    def hear(self, asked: object, read: Read[Any, Any]) -> Heard[Any] | Rejected:
        """Read a clip, as `Read` does; its samples stay in the cluster, a `HeldSamples` takes their place."""
        import ray

        heard = self._hear(asked, read)
        if isinstance(heard, Rejected):
            return heard
        here = ray.get_runtime_context()
        kept = HeldSamples(asked, read, heard.sound, here.get_node_id(), here.get_actor_id(), [ray.put(heard.samples)])
        return Heard(heard.record, heard.sound, kept)

    def embed(self, kept: Sequence[HeldSamples], model: ModelWanted) -> list[Embedded] | OtherModel | NoModel:
        """Embed the samples of clips by just this model.

        Raises:
            OSError: The samples of one are lost, and its file is not there again as it was.
        """
        try:
            embedder = self._load(model)
        except RegistryError as error:
            return NoModel(str(error))
        if embedder.fingerprint != model.fingerprint:
            return OtherModel(embedder.fingerprint)
        pending = self._local.embed([Heard(None, one.sound, self._samples(one)) for one in kept])
        return [Embedded(result, embedder.runtime) for result in pending.results()]

    def _hear(self, asked: object, read: Read[Any, Any]) -> Heard[Any] | Rejected:
        (heard,) = self._local.hear([asked], read)
        return heard

    def _load(self, model: ModelWanted) -> Embedder:
        if self._embedder is None:
            with _one_core():
                self._embedder = load_embedder(model.name, model.runtime)
        return self._embedder

    @property
    def _loaded(self) -> Embedder:
        if self._embedder is None:
            raise AssertionError("Nothing is embedded before its model is loaded.")
        return self._embedder

    def _samples(self, kept: HeldSamples) -> Floats:
        import ray

        if not kept.samples:
            return self._samples_again(kept)
        try:
            samples: Floats = ray.get(kept.samples[0], timeout=FETCH_S)
        except ray.exceptions.RayError:  # lost with the hand or the node that read it
            return self._samples_again(kept)
        return samples

    def _samples_again(self, kept: HeldSamples) -> Floats:
        heard = self._hear(kept.asked, kept.read)
        if isinstance(heard, Rejected):
            raise OSError(heard.message)
        if heard.sound.audio_hash != kept.sound.audio_hash:
            raise OSError("It changed while it was read.")
        samples: Floats = heard.samples  # type: ignore[assignment]  # of local workers
        return samples


@contextmanager
def _one_core() -> Iterator[None]:
    """Let a runtime see one core while it makes its threads: there is a hand for each. The threads may use any."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(cores)[os.getpid() % len(cores)]})
    try:
        yield
    finally:
        for thread in Path("/proc/self/task").iterdir():
            with suppress(ProcessLookupError):  # it ended meanwhile
                os.sched_setaffinity(int(thread.name), cores)
