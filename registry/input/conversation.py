"""The real conversation of two women that ships inside the pyannote.audio wheel, with its transcript and its turns."""

from importlib.util import find_spec
from pathlib import Path

from registry.errors import RegistryError


def sample_folder() -> Path:
    """Find the folder of the conversation without importing pyannote.audio.

    Raises:
        RegistryError: pyannote.audio is not installed.
    """
    spec = find_spec("pyannote.audio")
    if spec is None or not spec.submodule_search_locations:
        raise RegistryError(cause="pyannote.audio is not installed, and the demo's sample is inside it")
    return Path(spec.submodule_search_locations[0]) / "sample"
