"""Load any embedding model of pyannote.audio into torch: the one inside, one of Hugging Face, a checkpoint."""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING

from registry.errors import PackagesUnusable
from registry.input import trust
from registry.input.model_names import INSIDE
from registry.speech.runtimes import EXTRACTION_VERSION

if TYPE_CHECKING:
    from pyannote.audio import Model
    from torch import Tensor

HUB_TIMEOUT_S = 10  # for one answer; the hub's own client would retry an unreachable hub for 23 s
CHECKPOINT_FILE = "pytorch_model.bin"  # what pyannote looks for in a Hugging Face repository
FORCE = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"  # by which torch reads as data also where its caller wants a program run
PROGRAM = "A file that holds a program is run only if you trust it and REGISTRY_MODELS names it"
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def load_model(name: str) -> "Model":
    """Load a model by name, onto the CPU.

    Raises:
        PackagesUnusable: Its packages do not fit together.
        FileNotFoundError: There is no such file, and it is no name of a model.
        TypeError: It is no model for speaker embedding.
        ValueError: Its file holds a program, and nobody of this machine said that it may be run.
        Exception: What unpickling a foreign file, running its code or asking the hub can raise: anything.
    """
    try:
        from pyannote.audio import Model
    except (ImportError, OSError) as error:  # a shared library of another build is an OSError
        raise PackagesUnusable(cause=" ".join(str(error).split())) from error
    if name in INSIDE:
        from registry.speech.runtimes.campplus import load_campplus

        return load_campplus()
    try:
        with _as_data_unless_trusted(name):
            model = Model.from_pretrained(_checkpoint(name))
    except UnpicklingError as error:
        raise ValueError(f"its file is not weights alone{_names(error)}. {PROGRAM}") from error
    except KeyError as error:
        raise TypeError(f"it is no pyannote checkpoint ({error} is missing)") from error
    _refuse_other_tasks(model)
    return model


@contextmanager
def _as_data_unless_trusted(name: str) -> Iterator[None]:
    """Let torch read weights and what pyannote writes beside them, and run nothing; by itself pyannote runs all."""
    if trust.is_program_trusted(name):
        yield
        return
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from torch.serialization import safe_globals
    from torch.torch_version import TorchVersion

    before = os.environ.get(FORCE)
    os.environ[FORCE] = "1"
    try:
        with safe_globals([Problem, Resolution, Specifications, TorchVersion]):
            yield
    finally:
        os.environ.pop(FORCE)
        os.environ |= {} if before is None else {FORCE: before}


def _names(error: UnpicklingError) -> str:
    found = re.search(r"GLOBAL ([\w.]+)", str(error))
    return f": it names {found[1]}" if found else ""


def _checkpoint(name: str) -> str:
    """Find the checkpoint on this machine, or fetch it; one already here is used as it is."""
    if Path(name).exists():
        return name
    if not HUB_ID.fullmatch(name):
        raise FileNotFoundError("there is no such file, and it is not of the form owner/model")
    from huggingface_hub import hf_hub_download, model_info, try_to_load_from_cache

    cached = try_to_load_from_cache(name, CHECKPOINT_FILE)
    if isinstance(cached, str):
        return cached
    model_info(name, timeout=HUB_TIMEOUT_S)
    return hf_hub_download(name, CHECKPOINT_FILE)


def _refuse_other_tasks(model: "Model") -> None:
    from pyannote.audio.core.task import Problem, Resolution

    for task in model.specifications:
        if task.problem != Problem.REPRESENTATION or task.resolution != Resolution.CHUNK:
            raise TypeError(f"it is a model for {task.problem.name.lower()}, not for speaker embedding")


def fingerprint_of(model: "Model") -> str:
    """Give the SHA-256 of a model's weights and of the extraction code, hex."""
    return fingerprint_of_weights(type(model).__name__, model.state_dict())


def fingerprint_of_weights(architecture: str, weights: Mapping[str, "Tensor"]) -> str:
    """Give the same for weights by name and the name of their architecture."""
    import torch

    digest = hashlib.sha256(f"{EXTRACTION_VERSION} {architecture}".encode())
    for name, tensor in sorted(weights.items()):
        digest.update(f" {name} {tensor.dtype} {tuple(tensor.shape)} ".encode())
        digest.update(tensor.cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
