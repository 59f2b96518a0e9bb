"""Where hands go, and what is said where there is no cluster."""

import socket
import sys
from typing import Any

import pytest

from registry.errors import ClusterUnusable, RayMissing
from registry.speech.ray_workers.cluster import Place, connected, places


def node(name: str, cpus: int, gpus: int = 0, *, alive: bool = True) -> dict[str, Any]:
    return {"NodeID": name, "Alive": alive, "Resources": {"CPU": float(cpus)} | ({"GPU": float(gpus)} if gpus else {})}


def test_a_hand_for_every_cpu_in_turns() -> None:
    found = places([node("a", 3), node("b", 1), node("gone", 8, alive=False)], may_use_gpus=True, count=None)

    assert found == [Place("a", 0), Place("b", 0), Place("a", 0), Place("a", 0)]


def test_two_hands_for_every_gpu_where_there_are_any() -> None:
    found = places([node("a", 3), node("b", 8, gpus=1)], may_use_gpus=True, count=None)

    assert found == [Place("b", 0.5)] * 2


def test_no_gpu_is_taken_for_a_runtime_that_cannot_use_it() -> None:
    assert places([node("a", 1, gpus=4)], may_use_gpus=False, count=None) == [Place("a", 0)]


def test_no_more_hands_than_asked_for() -> None:
    found = places([node("a", 4), node("b", 4)], may_use_gpus=True, count=3)

    assert [place.node for place in found] == ["a", "b", "a"]


def test_without_ray_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)

    with pytest.raises(RayMissing, match=r"pip install '\.\[ray\]'"), connected("auto"):
        pass


def test_where_nobody_answers_it_is_said_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        address = f"127.0.0.1:{taken.getsockname()[1]}"

        with pytest.raises(ClusterUnusable, match="Connection refused"), connected(address):
            pass
