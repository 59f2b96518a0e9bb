"""Get a model to run: by what, in which precision, and as which model its embeddings count."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from registry.core.records import Floats
from registry.errors import RuntimeUnavailable
from registry.input.model_names import BF16_MODEL, INSIDE
from registry.speech.runtimes import Runtime, choose, has_openvino
from registry.speech.runtimes.bfloat16 import bf16_fingerprint, insist_on_agreement, insist_on_native
from registry.speech.runtimes.gpu import has_gpu
from registry.speech.runtimes.onnx_file import is_onnx
from registry.speech.runtimes.packing import Packing


@dataclass(frozen=True)
class Running:
    """A model at work."""

    infer: Callable[[Floats], Floats]  # (n,) at 16 kHz -> (dimension,)
    fingerprint: str  # the same in every runtime of f32: they agree but for rounding
    runtime: str  # for the journal: "openvino 2026.4 f32"
    packing: Packing | None = None  # how it embeds clips together; None where that is no faster


def run(name: str, asked: Runtime) -> Running:
    """Run a model by what was asked for, or by the best there is.

    Args:
        name: The model's name.
        asked: "auto" for the best there is.

    Raises:
        RuntimeUnavailable: What was asked for cannot run it.
        ValueError: It cannot be had here.
        Exception: What loading a foreign model can raise, see `loading.load_model`.
    """
    if name == BF16_MODEL:
        return _in_bf16(asked)
    if is_onnx(name):
        return _by_onnx(name, asked)
    if choose(name, asked, is_campplus=name in INSIDE, has_gpu=has_gpu()) == "openvino":
        return _by_openvino()
    return _by_torch(name)


def _by_torch(name: str) -> Running:
    from registry.speech.runtimes.loading import fingerprint_of, load_model

    model = load_model(name)  # before all else of torch: it names packages that do not fit together
    from registry.speech.runtimes.torch_any import TorchModel, version

    fingerprint = fingerprint_of(model)
    return Running(TorchModel(model), fingerprint, f"torch {version()} f32")


def _by_openvino() -> Running:
    from registry.speech.runtimes.openvino_cpu import load, packing
    from registry.speech.runtimes.openvino_requests import version

    kept, model = load()
    together = packing(model)
    return Running(_alone(together), kept.fingerprint, f"openvino {version()} f32", together)


def _in_bf16(asked: Runtime) -> Running:
    _insist_on_openvino(BF16_MODEL, asked)
    from registry.speech.runtimes.openvino_cpu import OpenVinoCampPlus, has_native_bf16, load, packing
    from registry.speech.runtimes.openvino_requests import version

    insist_on_native(native=has_native_bf16())
    kept, exact = load()
    together = packing(OpenVinoCampPlus(kept, "bf16"))
    insist_on_agreement(_alone(together), _alone(packing(exact)))
    return Running(_alone(together), bf16_fingerprint(kept.fingerprint), f"openvino {version()} bf16", together)


def _by_onnx(name: str, asked: Runtime) -> Running:
    _insist_on_openvino(name, asked)
    from registry.speech.runtimes.onnx_openvino import OnnxModel
    from registry.speech.runtimes.openvino_requests import version

    model = OnnxModel(Path(name).absolute())
    return Running(model, model.fingerprint, f"openvino {version()} f32")


def _insist_on_openvino(name: str, asked: Runtime) -> None:
    if asked == "torch":
        raise RuntimeUnavailable(runtime=asked, model=name, cause="it is one of OpenVINO only")
    if not has_openvino():
        raise ValueError("it needs the package openvino, which cannot be imported; install it, or take campplus")


def _alone(together: Packing) -> Callable[[Floats], Floats]:
    return lambda samples: together.infer([samples])[0]
