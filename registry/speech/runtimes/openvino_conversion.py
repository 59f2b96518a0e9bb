"""Convert CAM++ from torch to OpenVINO, once for a machine: it takes seconds."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from registry.speech.runtimes import campplus_network, probe
from registry.speech.runtimes.campplus_network import MEL_BANDS
from registry.speech.runtimes.compiled_cache import Converted
from registry.speech.runtimes.loading import fingerprint_of_weights
from registry.speech.runtimes.mel_features import centred_features
from registry.speech.runtimes.packed_campplus import PackedCampPlus
from registry.speech.runtimes.packing import pack

if TYPE_CHECKING:
    from openvino import Model

EXAMPLE_FRAMES = (333, 133)


def convert_campplus() -> Converted:
    """Load the default model and convert it; of pyannote.audio, as whose model it counts, nothing is needed."""
    network = campplus_network.build()
    network.load_state_dict(campplus_network.weights(), strict=True)
    graph, weights = _convert(PackedCampPlus(network).eval())
    named = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    return Converted(fingerprint_of_weights("CampPlus", named), graph, weights)


def insist_on_agreement(model: probe.Together) -> None:
    """Compare what was converted, as it runs on this CPU, with torch.

    Raises:
        ValueError: A known sound is embedded otherwise.
    """
    network = campplus_network.build().eval()
    network.load_state_dict(campplus_network.weights(), strict=True)
    with torch.no_grad():
        embedding = network(torch.from_numpy(centred_features(probe.sound()))[None])
    cosine = probe.cosine(model, embedding.numpy().reshape(-1))
    if not cosine >= probe.MIN_COSINE:  # also where it is no number
        raise ValueError(f"converted to OpenVINO it agrees with itself by torch to {cosine:.5f} only: --runtime torch")


def _convert(packed: PackedCampPlus) -> tuple[bytes, bytes]:
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


def _as_bytes(converted: "Model") -> tuple[bytes, bytes]:
    import openvino

    with tempfile.TemporaryDirectory() as folder:
        graph, weights = Path(folder) / "model.xml", Path(folder) / "model.bin"
        openvino.serialize(converted, graph, weights)
        return graph.read_bytes(), weights.read_bytes()


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tracing: that it is old, and that it fixes what is fixed here
        yield
