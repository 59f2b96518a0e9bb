"""Keep a converted model in the user's cache: converting takes seconds, reading it a fraction of one."""

import hashlib
import logging
import struct
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import platformdirs

from registry.files import private_files

DIGEST_BYTES = hashlib.sha256().digest_size
FINGERPRINT_BYTES = 2 * DIGEST_BYTES  # in hex
NOT_KEPT = (
    "the converted model is not kept, and made anew by every run, which takes seconds: others may write to %s, or"
    " it cannot be made. Set XDG_CACHE_HOME to a folder of this user's own"
)
LENGTH = struct.Struct("<Q")
_log = logging.getLogger(__name__)


class Converted(NamedTuple):
    """A model as OpenVINO writes it."""

    fingerprint: str  # of what was converted, SHA-256 in hex
    graph: bytes  # XML
    weights: bytes


def load(key: str) -> Converted | None:
    """Give what was kept under a key; None if nothing was, or it is not whole, or others may have written it."""
    path = _path(key)
    if not (private_files.is_private(path.parent) and private_files.is_ours_alone(path)):  # a model is a program
        return None
    try:
        content = path.read_bytes()
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
    if not private_files.made_private(path.parent):
        _log.warning(NOT_KEPT, path.parent)
        return
    with suppress(OSError):
        private_files.write(path, hashlib.sha256(packed).digest() + packed)


def _path(key: str) -> Path:
    return platformdirs.user_cache_path("speaker-registry") / "models" / hashlib.sha256(key.encode()).hexdigest()
