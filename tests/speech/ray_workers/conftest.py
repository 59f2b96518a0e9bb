"""A Ray cluster of two nodes on this machine, and two groups of real speech for it to read and embed."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import pytest
import soundfile as sf
from sqlalchemy import Engine, text

from registry import settings
from registry.core.records import Floats
from registry.database.embedded import EmbeddedServer
from registry.database.reach import reach
from registry.database.store.arrays import to_matrix
from registry.ingest import ingest
from registry.input.conversation import sample_folder
from tests.conftest import AUTHOR, new_database, night

os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token_hex(32)}  # read by Ray once; nobody else gets in

CLIPS = {"F": 24, "M": 8}  # three batches of one group, and another group
BATCH_CLIPS = 8
CLIP_S, STEP_S = 3.0, 0.7
SPEECH_FROM_S = 6.7  # of the sample


@dataclass(frozen=True)
class State:
    clips: list[tuple[object, ...]]  # whose are they, by which number
    speakers: list[tuple[object, ...]]
    vectors: Floats  # in order of audio hash
    summaries: list[dict[str, object]]


@dataclass(frozen=True)
class TwoNodes:
    address: str
    remove_one: Callable[[], None]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let few clips be several batches."""
    monkeypatch.setattr(settings, "EMBEDDING_BATCH_CLIPS", BATCH_CLIPS)


@pytest.fixture(scope="session")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pieces of the conversation of the demo, as clips of two groups."""
    folder = tmp_path_factory.mktemp("nights")
    audio, rate = sf.read(sample_folder() / "sample.wav", dtype="float32")
    groups = [(folder / night(5, gender), number) for gender, count in CLIPS.items() for number in range(count)]
    for at, (group, number) in enumerate(groups):
        group.mkdir(exist_ok=True)
        begin = round((SPEECH_FROM_S + at * STEP_S) * rate)
        sf.write(group / f"c{number:03}.wav", audio[begin : begin + round(CLIP_S * rate)], rate, subtype="PCM_16")
        (group / f"c{number:03}.txt").write_text("x\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def local(server: EmbeddedServer, template: str, nights: Path) -> Iterator[State]:
    """The state after an ingest on this machine alone."""
    with new_database(server, template) as url, reach(url) as opened:
        ingest(opened.engine, [nights], AUTHOR)
        yield state(opened.engine)


@contextmanager
def two_nodes() -> Iterator[TwoNodes]:
    """Begin a cluster of two nodes, and end it."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        other = cluster.add_node(num_cpus=1)
        yield TwoNodes(cluster.address, lambda: cluster.remove_node(other, allow_graceful=False))
    finally:
        cluster.shutdown()


@pytest.fixture(scope="module")
def cluster() -> Iterator[TwoNodes]:
    """Two nodes that no test removes."""
    with two_nodes() as running:
        yield running


def state(engine: Engine) -> State:
    """Read who is who, and what was embedded."""
    with engine.connect() as connection:
        clips = connection.execute(
            text(
                "SELECT broadcaster, gender, date, name, number, audio_hash, transcript FROM clips ORDER BY 1, 2, 3, 4"
            )
        )
        speakers = connection.execute(text("SELECT number, gender, clips, nights FROM speakers ORDER BY 1, 2"))
        vectors = connection.execute(
            text("SELECT vector_send(vector) FROM embedding JOIN audio USING (audio_id) ORDER BY audio_hash")
        )
        summaries = connection.execute(text("SELECT summary FROM operation ORDER BY operation_id"))
        return State(
            [tuple(row) for row in clips],
            [tuple(row) for row in speakers],
            to_matrix(list(vectors.scalars()), 192),
            list(summaries.scalars()),
        )
