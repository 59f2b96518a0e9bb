"""Cluster the whole registry anew, and let today's speakers live on in what comes out."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from registry import settings
from registry.core.linking.decisions import Decision, KnownVoices, link
from registry.core.linking.reclustering import Succession, succeed
from registry.core.merging import unite
from registry.corrections.change import Change
from registry.database.store import corrections, embeddings, held_clips, history, speakers
from registry.database.store.clips import has_more_audios
from registry.database.store.held_clips import HeldClip
from registry.database.store.models import Foundation
from registry.database.store.strangers import strangers


@dataclass(frozen=True)
class Reclustered:
    """The speakers of one gender's clips before and after, clip by clip."""

    before: tuple[int, ...]
    after: tuple[int, ...]


def is_young(connection: Connection, foundation: Foundation) -> bool:
    """Tell whether a registry has so few clips that all are clustered anew after every night."""
    return foundation.scope == settings.DEFAULT_SCOPE and not has_more_audios(connection, settings.YOUNG_AUDIOS)


def recluster(under_way: Change, foundation: Foundation, gender: str) -> Reclustered:
    """Cluster all clips of a gender as if they had come in one night, and move those that end up elsewhere.

    Speakers of whom a person said anything keep every clip; those that were confirmed gain none either. A cluster
    lives on as the speaker with which it shares the most clips; numbers of speakers that live on nowhere become
    aliases of the one that got most of their clips.
    """
    held = held_clips.held_clips(under_way.connection, gender)
    settled = held_clips.settled_speakers(under_way.connection)
    free = [clip for clip in held if clip.speaker_id not in settled]
    if not free:
        return Reclustered((), ())
    decisions = _decide(under_way, foundation, gender, held, free, settled)
    clips_of_audio: defaultdict[int, list[int]] = defaultdict(list)
    for clip in free:
        clips_of_audio[clip.audio_id].append(clip.clip_id)
    clusters = [[clip for audio in decision.audio_ids for clip in clips_of_audio[audio]] for decision in decisions]
    speaker_of = {clip.clip_id: clip.speaker_id for clip in free}
    succession = succeed(clusters, [decision.speaker_id for decision in decisions], speaker_of)
    targets = _apply(under_way, gender, clusters, decisions, succession, speaker_of)
    after = {clip: target for clips, target in zip(clusters, targets, strict=True) for clip in clips}
    return Reclustered(
        tuple(clip.speaker_id for clip in held), tuple(after.get(clip.clip_id, clip.speaker_id) for clip in held)
    )


def _decide(
    under_way: Change,
    foundation: Foundation,
    gender: str,
    held: Sequence[HeldClip],
    free: Sequence[HeldClip],
    settled: set[int],
) -> list[Decision]:
    """Decide on the free clips, in order of their first."""
    connection = under_way.connection
    rule = foundation.rule
    speaker_ids, voices = speakers.all_voices(connection, foundation, gender)
    open_ids = settled - set(speakers.confirmed_speakers(connection))
    rows = np.array([row for row, key in enumerate(speaker_ids) if key in open_ids], dtype=np.int64)
    audio_ids = list(dict.fromkeys(clip.audio_id for clip in free))
    vectors = embeddings.vectors(connection, foundation.model_id, foundation.dimension, audio_ids)
    known = KnownVoices(
        [speaker_ids[row] for row in rows],
        voices.take(rows),
        strangers(connection, foundation, gender, rule.most_strangers),
        held_clips.audio_of_speakers(held, open_ids),
        speakers.speakers_apart(connection),
    )
    sounds = embeddings.sounds(connection, audio_ids)
    linking = link(audio_ids, vectors, *sounds, known, rule, may_join_stored=False)
    position = {audio_id: place for place, audio_id in enumerate(audio_ids)}
    return sorted(linking.decisions, key=lambda decision: min(position[audio] for audio in decision.audio_ids))


def _apply(
    under_way: Change,
    gender: str,
    clusters: Sequence[Sequence[int]],
    decisions: Sequence[Decision],
    succession: Succession,
    speaker_of: Mapping[int, int],
) -> list[int]:
    """Move clips and numbers; give the speaker of each cluster."""
    connection, operation_id = under_way.connection, under_way.operation_id
    missing = sum(speaker_id is None for speaker_id in succession.speaker_ids)
    new = iter(speakers.add_speakers(connection, gender, missing, operation_id))
    targets = [next(new) if speaker_id is None else speaker_id for speaker_id in succession.speaker_ids]
    for gone_id, cluster in sorted(succession.heirs.items()):
        before = corrections.holdings(connection, [gone_id, targets[cluster]])
        corrections.replace_holdings(connection, before, unite(before, targets[cluster]), operation_id)
    for clips, target, decision in zip(clusters, targets, decisions, strict=True):
        moved = [clip for clip in clips if speaker_of[clip] != target]
        if moved:
            corrections.reassign(connection, moved, target, "reclustered", operation_id, decision.probability)
    speakers.refresh_profiles(connection, history.speakers_touched(connection, operation_id))
    return targets
