"""Embeddings of the labelled speech by the registry's own path, as it is or by other sounds, kept in a cache."""

import csv
import os
import tempfile
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import platformdirs
import soundfile as sf
import soxr

from registry.core.records import Booleans, Floats, Integers
from registry.input.audio import Audio, read_audio
from registry.input.model_names import DEFAULT_MODEL
from registry.speech.embedder import Embedder, load_embedder
from registry.speech.runtimes import EXTRACTION_VERSION
from tests.benchmarks.conditions import heard_as
from tests.conftest import CORPORA, RATE

SETS = ("librispeech", "speechocean", "cremad", "emodb")
SOUNDS = (
    "telephone",
    "gsm",
    "opus",
    "room",
    "noise:15",
)  # 15 dB: so far is a music or studio bed usually below a voice


@dataclass(frozen=True)
class Speech:
    """Some clips, row by row: of the manifests of a corpus or of several, or of some nights."""

    vectors: Floats  # (n, dim) as the model gives them
    durations_s: Floats  # (n,)
    narrowness: Floats  # (n,)
    audio_hash: np.ndarray  # (n,) equal for equal sound

    def take(self, rows: Integers | Sequence[int]) -> tuple[Floats, Floats, Floats]:
        """Give vectors, seconds and narrowness of some clips."""
        at = np.asarray(rows, np.int64)
        return self.vectors[at], self.durations_s[at], self.narrowness[at]

    def at(self, rows: Integers) -> "Speech":
        """Give some of the clips, in the order asked for."""
        return Speech(*self.take(rows), self.audio_hash[rows])

    def where(self, is_other: Booleans, other: "Speech") -> "Speech":
        """Take those clips of another that are told (n,), the rest of these."""
        rows = np.arange(len(is_other)) + len(is_other) * is_other
        return followed_by([self, other]).at(rows)


def manifest(corpus: str) -> list[dict[str, str]]:
    """Read who speaks in each clip of a corpus: path, speaker, gender, text."""
    with (CORPORA / corpus / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def speech_of(corpora: Sequence[str], sound: str = "") -> Speech:
    """Embed all clips of some corpora, one corpus after the other, or take them from the cache.

    Args:
        corpora: Their names.
        sound: How the clips are heard, one of `SOUNDS`; as they are without.
    """
    return followed_by([_cached(corpus, sound) for corpus in corpora])


def followed_by(parts: Sequence[Speech]) -> Speech:
    """Put the clips of several behind one another."""
    return Speech(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in Speech.__annotations__})


def cache_folder() -> Path:
    """Give the folder of embeddings: the one that REGISTRY_BENCH_CACHE names, else the user's cache."""
    chosen = os.environ.get("REGISTRY_BENCH_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("speaker-registry") / "benchmarks"


@cache
def _cached(corpus: str, sound: str) -> Speech:
    name = f"{corpus}-{sound.replace(':', '-') or 'clean'}"
    path = cache_folder() / f"{name}-{DEFAULT_MODEL}-{EXTRACTION_VERSION}-narrowness.npz"
    if not path.exists():
        print(f"embedding {name}: minutes, once")
        speech = _embed(corpus, sound)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.stem}-{os.getpid()}.part.npz")
        np.savez(part, **vars(speech))
        part.replace(path)
    with np.load(path) as kept:
        return Speech(**kept)


def _embed(corpus: str, sound: str) -> Speech:
    paths = [row["path"] for row in manifest(corpus)]
    embed = partial(_embed_clip, corpus=corpus, sound=sound, embedder=load_embedder())
    with ThreadPoolExecutor(max_workers=len(os.sched_getaffinity(0))) as threads:
        vectors, durations_s, narrow, hashes = zip(*threads.map(embed, paths), strict=True)
    return Speech(np.stack(vectors), np.array(durations_s, np.float32), np.array(narrow, np.float32), np.array(hashes))


def _embed_clip(path: str, corpus: str, sound: str, embedder: Embedder) -> tuple[Floats, float, float, str]:
    audio = read_clip(corpus, path, sound)
    return embedder.embed(audio.samples), audio.sound.duration_s, audio.sound.narrowness, audio.sound.audio_hash


def read_clip(corpus: str, path: str, sound: str) -> Audio:
    """Read a clip of a corpus as an ingest does, by way of a wav; by chance is only what depends on its path."""
    samples = _mono(CORPORA / corpus / path)
    if sound:
        samples = heard_as(samples, sound, seed=(1, zlib.crc32(f"{corpus}/{path}".encode())))
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "clip.wav"
        sf.write(wav, np.clip(samples, -1, 1), RATE, subtype="PCM_16")
        audio = read_audio(wav)
    assert isinstance(audio, Audio), f"{path}: {audio}"
    return audio


def _mono(path: Path) -> Floats:
    audio, rate = sf.read(path, dtype="float32", always_2d=True)
    mono: Floats = audio.mean(axis=1)
    return mono if rate == RATE else soxr.resample(mono, rate, RATE)
