"""The .wav files that clips were taken from: are they there still, and are they what they were?"""

import hashlib
from dataclasses import replace
from pathlib import Path

from registry.audio import Audio, read_audio
from registry.core.records import Rejected


def sha256_of(path: Path) -> str:
    """Hash a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_as_taken_in(path: Path, sha256: str, audio_hash: str) -> Audio | Rejected:
    """Read a .wav again, or say that it is "missing" or "changed".

    Args:
        path: Where it was last seen.
        sha256: Of the file as it was, hex.
        audio_hash: Of what was heard in it, hex.
    """
    try:
        if not path.exists():
            return Rejected(str(path), "missing", "no longer there; put it back, or ingest its folder where it is now")
        audio = read_audio(path)  # before its bytes: it knows a named pipe, at which hashing would wait for ever
        if isinstance(audio, Rejected) and audio.reason == "unreadable":
            return replace(audio, reason="missing")
        if not isinstance(audio, Rejected) and audio.audio_hash == audio_hash and sha256_of(path) == sha256:
            return audio
    except OSError as error:
        return Rejected(str(path), "missing", f"it cannot be read ({error.strerror}); make the file readable")
    return Rejected(str(path), "changed", "no longer what was taken in; put the file back as it was")
