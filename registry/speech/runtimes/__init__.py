"""What runs an embedding model: torch any of pyannote.audio, OpenVINO ONNX files and, faster on a CPU, the default."""

from importlib.util import find_spec
from typing import Literal

from registry.errors import RuntimeUnavailable

Runtime = Literal["auto", "torch", "openvino"]
EXTRACTION_VERSION = 1  # raise it with any change that moves an embedding: of reading audio, of features, of loading


def choose(model: str, asked: Runtime, *, is_campplus: bool, has_gpu: bool) -> Literal["torch", "openvino"]:
    """Take the runtime that was asked for; without a wish torch on a GPU, else OpenVINO where it can be, else torch.

    Args:
        model: Its name, for messages.
        asked: "auto" for no wish.
        is_campplus: Whether the model is a CAM++, which of those that torch runs is all that OpenVINO runs too.
        has_gpu: Whether torch sees a GPU.

    Raises:
        RuntimeUnavailable: The one asked for is not installed, or cannot run this model.
    """
    if asked == "torch":
        return "torch"
    if asked == "auto":
        return "openvino" if is_campplus and not has_gpu and has_openvino() else "torch"
    if not is_campplus:
        raise RuntimeUnavailable(runtime=asked, model=model, cause="OpenVINO runs campplus and ONNX files only")
    if not has_openvino():
        raise RuntimeUnavailable(runtime=asked, model=model, cause="the package openvino cannot be imported")
    return "openvino"


def has_openvino() -> bool:
    """Tell whether OpenVINO can be imported here; it has no wheels for some machines."""
    if find_spec("openvino") is None:
        return False
    try:
        import openvino  # noqa: F401 - installed is not yet importable: its native part may not suit the system
    except (ImportError, OSError):
        return False
    return True
