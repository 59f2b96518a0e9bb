"""The Ray cluster: connecting to it quietly, and how many hands each node can take."""

import logging
import os
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any

from registry.errors import ClusterUnusable, RayMissing

PROBE_S = 5.0  # for an answer at HOST:PORT; Ray by itself would try for minutes, and print
HANDS_PER_GPU = 2  # one decodes while the other embeds
LOCAL = "local"


@dataclass(frozen=True)
class Place:
    """Where a hand works."""

    node: str  # its id
    gpus: float  # its share of one; 0 where it works on a CPU


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Connect to a cluster and give the module ray; what is open already in this process stays so.

    Args:
        address: "auto" for the cluster of this machine, HOST:PORT, ray://HOST:PORT, or "local" for a cluster of this
            machine alone that lasts as long as the connection.

    Raises:
        RayMissing: The extra is not installed.
        ClusterUnusable: There is no such cluster.
    """
    ray = _import_ray()
    if ray.is_initialized():
        yield ray
        return
    _begin(ray, address)
    try:
        yield ray
    finally:
        ray.shutdown()


def _import_ray() -> Any:  # noqa: ANN401 - the module, untyped where it is not installed
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # what will be the default; else it warns
    try:
        import ray
    except ImportError as error:
        raise RayMissing from error
    return ray


def _begin(ray: Any, address: str) -> None:  # noqa: ANN401 - as above
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address == LOCAL:
        options |= {"include_dashboard": False, "num_cpus": len(os.sched_getaffinity(0))}
    on_end = signal.getsignal(signal.SIGTERM)
    try:
        _probe(address)
        ray.init(address=address, **options)
    except (OSError, ValueError, RuntimeError) as error:
        raise ClusterUnusable(address=address, cause=" ".join(str(error).split()).rstrip(".")) from error
    # What becomes of lost processes we tell ourselves; Ray would tell it on standard output, in the midst of --json.
    ray._private.worker._worker_logs_enabled = False  # noqa: SLF001 - log_to_driver does not silence this
    signal.signal(signal.SIGTERM, on_end)  # Ray puts its own in place, which would pass by whoever started us


def _probe(address: str) -> None:
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), PROBE_S).close()


def places(nodes: Sequence[dict[str, Any]], *, may_use_gpus: bool, count: int | None) -> list[Place]:
    """Say where hands are to work: on the GPUs where there are any, else on the CPUs; a hand on every node first.

    Args:
        nodes: As `ray.nodes()` lists them.
        may_use_gpus: Whether the model can run on a GPU.
        count: How many hands; None for as many as the nodes have CPUs, or two for a GPU.
    """
    alive = [node for node in nodes if node["Alive"]]
    has_gpus = may_use_gpus and any(node["Resources"].get("GPU") for node in alive)
    by_node = [_places_of(node, on_gpus=has_gpus) for node in alive]
    in_turn = [place for place in chain(*zip_longest(*by_node)) if place is not None]
    return in_turn[:count]


def _places_of(node: dict[str, Any], *, on_gpus: bool) -> list[Place]:
    if on_gpus:
        return [Place(node["NodeID"], 1 / HANDS_PER_GPU)] * (HANDS_PER_GPU * int(node["Resources"].get("GPU", 0)))
    return [Place(node["NodeID"], 0)] * int(node["Resources"].get("CPU", 0))
