"""CAM++ in bf16: a model of its own, since its embeddings are others, and only where they agree with those in f32."""

import hashlib
from collections.abc import Callable

import numpy as np
import soundfile as sf

from registry.core.records import Floats
from registry.input.conversation import sample_folder

VERSION = 2  # raise it with any change of the graph that moves an embedding: bf16 rounds at every step of it
MIN_COSINE = 0.999
MIN_TURN_S = 1.0  # as with a clip: a shorter turn says little about a voice

Infer = Callable[[Floats], Floats]


def bf16_fingerprint(fingerprint: str) -> str:
    """Make the fingerprint of a model one of the same model in bf16."""
    return hashlib.sha256(f"{fingerprint} bf16 {VERSION}".encode()).hexdigest()


def insist_on_native(*, native: bool) -> None:
    """Refuse where bf16 would only be imitated.

    Raises:
        ValueError: The CPU has none.
    """
    if not native:
        raise ValueError("this CPU has no bf16 (avx512_bf16 or amx_bf16); take campplus")


def insist_on_agreement(bf16: Infer, f32: Infer) -> None:
    """Compare the two on the turns of the conversation inside pyannote.audio.

    Raises:
        ValueError: A cosine is under 0.999.
    """
    least = min(_cosine(bf16(turn), f32(turn)) for turn in _turns())
    if not least >= MIN_COSINE:  # also where it is no number
        message = f"on this CPU its embeddings agree with those of campplus to a cosine of {least:.5f} only, less than"
        raise ValueError(f"{message} {MIN_COSINE}; take campplus")


def _turns() -> list[Floats]:
    folder = sample_folder()
    audio, rate = sf.read(folder / "sample.wav", dtype="float32")
    lines = (folder / "sample.rttm").read_text(encoding="utf-8").splitlines()
    spans = [(float(fields[3]), float(fields[4])) for fields in map(str.split, lines)]
    turns = [(start_s, duration_s) for start_s, duration_s in spans if duration_s >= MIN_TURN_S]
    return [audio[round(start_s * rate) : round((start_s + duration_s) * rate)] for start_s, duration_s in turns]


def _cosine(one: Floats, other: Floats) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))
