"""Run CAM++ by OpenVINO on the CPU: one compiled model for all lengths, a clip a stream and a core."""

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import LifoQueue
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from registry.campplus import MEL_BANDS, CampPlus
from registry.core.records import Floats
from registry.runtimes import compiled_cache
from registry.runtimes.compiled_cache import Converted
from registry.runtimes.masked import MaskedCampPlus
from registry.runtimes.padding import pad

if TYPE_CHECKING:
    from openvino import CompiledModel, InferRequest, Model

GRAPH_VERSION = 1  # raise it with any change of the graph: in masked.py, or how it is converted here
EXAMPLE_FRAMES = 333

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
        compiled = _compiled(_converted(model, fingerprint), precision)
        self._idle: LifoQueue[InferRequest] = LifoQueue()
        for _ in range(_cores()):
            self._idle.put(compiled.create_infer_request())

    def __call__(self, samples: Floats) -> Floats:
        """Embed (n,) samples at 16 kHz, n at least 1600: (dimension,)."""
        waveform = torch.from_numpy(np.ascontiguousarray(samples, np.float32))
        padded = pad(self._model.features(waveform[None])[0].numpy())
        request = self._idle.get()
        try:
            embedding: Floats = request.infer(list(padded))[0].copy()
        finally:
            self._idle.put(request)
        return embedding.reshape(-1)


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
        kept = _convert(MaskedCampPlus(model.network).eval())
        compiled_cache.keep(key, kept)
    return openvino.Core().read_model(kept.graph, kept.weights)


def _convert(masked: MaskedCampPlus) -> Converted:
    # Not by openvino.convert_model, which reports to its makers.
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    example = pad(np.ones((EXAMPLE_FRAMES, MEL_BANDS), np.float32))
    inputs = tuple(torch.from_numpy(np.asarray(part)) for part in example)
    with _quiet(), torch.no_grad():
        traced = torch.jit.trace(masked, inputs, check_trace=False)  # type: ignore[no-untyped-call]
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
