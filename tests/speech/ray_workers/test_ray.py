"""Two nodes end with what one machine ends with, also where a process or a node dies on the way."""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from sqlalchemy import Engine

from registry.core.records import EmbeddedSound, Rejected
from registry.database.check import check
from registry.database.store.models import lay_foundation
from registry.errors import ModelMismatch
from registry.ingest import ingest
from registry.ingest.options import IngestOptions
from registry.ingest.read import read_new
from registry.input.scan import scan
from registry.speech.embedder import load_embedder
from registry.speech.ray_workers import RayWorkers
from registry.speech.workers import Heard, Read
from tests.conftest import AUTHOR, MakeClip
from tests.speech.ray_workers.conftest import CLIPS, State, TwoNodes, state, two_nodes


class Act:
    """A progress that does something as soon as the first clips are embedded."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act
        self.is_done = False

    def begin(self, what: str, total: int) -> None: ...

    def advance(self, steps: int) -> None:
        if steps and not self.is_done:
            self.is_done = True
            self._act()

    def done(self) -> None: ...


def assert_same(found: State, expected: State) -> None:
    unit = [vectors / np.linalg.norm(vectors, axis=1, keepdims=True) for vectors in (found.vectors, expected.vectors)]
    cosines = np.sum(unit[0].astype(np.float64) * unit[1], axis=1)

    assert len(found.clips) == sum(CLIPS.values())
    assert found.clips == expected.clips
    assert found.speakers == expected.speakers
    assert cosines.min() >= 1 - 1e-5


def hands() -> list[int]:
    """The processes of hands that this process started, by their ids."""
    paths = Path("/proc").glob("[0-9]*/cmdline")
    found = [int(path.parent.name) for path in paths if title(path).startswith(b"ray::Hand")]
    return [process for process in found if os.getpid() in ancestors(process)]


def title(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it ended meanwhile
        return b""


def ancestors(process: int) -> Iterator[int]:
    while process > 1:
        process = int(Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
        yield process


def test_two_nodes_end_with_the_same(cluster: TwoNodes, engine: Engine, nights: Path, local: State) -> None:
    report = ingest(engine, [nights], AUTHOR, IngestOptions(ray=cluster.address))
    found = state(engine)

    assert report.rejected == ()
    assert_same(found, local)
    assert found.summaries[0]["nodes"] == found.summaries[0]["workers"] == 2
    assert check(engine) == []


def test_a_node_that_is_lost_costs_nothing(engine: Engine, nights: Path, local: State) -> None:
    with two_nodes() as cluster:
        loss = Act(cluster.remove_one)
        report = ingest(engine, [nights], AUTHOR, IngestOptions(ray=cluster.address), loss)

    assert loss.is_done
    assert report.rejected == ()
    assert_same(state(engine), local)
    assert check(engine) == []


def test_a_process_that_is_killed_costs_nothing_and_prints_nothing(
    cluster: TwoNodes, engine: Engine, nights: Path, local: State, capfd: pytest.CaptureFixture[str]
) -> None:
    killed: list[int] = []

    def kill_one() -> None:
        killed.extend(hands()[:1])
        os.kill(killed[0], signal.SIGKILL)

    capfd.readouterr()
    report = ingest(engine, [nights], AUTHOR, IngestOptions(ray=cluster.address), Act(kill_one))

    assert capfd.readouterr() == ("", "")
    assert len(killed) == 1
    assert report.rejected == ()
    assert_same(state(engine), local)
    assert check(engine) == []


def test_a_clip_that_fails_everywhere_is_rejected_and_the_next_is_read(
    cluster: TwoNodes, indir: Path, make_clip: MakeClip
) -> None:
    make_clip("c1")
    ((_, found),) = scan([indir]).groups.items()
    with RayWorkers(cluster.address, no_model, str) as workers:
        (killed,) = workers.hear([1], cast("Read[int, object]", os._exit))  # as a fault of a decoder ends a process
        (failed,) = workers.hear(["clip.wav"], cast("Read[str, object]", int))  # which raises
        (heard,) = workers.hear(found.pairs.values(), read_new)

    assert isinstance(killed, Rejected)
    assert (killed.path, killed.reason) == ("1", "failed")
    assert isinstance(failed, Rejected)
    assert "invalid literal" in failed.message
    assert isinstance(heard, Heard)


def test_a_clip_that_cannot_be_embedded_does_not_take_those_beside_it_with_it(
    cluster: TwoNodes, indir: Path, make_clip: MakeClip
) -> None:
    paths = [make_clip(f"c{number}", 300 + 100 * number) for number in range(3)]
    ((_, found),) = scan([indir]).groups.items()
    model = "campplus", load_embedder().fingerprint
    with RayWorkers(cluster.address, lambda: model, str) as workers:
        heard = [one for one in workers.hear(found.pairs.values(), read_new) if isinstance(one, Heard)]
        paths[1].unlink()
        lost = replace(heard[1], samples=replace(heard[1].samples, samples=()))  # type: ignore[type-var]  # a HeldSamples
        first, second, third = workers.embed([heard[0], lost, heard[2]]).results()

    assert isinstance(first, EmbeddedSound)
    assert isinstance(third, EmbeddedSound)
    assert isinstance(second, str)
    assert "It could not be embedded on any node" in second


def no_model() -> tuple[str, str]:
    raise AssertionError("nothing is to be embedded")


def test_a_node_with_another_model_is_refused(
    cluster: TwoNodes, engine: Engine, make_clip: MakeClip, indir: Path
) -> None:
    make_clip("c1")
    with engine.begin() as connection:
        lay_foundation(connection, "campplus", "another-fingerprint", 192, "registry")

    with pytest.raises(ModelMismatch, match="as a node of the cluster has it"):
        ingest(engine, [indir], AUTHOR, IngestOptions(ray=cluster.address))
