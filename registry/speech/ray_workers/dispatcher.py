"""Hands out work over the nodes, and hands out again what died with its hand."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition
from typing import Any

import registry
from registry.errors import ClusterUnusable
from registry.speech.ray_workers.cluster import Place
from registry.speech.ray_workers.hand import Hand

TRIES = 3  # of a clip: by then it is not the nodes that fail
AT_A_TIME = 2  # jobs of a hand: one that it does, and the next, so that it never waits
POLL_S = 0.05  # how soon new work is seen while others are busy
START_S = 120.0  # a hand's process imports little, but from a shared disk perhaps, beside many others
PATIENCE_S = 900.0  # for one clip, of an hour perhaps and with the model to be loaded first; then its hand hangs


@dataclass
class Job:
    """Something that any hand can do."""

    begin: Callable[[Any, AbstractSet[str]], Any]  # at a hand, knowing who is alive: gives a reference to the result
    give_up: Callable[[str], Any]  # what comes of it where it fails everywhere; told why
    is_doubtful: Callable[[Any], bool] = lambda _: False  # whether another node should be asked too
    near: str = ""  # the node that has what it needs
    failures: int = 0
    tried: set[str] = field(default_factory=set)  # nodes where it failed
    future: "Future[Any]" = field(default_factory=Future)


@dataclass
class _Hired:
    """A hand, from its start to its end."""

    place: Place
    actor: Any
    greeting: Any  # a reference
    since: float  # when it began what it does now
    name: str = ""  # as it greeted
    jobs: deque[tuple[Job, Any]] = field(default_factory=deque)  # with their references, the first under way

    @property
    def is_ready(self) -> bool:
        return bool(self.name)

    @property
    def awaited(self) -> Any:  # noqa: ANN401 - a reference
        return self.jobs[0][1] if self.is_ready else self.greeting


class Dispatcher:
    """Runs in a thread of its own; jobs come from another."""

    def __init__(self, ray: Any, address: str, places: Sequence[Place]) -> None:  # noqa: ANN401 - the module
        """Start a hand at each place."""
        self._ray = ray
        self._address = address
        self._jobs: deque[Job] = deque()
        self._changed = Condition()
        self._stopped = False
        self._failed: BaseException | None = None
        self._why_gone = "it has no CPU or GPU"
        self._hands = [self._hire(place) for place in places]

    def submit(self, job: Job) -> "Future[Any]":
        """Have a job done, after those before it."""
        with self._changed:
            if self._failed is not None:
                raise self._failed
            self._jobs.append(job)
            self._changed.notify()
        return job.future

    def run(self) -> None:
        """Work until told to stop."""
        while not self._stopped:
            self._insist_on_hands()
            self._hand_out()
            self._await()
            self._let_hanging_go()

    def stop(self) -> None:
        """End `run`, and then all hands."""
        with self._changed:
            self._stopped = True
            self._changed.notify()

    def dismiss(self) -> None:
        """End all hands; what nobody did fails."""
        for hand in self._hands:
            self._ray.kill(hand.actor)

    def fail(self, error: BaseException) -> None:
        """Let everybody who waits, and who comes later, know that nothing will come."""
        with self._changed:
            self._failed = error
            waiting = [*self._jobs, *(job for hand in self._hands for job, _ in hand.jobs)]
        for job in waiting:
            job.future.set_exception(error)

    def _hire(self, place: Place) -> _Hired:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        # No CPU is claimed: several ingests share the nodes, where the second would wait for the first to end.
        strategy = NodeAffinitySchedulingStrategy(place.node, soft=False)
        hand = self._ray.remote(Hand).options(num_cpus=0, num_gpus=place.gpus, scheduling_strategy=strategy)
        actor = hand.remote()
        return _Hired(place, actor, actor.greet.remote(), time.monotonic())

    def _insist_on_hands(self) -> None:
        if not self._hands:
            raise ClusterUnusable(address=self._address, cause=self._why_gone)

    def _hand_out(self) -> None:
        while free := [hand for hand in self._hands if hand.is_ready and len(hand.jobs) < AT_A_TIME]:
            with self._changed:
                if not self._jobs:
                    return
                job = self._jobs.popleft()
            hand = min(free, key=lambda hand: self._reluctance(hand, job))
            if not hand.jobs:
                hand.since = time.monotonic()
            hand.jobs.append((job, job.begin(hand.actor, self._alive())))

    def _alive(self) -> set[str]:
        return {hand.name for hand in self._hands}

    @staticmethod
    def _reluctance(hand: _Hired, job: Job) -> tuple[bool, int, bool]:
        return hand.place.node in job.tried, len(hand.jobs), hand.place.node != job.near

    def _await(self) -> None:
        awaited = {hand.awaited: hand for hand in self._hands if hand.jobs or not hand.is_ready}
        if not awaited:
            with self._changed:
                self._changed.wait_for(lambda: self._jobs or self._stopped)
            return
        references = list(awaited)
        if self._ray.wait(references, num_returns=1, timeout=POLL_S)[0]:
            for reference in self._ray.wait(references, num_returns=len(references), timeout=0)[0]:
                self._take(awaited[reference], reference)

    def _take(self, hand: _Hired, reference: Any) -> None:  # noqa: ANN401 - a reference
        try:
            result = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:  # the hand is well, what it did was not
            self._take_failure(hand, _last_line(error))
        except self._ray.exceptions.RayError as error:
            self._let_go(hand, f"its process or its node died ({_last_line(error)})")
        else:
            self._take_result(hand, result)

    def _take_result(self, hand: _Hired, result: Any) -> None:  # noqa: ANN401 - any job's
        if not hand.is_ready:
            self._insist_on_version(result.version)
            hand.name = result.hand
            return
        job = self._next_of(hand)
        nodes = {other.place.node for other in self._hands if other.is_ready}
        job.tried.add(hand.place.node)
        if job.is_doubtful(result) and nodes - job.tried:
            self._again(job)
        else:
            job.future.set_result(result)

    def _take_failure(self, hand: _Hired, cause: str) -> None:
        self._charge(self._next_of(hand), hand, cause)

    def _next_of(self, hand: _Hired) -> Job:
        job, _ = hand.jobs.popleft()
        hand.since = time.monotonic()
        return job

    def _let_hanging_go(self) -> None:
        now = time.monotonic()
        for hand in list(self._hands):
            if not hand.is_ready and now - hand.since > START_S:
                self._let_go(hand, f"it did not start in {START_S:.0f} s")
            elif hand.jobs and now - hand.since > PATIENCE_S:
                self._let_go(hand, f"no answer in {PATIENCE_S:.0f} s")

    def _let_go(self, hand: _Hired, cause: str) -> None:
        """Part with a hand; one that had worked is replaced. Only what was under way counts as tried."""
        self._ray.kill(hand.actor)
        self._hands.remove(hand)
        self._why_gone = cause
        under_way, waiting = list(hand.jobs)[:1], list(hand.jobs)[1:]
        for job, _ in waiting:
            self._again(job)
        for job, _ in under_way:
            self._charge(job, hand, cause)
        if hand.is_ready:
            self._hands.append(self._hire(hand.place))

    def _charge(self, job: Job, hand: _Hired, cause: str) -> None:
        job.failures += 1
        job.tried.add(hand.place.node)
        if job.failures >= TRIES:
            job.future.set_result(job.give_up(cause))
        else:
            self._again(job)

    def _again(self, job: Job) -> None:
        with self._changed:
            self._jobs.appendleft(job)

    def _insist_on_version(self, version: str) -> None:
        if version != registry.__version__:
            cause = f"a node has version {version} of speaker-registry, this machine {registry.__version__}"
            raise ClusterUnusable(address=self._address, cause=cause)


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else type(error).__name__
