"""A model that OpenVINO has compiled for the CPU; calls may come from many threads."""

import os
from collections.abc import Mapping, Sequence
from queue import LifoQueue
from typing import TYPE_CHECKING, Literal

from registry.core.records import Floats, Integers

if TYPE_CHECKING:
    from openvino import InferRequest, Model

Precision = Literal["f32", "bf16"]


class OpenVinoRequests:
    """A compiled model; there are as many calls at work at once as cores."""

    def __init__(self, model: "Model", precision: Precision = "f32") -> None:
        """Compile a model, to compute in a precision."""
        import openvino

        properties = {
            "INFERENCE_PRECISION_HINT": precision,
            "PERFORMANCE_HINT": "THROUGHPUT",
            "NUM_STREAMS": _cores(),
            "INFERENCE_NUM_THREADS": _cores(),
            "ENABLE_CPU_PINNING": False,  # threads that decode, and other processes, are on these cores too
        }
        compiled = openvino.Core().compile_model(model, "CPU", properties)
        self._idle: LifoQueue[InferRequest] = LifoQueue()
        for _ in range(_cores()):
            self._idle.put(compiled.create_infer_request())

    def infer(self, inputs: Sequence[Floats] | Mapping[int, Floats | Integers], output: int = 0) -> Floats:
        """Give one of the outputs for inputs in their order, or by their position."""
        request = self._idle.get()
        try:
            given: Floats = request.infer(inputs)[output].copy()
        finally:
            self._idle.put(request)
        return given


def version() -> str:
    """Give OpenVINO's version, as far as it tells releases apart: "2026.4"."""
    return ".".join(full_version().split("-")[0].split(".")[:2])


def full_version() -> str:
    """Give OpenVINO's version with its build."""
    import openvino

    return str(openvino.get_version())


def _cores() -> int:
    return len(os.sched_getaffinity(0))
