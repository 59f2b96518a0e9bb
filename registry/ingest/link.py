"""Decide the speakers of a group's new clips: gather, decide, apply, in one transaction under the lock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from registry import settings
from registry.core.linking import Decision, link
from registry.core.numbering import give_numbers
from registry.core.records import Group
from registry.store import clips, embeddings, operations, speakers
from registry.store.clips import Clip
from registry.store.models import Foundation
from registry.store.operations import Author


@dataclass(frozen=True)
class Linked:
    """How many clips got a speaker, and how many speakers those are."""

    clips: int = 0
    speakers_matched: int = 0
    speakers_new: int = 0


def link_group(
    engine: Engine, group: Group, new_clips: Sequence[Clip], foundation: Foundation, author: Author
) -> Linked:
    """Store a group's new clips with their speakers, all or nothing."""
    with engine.begin() as connection:
        operations.lock_registry(connection)
        there = clips.known_clips(connection, group)
        missing = [clip for clip in new_clips if clip.name not in there]
        if not missing:
            return Linked()
        operation_id = operations.begin_operation(connection, "ingest", author)
        clips_of_audio = clips.add_clips(connection, group, missing, operation_id)
        audio_ids = list(clips_of_audio)
        vectors = embeddings.vectors(connection, foundation.model_id, foundation.dimension, audio_ids)
        known = speakers.known_speakers(connection, foundation, group, audio_ids)
        decisions = link(audio_ids, vectors, known, settings.LINKING)
        linked = _apply(connection, group, decisions, clips_of_audio, operation_id)
        operations.sum_up(connection, operation_id, {"group": str(group), **vars(linked)})
    return linked


def _apply(
    connection: Connection,
    group: Group,
    decisions: Sequence[Decision],
    clips_of_audio: Mapping[int, Sequence[int]],
    operation_id: int,
) -> Linked:
    decided = _with_keys(connection, group, decisions, operation_id)
    heard = _in_order_heard(decided, clips_of_audio)
    held, last_number = speakers.numbers_held(connection, group, heard)
    speakers.add_numbers(connection, group, give_numbers(heard, held, last_number), operation_id)
    speakers.assign(connection, decided, clips_of_audio, operation_id)
    speakers.refresh_profiles(connection, heard)
    count = sum(len(carriers) for carriers in clips_of_audio.values())
    new = sum(decision.speaker_id is None for decision in decisions)
    return Linked(count, len(heard) - new, new)


def _with_keys(
    connection: Connection, group: Group, decisions: Sequence[Decision], operation_id: int
) -> list[tuple[Decision, int]]:
    """Pair every decision with its speaker's key, making the new speakers."""
    new = sum(decision.speaker_id is None for decision in decisions)
    keys = iter(speakers.add_speakers(connection, group.gender, new, operation_id))
    return [(d, next(keys) if d.speaker_id is None else d.speaker_id) for d in decisions]


def _in_order_heard(decided: Sequence[tuple[Decision, int]], clips_of_audio: Mapping[int, Sequence[int]]) -> list[int]:
    """List the speakers by their first clip, clip keys rising with the names of the clips."""
    first: dict[int, int] = {}
    for decision, speaker_id in decided:
        clip_id = min(clips_of_audio[audio][0] for audio in decision.audio_ids)
        first[speaker_id] = min(clip_id, first.get(speaker_id, clip_id))
    return sorted(first, key=first.__getitem__)
