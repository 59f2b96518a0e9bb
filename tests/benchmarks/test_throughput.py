"""Seconds per second of audio, from reading to commit, beside other ways to embed the same files, and beside the floor.

pytest -m benchmark tests/benchmarks/test_throughput.py -s

The floor is what the multiplications of CAM++ alone take at the speed at which this machine multiplies matrices, by the
fastest library that is installed.
"""

import os
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import soundfile as sf
import torch

from registry.database.embedded import EmbeddedServer
from registry.database.reach import reach
from registry.errors import ModelUnavailable
from registry.ingest import ingest
from registry.speech.embedder import Embedder, load_embedder
from tests.benchmarks.embedding_peers import CORES, EAGER, LOOP, EmbedFiles, loaded
from tests.benchmarks.figures import AddFigure
from tests.benchmarks.floor import floors
from tests.benchmarks.speech import manifest
from tests.conftest import AUTHOR, CORPORA

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.filterwarnings("ignore"),  # those of the peers are theirs
    pytest.mark.skipif(not CORPORA.exists(), reason="the labelled speech is not beside this checkout"),
]
SOURCE = Path(__file__).resolve().parents[2]
LOOP_SCRIPT = Path(__file__).with_name("pyannote_loop.py")
REGISTRY = Path(sysconfig.get_path("scripts")) / "registry"
TAKEN = {
    "librispeech": 90,
    "speechocean": 90,
    "cremad": 120,
    "emodb": 70,
    "ami": 55,
}  # clips: a small night of 25 minutes
LEAST_S = 1200.0
REPEATS = 3  # the best counts: whatever else the machine does takes time, never gives it
CHECKED_EVERY = 35  # one clip in so many tells whether a peer does the same work
F32, BF16 = "ingest, campplus", "ingest, campplus-bf16"
# How many times as fast an ingest is to be as what stands beside it: a tenth below what was measured.
BARS = {F32: {LOOP: 3.8, EAGER: 3.1}, BF16: {LOOP: 6.6, EAGER: 5.4}}
# How much of an ingest is to be the multiplications that nobody gets around; more than all of it they cannot be.
OF_FLOOR = {F32: 0.75, BF16: 0.55}
PRECISION = {F32: "f32", BF16: "bf16"}
FASTER = 0.6  # of the time of f32: a CPU that needs more for bf16 imitates it, and is no measure of it


def lay_out(group: Path) -> float:
    """Write some clips of every corpus as an ingest finds them; give their seconds."""
    group.mkdir(parents=True)
    seconds = 0.0
    for corpus, count in TAKEN.items():
        rows = manifest(corpus)
        for number in range(count):
            row = rows[number * len(rows) // count]
            audio, rate = sf.read(CORPORA / corpus / row["path"], dtype="int16")
            sf.write(group / f"{corpus}-{number:03d}.wav", audio, rate, subtype="PCM_16")
            (group / f"{corpus}-{number:03d}.txt").write_text("x\n")
            seconds += len(audio) / rate
    return seconds


def on_all_cores(embed: EmbedFiles, files: Sequence[Path]) -> None:
    torch.set_num_threads(CORES)
    embed(files)


def into_fresh_registry(server: EmbeddedServer, template: str, folder: Path, embedder: Embedder) -> None:
    """Ingest by a loaded model, as all the others are loaded before."""
    with fresh(server, template) as url, reach(url) as opened, pytest.MonkeyPatch.context() as patch:
        patch.setattr("registry.ingest.model_in_use.load_embedder", lambda *_: embedder)
        torch.set_num_threads(1)
        assert ingest(opened.engine, [folder], AUTHOR).exit_code == 0


@contextmanager
def fresh(server: EmbeddedServer, template: str) -> Iterator[str]:
    name = f"fast_{uuid4().hex}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        yield server.url(name)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def best_s(runs: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Time all by turns, so that a busy moment of the machine does not fall on one alone."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(REPEATS):
        for name, run in runs.items():
            start_s = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start_s)
    return {name: min(taken) for name, taken in times.items()}


def cold_s(*command: str | Path, home: Path) -> float:
    """Run a command in a new process that finds nothing prepared but the files in the memory of the system."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REGISTRY_")}
    own = {"REGISTRY_HOME": str(home), "XDG_CACHE_HOME": str(home.with_name("cold-cache")), "PYTHONPATH": str(SOURCE)}
    start_s = time.perf_counter()
    subprocess.run(command, env=kept | own, check=True, capture_output=True)
    return time.perf_counter() - start_s


def load_ours() -> dict[str, Embedder]:
    ours = {F32: load_embedder()}
    try:
        ours[BF16] = load_embedder("campplus-bf16")
    except ModelUnavailable as error:
        print(f"no bf16: {error}")
    return ours


def test_an_ingest_is_fast(
    home: Path, server: EmbeddedServer, template: str, tmp_path: Path, figure: AddFigure
) -> None:
    folder = home / "throughput"
    seconds = lay_out(folder / "andaiafm_F20201105")
    assert seconds >= LEAST_S
    files = sorted(folder.rglob("*.wav"))
    print()
    ours, peers = load_ours(), loaded(tmp_path, files[::CHECKED_EVERY])
    runs: dict[str, Callable[[], None]] = {
        peer.name: partial(on_all_cores, embed, files) for peer, embed in peers.items()
    }
    runs |= {name: partial(into_fresh_registry, server, template, folder, one) for name, one in ours.items()}
    before, taken, after = floors(CORES), best_s(runs), floors(CORES)
    floor = {precision: min(before[precision], after[precision]) for precision in before}
    cost = {name: spent / seconds for name, spent in taken.items()}
    print(
        f"{seconds:.0f} s of speech in {len(files)} clips, {CORES} cores; {ours[F32].runtime}; best of {REPEATS} turns"
    )
    print_table(cost, floor)

    add_figures(figure, cost, floor)
    assert cost[F32] < min(cost[peer.name] for peer in peers if not peer.is_light)


def add_figures(figure: AddFigure, cost: dict[str, float], floor: dict[str, float]) -> None:
    for name, spent in cost.items():
        figure(name, spent, "s per audio s")
    for name in (name for name in (F32, BF16) if name in cost):
        is_measure = name == F32 or floor["bf16"] < FASTER * floor["f32"]
        for beside, least in BARS[name].items():
            at_least = least if is_measure else None
            figure(f"{name}, beside {beside}", cost[beside] / cost[name], "times as fast", at_least=at_least)
        share, least = floor[PRECISION[name]] / cost[name], OF_FLOOR[name]
        figure(f"{name}, its floor", share, "of its time", at_least=least if is_measure else None, at_most=1)


def print_table(cost: dict[str, float], floor: dict[str, float]) -> None:
    print(f"{'':26}{'s per audio s':>14}{'x loop':>8}{'x eager':>8}{'of f32 floor':>14}{'of bf16 floor':>14}")
    for name, spent in (cost | {f"floor {precision}": least for precision, least in floor.items()}).items():
        ratios = f"{cost[LOOP] / spent:8.1f}{cost[EAGER] / spent:8.1f}"
        print(f"{name:26}{spent:14.5f}{ratios}{floor['f32'] / spent:14.0%}{floor['bf16'] / spent:14.0%}")


def test_a_first_night_in_a_new_process(home: Path, figure: AddFigure) -> None:
    """All that a user waits for: start, imports, the model loaded and compiled, a database made."""
    folder = home / "cold"
    seconds = lay_out(folder / "andaiafm_F20201105")
    taken = {
        "cold pyannote loop": cold_s(sys.executable, LOOP_SCRIPT, folder, home=home / "cold-home"),
        "cold registry ingest": cold_s(REGISTRY, "ingest", folder, "--new", home=home / "cold-home"),
    }
    print(f"\nthe whole command, once, on {seconds:.0f} s of speech")
    for name, spent in taken.items():
        print(f"{name:26}{spent:8.1f} s")
        figure(name, spent, "s in all")
