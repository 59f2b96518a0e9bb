"""Workers on other machines: the nodes of a Ray cluster read and embed, this process decides and writes."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import islice
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from registry.core.records import EmbeddedSound, Rejected
from registry.core.rejections import Fault
from registry.errors import ClusterUnusable, ModelMismatch
from registry.speech.ray_workers.cluster import Place, connected, places
from registry.speech.ray_workers.dispatcher import Dispatcher, Job
from registry.speech.ray_workers.hand import Embedded, HeldSamples, ModelWanted, NoModel, OtherModel
from registry.speech.runtimes import Runtime
from registry.speech.runtimes.packing import FRAMES_OF_A_PACK, in_place, share_out
from registry.speech.workers import BatchSize, Heard, Pending, Read, Told, batch_size, counted, nobody

TOGETHER_MS = 10 * FRAMES_OF_A_PACK  # of sound that a hand is given at a time: one call of the model

Asked = TypeVar("Asked")
Record = TypeVar("Record")


class RayWorkers:
    """Hands on the nodes of a Ray cluster, one for every CPU, or two for every GPU where there are any.

    The samples stay in the cluster between reading and embedding. What a hand or node that dies was doing is done by
    another hand, at most three times, then each of its clips alone; samples that were lost are read again.
    """

    def __init__(
        self,
        address: str,
        model: Callable[[], tuple[str, str]],
        path_of: Callable[[Any], str],
        runtime: Runtime | None = None,
        count: int | None = None,
    ) -> None:
        """Get ready; the cluster is connected to as soon as there is something to read.

        Args:
            address: As in `registry.speech.ray_workers.cluster.connected`.
            model: Gives the name and the fingerprint of the model, as soon as there is something to embed.
            path_of: The path of what is asked for, to name what fails on all nodes.
            runtime: What is to run the model; None for the fastest on each node.
            count: How many hands; by default as many as the nodes have CPUs, or two for a GPU.
        """
        self._address = address
        self._model = model
        self._path_of = path_of
        self._runtime: Runtime = runtime or "auto"
        self._count = count
        self._open = ExitStack()
        self._started: Dispatcher | None = None
        self._places: list[Place] = []
        self._runtimes: set[str] = set()  # of hands that embedded something

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End all hands, whatever they are doing, and let go of the cluster."""
        self._open.close()

    def hear(self, asked: Iterable[Asked], read: Read[Asked, Record]) -> Iterator[Heard[Record] | Rejected]:
        """Have clips read on the nodes, ahead: by number no more than a batch, and by length not much more."""
        still = iter(asked)
        # After the first it is known how many hands there are.
        under_way = deque(self._begin(read, one) for one in islice(still, 1))
        under_way.extend(self._begin(read, one) for one in islice(still, self.batch.clips - 1))
        while under_way:
            heard = under_way.popleft().result()
            if not under_way or _ready_s(under_way) < self.batch.seconds:
                under_way.extend(self._begin(read, one) for one in islice(still, 1))
            yield heard

    def _begin(self, read: Read[Asked, Record], asked: Asked) -> "Future[Heard[Record] | Rejected]":
        def give_up(cause: str) -> Rejected:
            return Fault.FAILED_ON_NODES.of(self._path_of(asked), cause=cause)

        return self._dispatcher().submit(Job(lambda hand, _: hand.hear.remote(asked, read), give_up, _is_unreadable))

    def embed(self, heard: Sequence[Heard[Any]]) -> Pending:
        """Have clips embedded, several by a hand at a time, where their samples are if a hand is free there."""
        model = ModelWanted(*self._model(), self._runtime)
        kept = [cast("HeldSamples", one.samples) for one in heard]
        shares = share_out([round(one.sound.duration_s * 1000) for one in heard], TOGETHER_MS)

        def begin(share: list[int]) -> "Future[Answer]":
            return self._dispatcher().submit(_embedding([kept[place] for place in share], model))

        return _RayPending(shares, [begin(share) for share in shares], begin, model, self._address, self._runtimes)

    def described(self) -> Mapping[str, object]:
        """Tell the journal what ran the model, in how many hands on how many nodes."""
        if not self._runtimes:
            return {}
        nodes = len({place.node for place in self._places})
        return {"runtime": ", ".join(sorted(self._runtimes)), "workers": len(self._places), "nodes": nodes}

    @property
    def batch(self) -> BatchSize:
        """How much these hands take best at a time."""
        return batch_size(len(self._places))

    def _dispatcher(self) -> Dispatcher:
        if self._started is None:
            self._started = self._start()
        return self._started

    def _start(self) -> Dispatcher:
        ray = self._open.enter_context(connected(self._address))
        self._places = places(ray.nodes(), may_use_gpus=self._runtime != "openvino", count=self._count)
        dispatcher = Dispatcher(ray, self._address, self._places)
        self._open.callback(dispatcher.dismiss)
        thread = self._open.enter_context(ThreadPoolExecutor(1, "dispatch"))
        self._open.callback(dispatcher.stop)
        thread.submit(dispatcher.run).add_done_callback(lambda run: _pass_on(run, dispatcher))
        return dispatcher


@dataclass(frozen=True)
class _Failed:
    """Clips that were given to hands together, and none could do it."""

    cause: str


Answer = list[Embedded] | OtherModel | NoModel | _Failed


@dataclass(frozen=True)
class _RayPending:
    shares: list[list[int]]  # places of the clips that a hand embeds together
    answers: "list[Future[Answer]]"
    again: "Callable[[list[int]], Future[Answer]]"
    model: ModelWanted
    address: str
    runtimes: set[str]  # what ran the model is added to them

    def results(self, told: Told = nobody) -> list[EmbeddedSound | str]:
        asked = zip(self.shares, self.answers, strict=True)
        results = (self._results(share, answer.result()) for share, answer in asked)
        return in_place(self.shares, counted(self.shares, results, told))

    def _results(self, share: list[int], answer: Answer) -> list[EmbeddedSound | str]:
        if isinstance(answer, _Failed):
            return self._alone(share, answer.cause)
        return [self._result(embedded) for embedded in self._insist_on_model(answer)]

    def _alone(self, share: list[int], cause: str) -> list[EmbeddedSound | str]:
        """Find the one among clips that failed together: the others are not to suffer."""
        if len(share) == 1:
            return [f"It could not be embedded on any node: {cause}."]
        answers = [self.again([place]) for place in share]
        return [self._results([place], answer.result())[0] for place, answer in zip(share, answers, strict=True)]

    def _insist_on_model(self, answer: list[Embedded] | OtherModel | NoModel) -> list[Embedded]:
        if isinstance(answer, NoModel):
            raise ClusterUnusable(address=self.address, cause=f"on a node, {answer.cause}")
        if isinstance(answer, OtherModel):
            raise ModelMismatch(
                recorded=f"{self.model.name} ({self.model.fingerprint[:12]})",
                requested=f"{self.model.name} ({answer.fingerprint[:12]}) as a node of the cluster has it",
            )
        return answer

    def _result(self, embedded: Embedded) -> EmbeddedSound | str:
        self.runtimes.add(embedded.runtime)
        return embedded.sound


def _embedding(kept: Sequence[HeldSamples], model: ModelWanted) -> Job:
    def begin(hand: Any, alive: AbstractSet[str]) -> Any:  # noqa: ANN401 - Ray's
        there = [one if one.hand in alive else replace(one, samples=()) for one in kept]
        return hand.embed.remote(there, model)

    return Job(begin, _Failed, near=kept[0].node)


def _is_unreadable(heard: Heard[Any] | Rejected) -> bool:
    """Tell a file that one node may see and another not."""
    return isinstance(heard, Rejected) and heard.reason == "unreadable"


def _ready_s(under_way: Iterable["Future[Heard[Any] | Rejected]"]) -> float:
    """Sum up how much sound was read and not yet taken."""
    ready = [future.result() for future in under_way if future.done()]
    return sum(heard.sound.duration_s for heard in ready if isinstance(heard, Heard))


def _pass_on(run: "Future[None]", dispatcher: Dispatcher) -> None:
    error = run.exception()
    if error is not None:
        dispatcher.fail(error)
