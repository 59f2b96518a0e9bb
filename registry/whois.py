"""Whose voice is in a file: the speakers that come nearest, for audio that need not be in the registry."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import Connection, Engine

from registry.core.linking.identification import Suspects
from registry.core.records import GENDERS, EmbeddedSound, Rejected
from registry.core.rejections import Fault
from registry.database.store import addresses, corrections, models, speakers
from registry.database.store.models import Foundation
from registry.database.store.strangers import strangers
from registry.errors import CorrectionRefused, ModelMismatch
from registry.input.audio import Audio
from registry.input.remote import AnyPath, readers
from registry.input.sources import read_anywhere
from registry.input.trust import insist_on_model
from registry.speech.batches import batches
from registry.speech.embedder import Embedder, load_embedder
from registry.speech.workers import Heard, LocalWorkers


@dataclass(frozen=True)
class Candidate:
    """A speaker that may be the voice."""

    label: str
    name: str
    probability: float  # P(same voice)
    score: float  # mean cosine to the speaker's recordings
    clips: int  # how many recordings those are


@dataclass(frozen=True)
class Whois:
    """What is known of one file."""

    file: str
    candidates: tuple[Candidate, ...]  # best first, of both genders
    rejected: Rejected | None = None  # why there are none


@dataclass(frozen=True)
class _Stored:
    """The speakers of a gender."""

    speaker_ids: Sequence[int]
    suspects: Suspects


def whois(engine: Engine, paths: Sequence[AnyPath], *, most: int = 10) -> list[Whois]:
    """Rank the speakers by how well audio files fit them, in the order of the files; the model is loaded once.

    Args:
        engine: The registry's database.
        paths: The files. One that cannot be used is rejected, the others are answered.
        most: How many speakers to name of each.

    Raises:
        CorrectionRefused: The registry is empty.
        ModelMismatch: The registry was built with a model of this name but other weights.
    """
    with engine.begin() as connection:
        foundation = models.foundation(connection)
        if foundation is None:
            raise CorrectionRefused(cause="the registry is empty: ingest a night first")
        stored = [_stored(connection, foundation, gender) for gender in GENDERS]
    with LocalWorkers(lambda: _model_of(foundation), readers=readers(paths)) as workers:
        return [_answer(engine, stored, path, found, most) for path, found in _embedded(paths, workers)]


def _stored(connection: Connection, foundation: Foundation, gender: str) -> _Stored:
    rule = foundation.rule
    speaker_ids, voices = speakers.all_voices(connection, foundation, gender)
    others = strangers(connection, foundation, gender, rule.most_strangers)
    return _Stored(speaker_ids, Suspects.among(voices, others, rule))


def _model_of(foundation: Foundation) -> Embedder:
    embedder = load_embedder(insist_on_model(foundation.name))
    if embedder.fingerprint != foundation.fingerprint:
        raise ModelMismatch(recorded=foundation.fingerprint[:12], requested=embedder.fingerprint[:12])
    return embedder


def _embedded(paths: Sequence[AnyPath], workers: LocalWorkers) -> Iterator[tuple[AnyPath, EmbeddedSound | Rejected]]:
    """Read and embed all files, a batch at a time; give each in its turn."""
    found: dict[int, EmbeddedSound | Rejected] = {}
    for batch in batches(_usable(paths, workers, found), workers):
        for one, result in zip(batch, workers.embed(batch).results(), strict=True):
            place = one.record
            found[place] = _without_embedding(paths[place], result) if isinstance(result, str) else result
    return ((path, found[place]) for place, path in enumerate(paths))


def _usable(
    paths: Sequence[AnyPath], workers: LocalWorkers, found: dict[int, EmbeddedSound | Rejected]
) -> Iterator[Heard[int]]:
    """Give the files that can be heard; what cannot is found already."""
    for place, heard in enumerate(workers.hear(enumerate(paths), _read)):
        if isinstance(heard, Rejected):
            found[place] = heard
        else:
            yield heard


def _read(asked: tuple[int, AnyPath]) -> tuple[int, Audio] | Rejected:
    place, path = asked
    audio = read_anywhere(path)
    return audio if isinstance(audio, Rejected) else (place, audio)


def _without_embedding(path: AnyPath, cause: str) -> Rejected:
    return Fault.NO_EMBEDDING.of(path, cause=cause)


def _answer(
    engine: Engine, stored: Sequence[_Stored], path: AnyPath, found: EmbeddedSound | Rejected, most: int
) -> Whois:
    if isinstance(found, Rejected):
        return Whois(str(path), (), replace(found, path=str(path)))
    sound = found.vector, found.sound.duration_s, found.sound.narrowness
    found_of = [one.suspects.identify(*sound) for one in stored]
    scores, probabilities = (np.concatenate(both) for both in zip(*found_of, strict=True))
    sizes = np.concatenate([one.suspects.voices.size for one in stored])
    best = np.lexsort((-scores, -probabilities))[:most]
    everybody = [speaker_id for one in stored for speaker_id in one.speaker_ids]
    ids = [everybody[row] for row in best]
    with engine.begin() as connection:
        labels = {speaker.speaker_id: speaker.label for speaker in addresses.describe(connection, ids)}
        names = corrections.names(connection, ids)
    ranked = zip(ids, probabilities[best], scores[best], sizes[best], strict=True)
    candidates = (Candidate(labels[key], names.get(key, ""), float(p), float(s), int(n)) for key, p, s, n in ranked)
    return Whois(str(path), tuple(candidates))
