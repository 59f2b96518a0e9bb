"""The audio files that clips were taken from: are they there still, and are they what they were?"""

import hashlib
from dataclasses import replace
from pathlib import Path

from registry.core.records import Rejected
from registry.core.rejections import Fault
from registry.files.pinned import remedy_of
from registry.input.audio import Audio, read_audio
from registry.input.remote import AnyPath, at_hand


def sha256_of(path: Path) -> str:
    """Hash a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_anywhere(path: AnyPath) -> Audio | Rejected:
    """Decode an audio file that a user named as `read_audio` does, wherever it is."""
    try:
        with at_hand(path, is_named_by_user=True) as file:
            audio = read_audio(file, path.suffix)
            return replace(audio, path=str(path)) if isinstance(audio, Rejected) else audio
    except OSError as error:
        return Fault.CANNOT_BE_READ.of(path, cause=error.strerror)


def read_as_taken_in(path: AnyPath, sha256: str, audio_hash: str) -> Audio | Rejected:
    """Read an audio file again, or say that it is "missing" or "changed", or why it is no longer taken.

    Args:
        path: Where it was last seen.
        sha256: Of the file as it was, hex.
        audio_hash: Of what was heard in it, hex.
    """
    try:
        with at_hand(path) as file:
            return _read_if_as_taken_in(path, file, sha256, audio_hash)
    except (FileNotFoundError, NotADirectoryError):
        return Fault.GONE.of(path)
    except OSError as error:
        return Fault.NO_LONGER_READABLE.of(path, cause=error.strerror, remedy=remedy_of(error))


def _read_if_as_taken_in(path: AnyPath, file: Path, sha256: str, audio_hash: str) -> Audio | Rejected:
    audio = read_audio(file, path.suffix)
    if isinstance(audio, Rejected) and audio.reason == "unreadable":
        return Fault.NO_LONGER_A_FILE.of(path, cause=audio.message)
    if sha256_of(file) != sha256:
        return Fault.NO_LONGER_THE_SAME.of(path)
    if isinstance(audio, Rejected):  # an earlier version took it in
        return replace(audio, path=str(path))
    return audio if audio.sound.audio_hash == audio_hash else Fault.NO_LONGER_THE_SAME.of(path)
