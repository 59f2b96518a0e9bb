"""A night of 1,000 made-up clips taken into a synthetic registry as an ingest does, timed step by step."""

import datetime as dt
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from sqlalchemy import Engine

from registry.core.records import EmbeddedSound, Group
from registry.database.store import clips, embeddings, forgetting
from registry.database.store.clips import Clip, HashedFile
from registry.database.store.models import Foundation
from registry.ingest.known import sort_out
from registry.ingest.link import Linked, link_group
from registry.input.scan import Pair, SourceFile
from registry.settings import EMBEDDING_BATCH_CLIPS
from tests.benchmarks.synthetic import FILE_TIME_NS, PLACES, hash_of, spoken, voices
from tests.conftest import AUTHOR
from tests.sounds import sound

GROUP = Group(dt.date(2030, 1, 1), "andaiafm", "F")
HOSTS = (0, len("FM"))  # the women among the hosts, one of each station
HOST_CLIPS, KNOWN_CLIPS, NEW_CLIPS = 100, 30, 20  # of each voice
KNOWN, NEW = 10, 25  # voices: with the hosts' half of the clips known ones
CLEAR = 0.8  # mean cosine of two clips of a voice tonight: so clear that registries of all sizes decide the same
SCANS, VECTORS = "scan of the profiles", "keep vectors"
# What a step is part of: (where it is called, its name) -> the line of the table. An inner step is not counted twice.
STEPS = {
    ("registry.database.store.clips", "known_clips"): "sort out",
    ("registry.database.store.forgetting", "forgotten"): VECTORS,
    ("registry.database.store.embeddings", "embedded_hashes"): VECTORS,
    ("registry.database.store.embeddings", "save_embeddings"): VECTORS,
    ("registry.database.store.speakers", "known_voices"): SCANS,
    ("registry.ingest.link", "strangers"): SCANS,
    ("registry.ingest.link", "link"): "decide",
    ("registry.core.linking.decisions", "bar_among"): SCANS,
    ("registry.core.linking.decisions", "in_reach"): SCANS,
    ("registry.core.linking.decisions", "rank"): SCANS,
    ("registry.ingest.link", "unite_all"): "write",
    ("registry.ingest.link", "_apply"): "write",
    ("registry.database.store.clips", "add_clips"): "write",
    ("registry.database.store.speakers", "refresh_profiles"): "profiles",
    ("registry.database.store.history", "speakers_touched"): "profiles",
}


@dataclass
class Stopwatch:
    """Seconds by line of the table; while an inner step runs, the outer one's clock stands."""

    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    _running: list[str] = field(default_factory=list)
    _since: float = 0.0

    @contextmanager
    def step(self, line: str) -> Iterator[None]:
        self._stop()
        self._running.append(line)
        try:
            yield
        finally:
            self._stop()
            self._running.pop()

    def _stop(self) -> None:
        now = time.perf_counter()
        if self._running:
            self.seconds[self._running[-1]] += now - self._since
        self._since = now

    def timing(self, line: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def timed(*args: Any, **options: Any) -> Any:
            with self.step(line):
                return function(*args, **options)

        return timed

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Time every step, wherever it is called from."""
        patches = []
        for (module, name), line in STEPS.items():
            place = f"{module}.{name}"
            target = patch(place, self.timing(line, _named(module, name)))
            patches.append(target)
        for one in patches:
            one.start()
        try:
            yield
        finally:
            for one in patches:
                one.stop()


def _named(module: str, name: str) -> Callable[..., Any]:
    from importlib import import_module

    found: Callable[..., Any] = getattr(import_module(module), name)
    return found


@dataclass(frozen=True)
class Night:
    """A night's clips and their embeddings."""

    clips: tuple[Clip, ...]
    audios: tuple[EmbeddedSound, ...]


def make_night(seed: int = 7) -> Night:
    """Make a night half of known voices of any synthetic registry, both hosts among them, half of new ones."""
    known = voices(PLACES * (KNOWN + 1))
    regulars = [PLACES * rank for rank in range(1, KNOWN + 1)]
    heard = np.repeat([*HOSTS, *regulars], [HOST_CLIPS] * len(HOSTS) + [KNOWN_CLIPS] * KNOWN)
    directions = np.concatenate([known[heard], np.repeat(voices(NEW, seed + 1), NEW_CLIPS, axis=0)])
    rng = np.random.default_rng(seed)
    vectors = spoken(directions[rng.permutation(len(directions))], rng, CLEAR)
    durations_s = 1 + rng.lognormal(1.2, 0.6, len(vectors))
    made = [_clip(number, seed) for number in range(len(vectors))]
    audios = [
        EmbeddedSound(sound(clip.audio_hash, float(duration_s)), vector)
        for clip, duration_s, vector in zip(made, durations_s, vectors, strict=True)
    ]
    return Night(tuple(made), tuple(audios))


def _clip(number: int, seed: int) -> Clip:
    name = f"mclip-{number:08d}"
    transcript = f"bom dia {number}"
    wav, txt = (
        HashedFile(
            SourceFile(Path(f"/nights/{GROUP}/{name}.{kind}"), 52, FILE_TIME_NS), hash_of(f"{seed} {name} {kind}")
        )
        for kind in ("wav", "txt")
    )
    return Clip(name, hash_of(f"{seed} {name}"), wav, txt, transcript, transcript.encode())


def take_in(engine: Engine, night: Night, foundation: Foundation) -> tuple[Linked, Stopwatch]:
    """Do what an ingest does but read and embed."""
    watch = Stopwatch()
    pairs = [Pair(clip.name, clip.wav.source, clip.txt.source) for clip in night.clips]
    with watch.listening(), watch.step("the rest"):
        with watch.step("sort out"), engine.begin() as connection:
            assert len(sort_out(pairs, clips.known_clips(connection, GROUP)).new) == len(pairs)
        for batch in _batches(night.audios):
            _keep(engine, batch, foundation)
        return link_group(engine, GROUP, night.clips, foundation, AUTHOR), watch


def _batches(audios: Sequence[EmbeddedSound]) -> Iterator[Sequence[EmbeddedSound]]:
    for start in range(0, len(audios), EMBEDDING_BATCH_CLIPS):
        yield audios[start : start + EMBEDDING_BATCH_CLIPS]


def _keep(engine: Engine, batch: Sequence[EmbeddedSound], foundation: Foundation) -> None:
    hashes = [audio.sound.audio_hash for audio in batch]
    with engine.begin() as connection:
        assert not forgetting.forgotten(connection, hashes)
    with engine.begin() as connection:
        assert not embeddings.embedded_hashes(connection, foundation.model_id, hashes)
    with engine.begin() as connection:
        embeddings.save_embeddings(connection, foundation.model_id, batch)
