"""The files of an ONNX model: the model, and beside it what it does not say of itself."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from registry.files.pinned import pinned
from registry.speech.runtimes.onnx_description import KEYS
from registry.speech.runtimes.onnx_tensors import insist_on_own_weights

SUFFIX = ".onnx"
BESIDE = ".toml"  # after the whole name: model.onnx.toml


@dataclass(frozen=True)
class OnnxFile:
    """A model as it lies on disk."""

    content: bytes  # it names no other file
    beside: Mapping[str, str]  # what the file beside it states, by key; of no file, nothing


def is_onnx(name: str) -> bool:
    """Tell whether a model's name is that of an ONNX file."""
    return name.lower().endswith(SUFFIX)


def read(path: Path) -> OnnxFile:
    """Read a model, once: what is fingerprinted is what is run.

    Args:
        path: Absolute, as a person named it.

    Raises:
        OSError: It is not there, no file, or cannot be read.
        ValueError: It has weights in other files, is no ONNX file, or the file beside it cannot be understood.
    """
    with pinned(path, is_named_by_user=True) as file:
        content = file.read_bytes()
    insist_on_own_weights(content)
    return OnnxFile(content, _beside(path.with_name(path.name + BESIDE)))


def _beside(path: Path) -> Mapping[str, str]:
    try:
        with pinned(path) as file:
            read = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:  # also of bytes that are no text
        raise ValueError(f"{path.name} beside it is no TOML: {error}") from error
    unknown = sorted(read.keys() - KEYS)
    if unknown:
        raise ValueError(f"{path.name} beside it states {', '.join(unknown)}; known are {', '.join(sorted(KEYS))}")
    return {key: str(value) for key, value in read.items()}
