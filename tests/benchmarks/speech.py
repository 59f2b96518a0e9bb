"""Embeddings of the labelled speech by the registry's own path, clean or in noise, kept in a cache."""

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

from registry.audio import Audio, read_audio
from registry.core.records import Floats, Integers
from registry.embedder import Embedder, load_embedder
from registry.narrowness import narrowness
from registry.runtimes import DEFAULT_MODEL, EXTRACTION_VERSION
from tests.conftest import CORPORA, RATE

SETS = ("librispeech", "speechocean", "cremad", "emodb")
NOISE_DB = 15.0  # signal to noise, as far as a music or studio bed is usually below a voice


@dataclass(frozen=True)
class Speech:
    """The clips of a corpus, or of several, row by row of their manifests."""

    vectors: Floats  # (n, dim) as the model gives them
    durations_s: Floats  # (n,)
    narrowness: Floats  # (n,)
    audio_hash: np.ndarray  # (n,) equal for equal sound

    def take(self, rows: Integers) -> tuple[Floats, Floats, Floats]:
        """Give vectors, seconds and narrowness of some clips."""
        return self.vectors[rows], self.durations_s[rows], self.narrowness[rows]


def manifest(corpus: str) -> list[dict[str, str]]:
    """Read who speaks in each clip of a corpus: path, speaker, gender, text."""
    with (CORPORA / corpus / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def speech_of(corpora: Sequence[str], noise_db: float | None = None) -> Speech:
    """Embed all clips of some corpora, one corpus after the other, or take them from the cache."""
    parts = [_cached(corpus, noise_db) for corpus in corpora]
    return Speech(*(np.concatenate([getattr(part, name) for part in parts]) for name in Speech.__annotations__))


def cache_folder() -> Path:
    """Give the folder of embeddings: the one that REGISTRY_BENCH_CACHE names, else the user's cache."""
    chosen = os.environ.get("REGISTRY_BENCH_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("speaker-registry") / "benchmarks"


@cache
def _cached(corpus: str, noise_db: float | None) -> Speech:
    condition = "clean" if noise_db is None else f"noise{noise_db:g}"
    path = cache_folder() / f"{corpus}-{condition}-{DEFAULT_MODEL}-{EXTRACTION_VERSION}-narrowness.npz"
    if not path.exists():
        print(f"embedding {corpus}, {condition}: minutes, once")
        speech = _embed(corpus, noise_db)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.stem}-{os.getpid()}.part.npz")
        np.savez(part, **vars(speech))
        part.replace(path)
    with np.load(path) as kept:
        return Speech(**kept)


def _embed(corpus: str, noise_db: float | None) -> Speech:
    paths = [row["path"] for row in manifest(corpus)]
    embed = partial(_embed_clip, corpus=corpus, noise_db=noise_db, embedder=load_embedder())
    with ThreadPoolExecutor(max_workers=len(os.sched_getaffinity(0))) as threads:
        vectors, durations_s, narrow, hashes = zip(*threads.map(embed, paths), strict=True)
    sounds = (np.array(values, np.float32) for values in (durations_s, narrow))
    return Speech(np.stack(vectors), *sounds, np.array(hashes))


def _embed_clip(path: str, corpus: str, noise_db: float | None, embedder: Embedder) -> tuple[Floats, float, float, str]:
    samples = _mono(CORPORA / corpus / path)
    if noise_db is not None:
        samples = in_noise(samples, noise_db, seed=zlib.crc32(f"{corpus}/{path}".encode()))
    with tempfile.TemporaryDirectory() as folder:  # by way of a wav: rounded and read as an ingest does
        wav = Path(folder) / "clip.wav"
        sf.write(wav, np.clip(samples, -1, 1), RATE, subtype="PCM_16")
        audio = read_audio(wav)
    assert isinstance(audio, Audio), f"{path}: {audio}"
    return embedder.embed(audio.samples), audio.duration_s, narrowness(audio.samples), audio.audio_hash


def _mono(path: Path) -> Floats:
    audio, rate = sf.read(path, dtype="float32", always_2d=True)
    mono: Floats = audio.mean(axis=1)
    return mono if rate == RATE else soxr.resample(mono, rate, RATE)


def in_noise(samples: Floats, noise_db: float, seed: int) -> Floats:
    """Add pink noise so many dB below the clip."""
    white = np.fft.rfft(np.random.default_rng(seed).standard_normal(len(samples)))
    pink = np.fft.irfft(white / np.sqrt(np.arange(1, len(white) + 1)), len(samples))
    power = np.mean(samples**2) / np.mean(pink**2) / 10 ** (noise_db / 10)
    noisy: Floats = samples + pink * np.sqrt(power)
    return noisy
