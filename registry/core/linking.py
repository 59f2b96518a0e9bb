"""Who is who in a night: every audio gets one decision, with its score and reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from registry.core.clustering import average_linkage
from registry.core.matching import Match, best_matches
from registry.core.records import Floats, Integers
from registry.core.vectors import VectorSets, summarise, unit

Reason = Literal["same-audio", "matched", "new"]


@dataclass(frozen=True)
class LinkingRule:
    """The thresholds, all of them mean pairwise cosines."""

    cluster_cosine: float  # where merging inside a night stops
    match_cosine: float  # what a cluster needs to join a speaker, both with many clips
    scarcity_cosine: float  # how much more it needs when both have a single clip


@dataclass(frozen=True)
class KnownSpeakers:
    """What is stored of the speakers that a night may match, in order of their keys."""

    speaker_ids: Sequence[int]
    profiles: VectorSets  # (m, dim), row by row of speaker_ids
    of_audio: Mapping[int, int]  # audio key -> speaker key, for audio heard before


@dataclass(frozen=True)
class Decision:
    """One speaker for some audios of the night; `speaker_id` None stands for a new speaker."""

    audio_ids: tuple[int, ...]
    speaker_id: int | None
    reason: Reason
    score: float | None = None
    runner_up_id: int | None = None
    runner_up_score: float | None = None


def link(audio_ids: Sequence[int], vectors: Floats, known: KnownSpeakers, rule: LinkingRule) -> list[Decision]:
    """Decide the speaker of every audio of a night.

    Audio heard before keeps its speaker; the rest is clustered, and every cluster joins its best stored
    speaker or becomes a new one. The result does not depend on the order of the input but for ties.

    Args:
        audio_ids: Keys of the night's different audios (n,), in the order in which they are to be numbered.
        vectors: Their embeddings (n, dim), of any length but zero.
        known: The stored speakers they may match.
        rule: The thresholds.

    Returns:
        Decisions that together hold every audio once.
    """
    heard_before = [audio for audio in audio_ids if audio in known.of_audio]
    decisions = [Decision((audio,), known.of_audio[audio], "same-audio") for audio in heard_before]
    fresh = np.array([audio not in known.of_audio for audio in audio_ids], dtype=bool)
    if not fresh.any():
        return decisions
    units = unit(vectors[fresh])
    labels = average_linkage(units, rule.cluster_cosine)
    matches = best_matches(summarise(units, labels), known.profiles, rule.match_cosine, rule.scarcity_cosine)
    fresh_ids = np.asarray(audio_ids, dtype=np.int64)[fresh]
    members = [_members(fresh_ids, labels, label) for label in range(int(labels.max()) + 1)]
    if not matches:
        return decisions + [Decision(audios, None, "new") for audios in members]
    return decisions + [_decide(audios, match, known) for audios, match in zip(members, matches, strict=True)]


def _members(audio_ids: Integers, labels: Integers, label: int) -> tuple[int, ...]:
    return tuple(int(audio) for audio in audio_ids[labels == label])


def _decide(audio_ids: tuple[int, ...], match: Match, known: KnownSpeakers) -> Decision:
    best = known.speaker_ids[match.row]
    second = None if match.runner_up_row is None else known.speaker_ids[match.runner_up_row]
    if match.margin >= 0:
        return Decision(audio_ids, best, "matched", match.score, second, match.runner_up_score)
    return Decision(audio_ids, None, "new", None, best, match.score)
