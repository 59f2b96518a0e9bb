"""What an ONNX file says of itself: how a sound is put in, which output is the embedding, what it is made from.

The keys are those of sherpa-onnx, whose models have them as metadata, and of the file beside a model that has none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from registry.core.records import Floats, Integers
from registry.speech.runtimes.extraction import Extraction, Features, Normalisation
from registry.speech.runtimes.mel_features import BANDS, Window

FRAMEWORKS: Mapping[str, Mapping[str, str]] = {  # what the models of a toolkit were trained on
    # Its files for sherpa-onnx do not state that the mean is taken off, as WeSpeaker itself does.
    "wespeaker": {"normalize_samples": "0", "feature_normalize_type": "global-mean", "window_type": "hamming"},
    "3d-speaker": {"normalize_samples": "1", "feature_normalize_type": "global-mean", "window_type": "povey"},
    "nemo": {"normalize_samples": "1", "feature_normalize_type": "per_feature", "window_type": "hann"},
}
EXPORTED_BY = {  # by the names that a toolkit's own exporter gives to input and output
    ("feats", "embs"): "wespeaker",
    ("feature", "embedding"): "3d-speaker",
    ("audio_signal", "embs"): "nemo",
}
SCALES = {"1": 1, "0": 32768}
NORMALISATIONS: Mapping[str, Normalisation] = {
    "": "none",
    "none": "none",
    "global-mean": "mean",
    "per_feature": "mean and deviation",
}
WINDOWS: Mapping[str, Window] = {"povey": "povey", "hamming": "hamming", "hann": "hann", "hanning": "hann"}
ONLY = {"sample_rate": "16000", "feat_dim": "80", "window_size_ms": "25", "window_stride_ms": "10"}
OF_FEATURES = ("normalize_samples", "feature_normalize_type", "window_type")
KEYS = frozenset({"framework", "output", *OF_FEATURES, *ONLY})

Layout = Literal["samples", "frames of bands", "bands of frames"]
Meaning = TypeVar("Meaning")


@dataclass(frozen=True)
class Port:
    """An input or output of a graph."""

    name: str
    shape: tuple[int | None, ...] | None  # None for a length that may be any, and for a shape that may be any
    element: str  # as OpenVINO calls it: "f32"


@dataclass(frozen=True)
class Entrance:
    """Which inputs there are, and how a sound is put in."""

    sound: Port
    position: int
    layout: Layout
    length: int | None  # the position of an input that is told how long the sound is

    def inputs(self, given: Floats) -> Mapping[int, Floats | Integers]:
        """Put in samples (n,) or features (frames, 80), by position."""
        across = given.T if self.layout == "bands of frames" else given
        axes = len(self.sound.shape or ())
        sound = np.ascontiguousarray(across).reshape((1,) * (axes - across.ndim) + across.shape)
        lengths = {} if self.length is None else {self.length: np.array([len(given)], np.int64)}
        return {self.position: sound, **lengths}


@dataclass(frozen=True)
class Description:
    """How to embed by a model."""

    entrance: Entrance
    extraction: Extraction
    output: int  # position of the embedding


def describe(inputs: Sequence[Port], outputs: Sequence[Port], stated: Mapping[str, str]) -> Description:
    """Find out how to embed by a model.

    Args:
        inputs: Of its graph.
        outputs: Of its graph.
        stated: What is said of it, by key; others than `KEYS` are passed over.

    Raises:
        ValueError: It is none that embeds a sound, or too little is stated, or what is not done here.
    """
    for key, value in ONLY.items():
        if stated.get(key, value) != value:
            raise ValueError(f"its {key} is {stated[key]}; models of {value} only are run here")
    entrance = _entrance(inputs)
    names = [(entrance.sound.name, output.name) for output in outputs]
    framework = stated.get("framework") or next((EXPORTED_BY[pair] for pair in names if pair in EXPORTED_BY), "")
    return Description(entrance, _extraction(entrance.layout, framework, stated), _output(outputs, framework, stated))


def _entrance(inputs: Sequence[Port]) -> Entrance:
    sounds = [position for position, port in enumerate(inputs) if port.element == "f32"]
    lengths = [position for position, port in enumerate(inputs) if port.element == "i64" and len(port.shape or ()) == 1]
    if len(sounds) != 1 or len(lengths) > 1 or len(sounds) + len(lengths) != len(inputs):
        raise ValueError(
            f"its inputs are {_listed(inputs)}; a model takes one of f32 here, and one of i64, for the length, or none"
        )
    sound = inputs[sounds[0]]
    return Entrance(sound, sounds[0], _layout(sound), lengths[0] if lengths else None)


def _layout(sound: Port) -> Layout:
    match sound.shape:
        case (None,) | (None | 1, None) | (None | 1, 1, None):
            return "samples"
        case (None | 1, None, bands) if bands == BANDS:
            return "frames of bands"
        case (None | 1, bands, None) if bands == BANDS:
            return "bands of frames"
    raise ValueError(
        f"its input is {_listed([sound])}; a model takes samples here, [?,?], or {BANDS} mel bands, [?,?,{BANDS}] or"
        f" [?,{BANDS},?], for a sound of any length"
    )


def _extraction(layout: Layout, framework: str, stated: Mapping[str, str]) -> Extraction:
    if layout == "samples":
        return Extraction(_meant("normalize_samples", {"normalize_samples": "1", **stated}, SCALES), None)
    said = {**FRAMEWORKS.get(framework, {}), **stated}
    missing = [key for key in OF_FEATURES if key not in said]
    if missing:
        raise ValueError(
            f"it takes features, and nothing tells which: its metadata, or FILE.onnx.toml beside it, has to state"
            f" framework ({', '.join(FRAMEWORKS)}), or else {', '.join(missing)}"
        )
    is_of_nemo = framework == "nemo"
    windows: Mapping[str, Window] = {"hann": "hann"} if is_of_nemo else WINDOWS
    window = _meant("window_type", said, windows)
    normalisation = _meant("feature_normalize_type", said, NORMALISATIONS)
    scale = _meant("normalize_samples", said, SCALES)
    return Extraction(scale, Features("nemo" if is_of_nemo else "kaldi", window, normalisation))


def _meant(key: str, said: Mapping[str, str], meanings: Mapping[str, Meaning]) -> Meaning:
    if said[key] not in meanings:
        raise ValueError(f'its {key} is "{said[key]}"; known are {", ".join(filter(None, meanings))}')
    return meanings[said[key]]


def _output(outputs: Sequence[Port], framework: str, stated: Mapping[str, str]) -> int:
    names = [output.name for output in outputs]
    default = names[0] if len(names) == 1 else "embs" if framework == "nemo" else ""  # beside NeMo's there are logits
    name = stated.get("output", default)
    if name not in names:
        raise ValueError(
            f"its outputs are {_listed(outputs)}; FILE.onnx.toml beside it has to state which is the embedding: output"
        )
    output = outputs[names.index(name)]
    if output.shape is not None and len(output.shape) > 1 and sum(size != 1 for size in output.shape[1:]) != 1:
        raise ValueError(f"its output is {_listed([output])}, and not one vector for a sound")
    return names.index(name)


def _listed(ports: Sequence[Port]) -> str:
    return ", ".join(
        f"{port.name} [{'...' if port.shape is None else ','.join('?' if n is None else str(n) for n in port.shape)}]"
        f" of {port.element}"
        for port in ports
    )
