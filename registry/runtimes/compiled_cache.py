"""Keep a converted model in the user's cache: converting takes seconds, reading it a fraction of one."""

import hashlib
import struct
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import platformdirs

DIGEST_BYTES = hashlib.sha256().digest_size
FINGERPRINT_BYTES = 2 * DIGEST_BYTES  # in hex
LENGTH = struct.Struct("<Q")


class Converted(NamedTuple):
    """A model as OpenVINO writes it."""

    fingerprint: str  # of what was converted, SHA-256 in hex
    graph: bytes  # XML
    weights: bytes


def load(key: str) -> Converted | None:
    """Give what was kept under a key; None if nothing was, or it is not whole, or it cannot be read."""
    try:
        content = _path(key).read_bytes()
    except OSError:
        return None
    digest, packed = content[:DIGEST_BYTES], memoryview(content)[DIGEST_BYTES:]
    if len(packed) < FINGERPRINT_BYTES + LENGTH.size or hashlib.sha256(packed).digest() != digest:
        return None
    fingerprint, packed = bytes(packed[:FINGERPRINT_BYTES]).decode(), packed[FINGERPRINT_BYTES:]
    (length,) = LENGTH.unpack_from(packed)
    graph = packed[LENGTH.size : LENGTH.size + length]
    return Converted(fingerprint, bytes(graph), bytes(packed[LENGTH.size + length :]))


def keep(key: str, converted: Converted) -> None:
    """Keep a model under a key, all of it or nothing; a cache that cannot be written is done without."""
    path = _path(key)
    packed = converted.fingerprint.encode() + LENGTH.pack(len(converted.graph)) + converted.graph + converted.weights
    part = path.with_name(f"{uuid4().hex}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(hashlib.sha256(packed).digest() + packed)
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _path(key: str) -> Path:
    return platformdirs.user_cache_path("speaker-registry") / "models" / hashlib.sha256(key.encode()).hexdigest()
