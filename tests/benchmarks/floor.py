"""The least that CAM++ costs on this machine: its multiplications alone, by what multiplies fastest here."""

import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec

import numpy as np
import torch

from registry.core.records import Floats

GFLOP_PER_S = 1.126  # of CAM++, multiplications and additions, per second of audio
SIZE = 2048  # rows and columns of a matrix
REPEATS = 8
WARM_UP = 2

Run = Callable[[], object]
KINDS = {"f32": torch.float32, "bf16": torch.bfloat16}


def floors(cores: int) -> dict[str, float]:
    """Give the seconds that CAM++ takes at least per second of audio, by precision."""
    gflop = 2 * SIZE**3 / 1e9
    return {kind: GFLOP_PER_S * best_s(products(kind, cores)) / gflop for kind in KINDS}


def best_s(runs: Mapping[str, Run]) -> float:
    """Give the seconds of the fastest, in turns: what else the machine does takes time, never gives it."""
    taken = [seconds_of(run) for _ in range(WARM_UP + REPEATS) for run in runs.values()]
    return min(taken)


def seconds_of(run: Run) -> float:
    """Time one run."""
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def products(kind: str, cores: int) -> dict[str, Run]:
    """Give a product of two matrices by every library that is installed and has the precision."""
    rng = np.random.default_rng(0)
    one, other = (rng.standard_normal((SIZE, SIZE)).astype(np.float32) for _ in range(2))
    runs: dict[str, Run] = {"torch": _by_torch(one, other, kind, cores)}
    if kind == "f32":
        runs["numpy"] = lambda: one @ other
    if find_spec("openvino") is not None:
        runs["OpenVINO"] = _by_openvino(one, other, kind, cores)
    return runs


def _by_torch(one: Floats, other: Floats, kind: str, cores: int) -> Run:
    first, second = (torch.from_numpy(matrix).to(KINDS[kind]) for matrix in (one, other))

    def run() -> None:
        torch.set_num_threads(cores)
        torch.mm(first, second)

    return run


def _by_openvino(one: Floats, other: Floats, kind: str, cores: int) -> Run:
    import openvino
    from openvino import opset13

    inputs = [opset13.parameter([SIZE, SIZE], openvino.Type.f32) for _ in range(2)]
    model = openvino.Model([opset13.matmul(*inputs, False, False)], inputs)
    options = {"INFERENCE_PRECISION_HINT": kind, "INFERENCE_NUM_THREADS": cores, "PERFORMANCE_HINT": "LATENCY"}
    request = openvino.Core().compile_model(model, "CPU", options).create_infer_request()
    request.infer([one, other])  # which takes the matrices in
    infer: Run = request.infer
    return infer
