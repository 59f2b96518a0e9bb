"""Seconds per second of audio, from reading to commit, beside other ways to embed the same files, and beside the floor.

pytest -m benchmark tests/benchmarks/test_throughput.py -s

The floor is what the multiplications of CAM++ alone take at the speed at which this machine multiplies matrices.
"""

import os
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import soundfile as sf
import torch

from registry.core.records import Floats
from registry.database import reach
from registry.embedded import EmbeddedServer
from registry.embedder import Embedder, load_embedder
from registry.errors import ModelUnavailable
from registry.ingest import ingest
from tests.benchmarks.speech import manifest
from tests.conftest import AUTHOR, CORPORA, RATE

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.skipif(not CORPORA.exists(), reason="the labelled speech is not beside this checkout"),
]
TAKEN = {"librispeech": 45, "speechocean": 45, "cremad": 60, "emodb": 30, "ami": 30}  # clips
LEAST_S = 600.0
REPEATS = 3  # the best counts: whatever else the machine does takes time, never gives it
GFLOP_PER_S = 1.126  # of CAM++, multiplications and additions, per second of audio
MATRIX = 2048
CORES = len(os.sched_getaffinity(0))
SLOWEST, EAGER, F32, BF16 = "pyannote loop, ResNet34", "eager torch, CAM++", "ingest, campplus", "ingest, campplus-bf16"
BARS = ((SLOWEST, 7.0), (EAGER, 4.0))  # how many times as fast an ingest is to be

Embed = Callable[[Floats], object]
warnings.filterwarnings("ignore", message=r"\s*torchcodec is not installed correctly")


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


def per_file(folder: Path, embed: Embed) -> None:
    """Embed file after file, all cores on each."""
    torch.set_num_threads(CORES)
    for path in sorted(folder.rglob("*.wav")):
        embed(sf.read(path, dtype="float32")[0])


def pyannote_whole(model: Any) -> Embed:
    from pyannote.audio import Inference

    whole = Inference(model, window="whole")
    return lambda samples: whole({"waveform": torch.from_numpy(samples)[None], "sample_rate": RATE})


def random_resnet() -> Any:
    """Make the shape of pyannote's most used model; what the weights are costs nothing."""
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.embedding.wespeaker import WeSpeakerResNet34

    model = WeSpeakerResNet34()
    model.specifications = Specifications(Problem.REPRESENTATION, Resolution.CHUNK, duration=5.0)
    return model.eval()


def onnx_campplus(folder: Path) -> Embed:
    """Export the network as it is and run it by ONNX Runtime."""
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    from registry.campplus import load_campplus

    model, path = load_campplus(), folder / "campplus.onnx"
    names: dict[str, Any] = {"input_names": ["features"], "dynamic_axes": {"features": {1: "frames"}}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model.network, (torch.zeros(1, 333, 80),), str(path), dynamo=False, **names)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = CORES
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda samples: session.run(None, {"features": model.features(torch.from_numpy(samples)[None]).numpy()})


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


def multiply(kind: torch.dtype) -> Callable[[], None]:
    torch.manual_seed(0)
    one, other = (torch.randn(MATRIX, MATRIX).to(kind) for _ in range(2))

    def run() -> None:
        torch.set_num_threads(CORES)
        torch.mm(one, other)

    return run


def best_s(runs: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Time all by turns, so that a busy moment of the machine does not fall on one alone."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(REPEATS):
        for name, run in runs.items():
            start_s = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start_s)
    return {name: min(taken) for name, taken in times.items()}


def floors() -> dict[str, float]:
    """Give the seconds that CAM++ takes at least per second of audio, by precision."""
    taken = best_s({str(kind): multiply(kind) for kind in (torch.float32, torch.bfloat16)} | {"warm": lambda: None})
    gflop = 2 * MATRIX**3 / 1e9
    return {
        name: GFLOP_PER_S / (gflop / taken[f"torch.{kind}"])
        for name, kind in (("f32", "float32"), ("bf16", "bfloat16"))
    }


def test_an_ingest_is_fast(home: Path, server: EmbeddedServer, template: str, tmp_path: Path) -> None:
    from registry.campplus import load_campplus

    folder = home / "throughput"
    seconds = lay_out(folder / "andaiafm_F20201105")
    assert seconds >= LEAST_S
    ours = {F32: load_embedder()}
    try:
        ours[BF16] = load_embedder("campplus-bf16")
    except ModelUnavailable as error:
        print(f"\nno bf16: {error}")
    runs: dict[str, Callable[[], None]] = {
        SLOWEST: partial(per_file, folder, pyannote_whole(random_resnet())),
        EAGER: partial(per_file, folder, pyannote_whole(load_campplus())),
        "ONNX Runtime, CAM++": partial(per_file, folder, onnx_campplus(tmp_path)),
    }
    runs |= {name: partial(into_fresh_registry, server, template, folder, one) for name, one in ours.items()}
    before, taken, after = floors(), best_s(runs), floors()
    floor = {precision: min(before[precision], after[precision]) for precision in before}
    cost = {name: spent / seconds for name, spent in taken.items()}
    print(f"\n{seconds:.0f} s of speech in {sum(TAKEN.values())} clips, {CORES} cores; {ours[F32].runtime}")
    print_table(cost, floor)

    precision = "bf16" if BF16 in cost else "f32"  # where a CPU imitates bf16 its floor is the higher one
    assert min(cost[name] for name in ours) <= floor[precision] / 0.5
    assert cost[F32] < min(cost[name] for name in cost if name not in ours)


def print_table(cost: dict[str, float], floor: dict[str, float]) -> None:
    print(f"{'':26}{'s per audio s':>14}{'x loop':>8}{'x eager':>8}{'of f32 floor':>14}{'of bf16 floor':>14}")
    for name, spent in (cost | {f"floor {precision}": least for precision, least in floor.items()}).items():
        ratios = f"{cost[SLOWEST] / spent:8.1f}{cost[EAGER] / spent:8.1f}"
        print(f"{name:26}{spent:14.5f}{ratios}{floor['f32'] / spent:14.0%}{floor['bf16'] / spent:14.0%}")
    for name in (name for name in (F32, BF16) if name in cost):
        for beside, least in BARS:
            found = cost[beside] / cost[name]
            print(f"{name}: {found:.1f} times {beside}, {'as' if found >= least else 'NOT as'} wanted, {least:g}")
