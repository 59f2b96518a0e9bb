"""The tool beside the labelled speech that lets clips sound as if they had come another way, loaded where it lies."""

from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

import numpy as np

from registry.core.records import Booleans, Floats, Integers
from tests.conftest import CORPORA


@cache
def tool(name: str) -> ModuleType:
    """Load one of the tools that lay nights out, change their sound and score them."""
    spec = spec_from_file_location(name, CORPORA / f"{name}.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def heard_as(samples: Floats, sound: str, seed: tuple[int, ...]) -> Floats:
    """Let samples (n,) at 16 kHz sound as by telephone, say; none is above 0.99 afterwards."""
    heard = tool("condition").heard_as(samples, sound, np.random.default_rng(seed))
    loudest = max(float(np.abs(heard).max()), 1e-6)
    changed: Floats = (heard * min(1.0, 0.99 / loudest)).astype(np.float32)
    return changed


def is_heard_so(speaker: np.ndarray, night: Integers, which: str, seed: int) -> Booleans:
    """Tell the clips (n,) that come another way.

    Args:
        speaker: Who speaks in each (n,).
        night: Its night, from 0 (n,).
        which: "all", "even-nights", "half-speakers", "share:0.1" of the speakers, "first-night" or "later-nights".
        seed: Of what is drawn.
    """
    applies = tool("condition").applies
    clips = zip(speaker.tolist(), night.tolist(), strict=True)
    return np.array([applies({"speaker": name}, at + 1, which, seed) for name, at in clips])
