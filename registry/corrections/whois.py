"""Whose voice is in a file: the speakers that come nearest, for a clip that need not be in the registry."""

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Engine

from registry import settings
from registry.core.identification import identify
from registry.core.records import Rejected
from registry.embedder import load_embedder
from registry.errors import ModelMismatch, UnknownClip
from registry.remote import AnyPath
from registry.sources import read_anywhere
from registry.store import addresses, corrections, models, speakers


@dataclass(frozen=True)
class Candidate:
    """A speaker that may be the voice."""

    label: str
    name: str
    probability: float  # P(same voice)
    score: float  # mean cosine to the speaker's recordings
    clips: int  # how many recordings those are


def whois(engine: Engine, path: AnyPath, *, most: int = 10) -> list[Candidate]:
    """Rank the speakers by how well a wav file fits them, best first, of both genders.

    Raises:
        UnknownClip: The file cannot be used, or the registry is empty.
        ModelMismatch: The registry was built with a model of this name but other weights.
    """
    audio = read_anywhere(path)
    if isinstance(audio, Rejected):
        raise UnknownClip(address=path, cause=audio.message)
    with engine.begin() as connection:
        foundation = models.foundation(connection)
        if foundation is None:
            raise UnknownClip(address=path, cause="the registry is empty")
        speaker_ids, voices = speakers.all_voices(connection, foundation)
    embedder = load_embedder(foundation.name)
    if embedder.fingerprint != foundation.fingerprint:
        raise ModelMismatch(recorded=foundation.fingerprint[:12], requested=embedder.fingerprint[:12])
    rule = settings.linking_rule(foundation.false_merge_rate)
    scores, probabilities = identify(embedder.embed(audio.samples), audio.duration_s, voices, rule)
    best = np.lexsort((-scores, -probabilities))[:most]
    with engine.begin() as connection:
        ids = [speaker_ids[row] for row in best]
        labels = {speaker.speaker_id: speaker.label for speaker in addresses.describe(connection, ids)}
        names = corrections.names(connection, ids)
    found = zip(ids, probabilities[best], scores[best], voices.size[best], strict=True)
    return [Candidate(labels[key], names.get(key, ""), float(p), float(score), int(n)) for key, p, score, n in found]
