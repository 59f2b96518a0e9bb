"""Run the model of an ONNX file by OpenVINO on the CPU.

It is data: OpenVINO knows the operations, and loads no library of others.
"""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from registry.core.records import Floats
from registry.speech.runtimes import EXTRACTION_VERSION, onnx_file
from registry.speech.runtimes.onnx_description import KEYS, Description, Port, describe
from registry.speech.runtimes.openvino_requests import OpenVinoRequests

if TYPE_CHECKING:
    from openvino import Model, Output

METADATA = "framework"  # where OpenVINO keeps that of an ONNX file


class OnnxModel:
    """A model that embeds a sound as a whole, in f32. Calls may come from many threads."""

    def __init__(self, path: Path) -> None:
        """Read and compile a model.

        Args:
            path: Absolute, as a person named it.

        Raises:
            OSError: It cannot be read.
            ValueError: It cannot be run, or it is unclear how; the message says what to state.
            RuntimeError: OpenVINO does not take it.
        """
        file = onnx_file.read(path)
        model = _read(file.content)
        stated = {**_metadata(model), **file.beside}
        self._description = describe(_ports(model.inputs), _ports(model.outputs), stated)
        self.fingerprint = _fingerprint(file.content, self._description)
        self._requests = OpenVinoRequests(_with_narrow_pools(model))

    def __call__(self, samples: Floats) -> Floats:
        """Embed (n,) samples at 16 kHz: (dimension,).

        Raises:
            ValueError, RuntimeError: They are too few for this model.
            TypeError: It gives something else than one vector.
        """
        given = self._description.extraction.given(samples)
        embedding = self._requests.infer(self._description.entrance.inputs(given), self._description.output).squeeze()
        if embedding.ndim != 1:
            raise TypeError(f"it gives numbers of the shape {embedding.shape} for a sound, and not one vector")
        return embedding


def _read(content: bytes) -> "Model":
    from openvino.frontend import FrontEndManager

    front_end = FrontEndManager().load_by_framework("onnx")  # and not as any other kind of model that OpenVINO knows
    return front_end.convert(front_end.load(io.BytesIO(content)))


def _metadata(model: "Model") -> Mapping[str, str]:
    if not model.has_rt_info([METADATA]):
        return {}
    return {key: str(value.value) for key, value in model.get_rt_info()[METADATA].items() if key in KEYS}


def _ports(ports: "list[Output]") -> list[Port]:
    return [Port(port.get_any_name(), _shape(port), port.get_element_type().get_type_name()) for port in ports]


def _shape(port: "Output") -> tuple[int | None, ...] | None:
    shape = port.get_partial_shape()
    if shape.rank.is_dynamic:
        return None
    return tuple(None if size.is_dynamic else size.get_length() for size in shape)


def _fingerprint(content: bytes, description: Description) -> str:
    """Give the SHA-256 of what an embedding depends on, hex."""
    extraction = json.dumps([asdict(description.extraction), description.output], sort_keys=True)
    return hashlib.sha256(f"{EXTRACTION_VERSION} onnx {extraction} ".encode() + content).hexdigest()


def _with_narrow_pools(model: "Model") -> "Model":
    """Let an average over windows side by side take what there is at the end of a sound.

    OpenVINO refuses windows wider than the whole. Rounding down after padding by a window less one, which does not
    count, is the same as rounding up.
    """
    for operation in model.get_ops():
        if operation.get_type_name() == "AvgPool":
            pool = operation.get_attributes()
            is_side_by_side = pool["strides"] == pool["kernel"] and not any(pool["pads_begin"] + pool["pads_end"])
            if pool["rounding_type"].startswith("ceil") and is_side_by_side:
                operation.set_attribute("pads_end", [size - 1 for size in pool["kernel"]])
                operation.set_attribute("rounding_type", "floor")
                operation.set_attribute("exclude-pad", True)
    model.validate_nodes_and_infer_types()
    return model
