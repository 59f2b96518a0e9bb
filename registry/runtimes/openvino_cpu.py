"""Run CAM++ by OpenVINO on the CPU: one compiled model for all lengths, a pack of clips a stream and a core."""

import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import LifoQueue
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from registry.campplus import MEL_BANDS, STEP_SAMPLES, CampPlus
from registry.core.records import Floats
from registry.runtimes import compiled_cache
from registry.runtimes.compiled_cache import Converted
from registry.runtimes.packed_campplus import PackedCampPlus
from registry.runtimes.packing import FRAMES_OF_A_PACK, REACH_FRAMES, Packing, pack

if TYPE_CHECKING:
    from openvino import CompiledModel, InferRequest, Model

GRAPH_VERSION = 2  # raise it with any change of the graph: in packed_campplus.py, or how it is converted here
EXAMPLE_FRAMES = (333, 133)

Precision = Literal["f32", "bf16"]


class OpenVinoCampPlus:
    """CAM++, compiled. Calls may come from many threads; there are as many at work at once as cores."""

    def __init__(self, model: CampPlus, fingerprint: str, precision: Precision = "f32") -> None:
        """Compile a model, converted now or by an earlier run.

        Args:
            model: The model, on the CPU, in evaluation mode.
            fingerprint: Of its weights: what was converted is kept under it.
            precision: What it computes in.
        """
        self._model = model
        torch.set_num_threads(1)  # of features: packs are embedded side by side
        compiled = _compiled(_converted(model, fingerprint), precision)
        self._idle: LifoQueue[InferRequest] = LifoQueue()
        for _ in range(_cores()):
            self._idle.put(compiled.create_infer_request())

    def __call__(self, clips: Sequence[Floats]) -> list[Floats]:
        """Embed clips in one go: for each (n,) samples at 16 kHz, n at least 1600, a (dimension,)."""
        packed = pack([self._features(samples) for samples in clips])
        request = self._idle.get()
        try:
            embeddings: Floats = request.infer(list(packed))[0][: len(clips)].copy()
        finally:
            self._idle.put(request)
        return list(embeddings)

    def _features(self, samples: Floats) -> Floats:
        waveform = torch.from_numpy(np.ascontiguousarray(samples, np.float32))
        features: Floats = self._model.features(waveform[None])[0].numpy()
        return features


def packing(model: OpenVinoCampPlus) -> Packing:
    """Tell how many clips a model takes at a time."""
    # n samples are fewer than n / STEP_SAMPLES - 1 frames: an odd one more is made up for.
    return Packing(model, FRAMES_OF_A_PACK * STEP_SAMPLES, REACH_FRAMES * STEP_SAMPLES)


def version() -> str:
    """Give OpenVINO's version, as far as it tells releases apart: "2026.4"."""
    return ".".join(_full_version().split("-")[0].split(".")[:2])


def has_native_bf16() -> bool:
    """Tell whether the CPU multiplies in bf16 by itself."""
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _full_version() -> str:
    import openvino

    return str(openvino.get_version())


def _converted(model: CampPlus, fingerprint: str) -> "Model":
    import openvino

    key = f"{fingerprint} {_full_version()} {GRAPH_VERSION}"
    kept = compiled_cache.load(key)
    if kept is None:
        kept = _convert(PackedCampPlus(model.network).eval())
        compiled_cache.keep(key, kept)
    return openvino.Core().read_model(kept.graph, kept.weights)


def _convert(packed: PackedCampPlus) -> Converted:
    # Not by openvino.convert_model, which reports to its makers.
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    example = pack([np.ones((frames, MEL_BANDS), np.float32) for frames in EXAMPLE_FRAMES])
    inputs = tuple(torch.from_numpy(np.asarray(part)) for part in example)
    with _quiet(), torch.no_grad():
        traced = torch.jit.trace(packed, inputs, check_trace=False)  # type: ignore[no-untyped-call]
        decoder = TorchScriptPythonDecoder(traced, example_input=inputs)  # what it holds has to outlive the rest
        front_end = FrontEndManager().load_by_framework("pytorch")
        return _as_bytes(front_end.convert(front_end.load(decoder)))


def _as_bytes(converted: "Model") -> Converted:
    import openvino

    with tempfile.TemporaryDirectory() as folder:
        graph, weights = Path(folder) / "model.xml", Path(folder) / "model.bin"
        openvino.serialize(converted, graph, weights)
        return Converted(graph.read_bytes(), weights.read_bytes())


def _compiled(converted: "Model", precision: Precision) -> "CompiledModel":
    import openvino

    properties = {
        "INFERENCE_PRECISION_HINT": precision,
        "PERFORMANCE_HINT": "THROUGHPUT",
        "NUM_STREAMS": _cores(),
        "INFERENCE_NUM_THREADS": _cores(),
        "ENABLE_CPU_PINNING": False,  # threads that decode, and other processes, are on these cores too
    }
    return openvino.Core().compile_model(converted, "CPU", properties)


def _cores() -> int:
    return len(os.sched_getaffinity(0))


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tracing: that it is old, and that it fixes what is fixed here
        yield
