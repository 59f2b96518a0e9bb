"""Speakers that are two voices: part those that surely are, and name those that may be."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from registry.core.linking.black_holes import is_black_hole
from registry.core.linking.splitting import cut_in_two, one_voice
from registry.core.linking.voices import clips_as_voices
from registry.core.records import Floats
from registry.core.vectors import unit
from registry.corrections.bar import bar_of
from registry.corrections.change import Change
from registry.corrections.move import make_speaker
from registry.database.store import corrections, embeddings, held_clips, history, speakers
from registry.database.store.held_clips import HeldClip
from registry.database.store.models import Foundation

BATCH_AUDIOS = 20_000  # whose vectors are in memory together: 16 MB


@dataclass(frozen=True)
class Parting:
    """A speaker that falls in two."""

    speaker_id: int
    leaving: tuple[int, ...]  # clips of the smaller part
    probability: float  # that it is one voice all the same
    is_black_hole: bool  # whether its clips are many and little alike, so that it may be far more than two


def part_all(
    under_way: Change, foundation: Foundation, gender: str, *, may_part: bool = True
) -> tuple[list[tuple[int, int]], list[Parting]]:
    """Part the speakers of a gender that are two voices; those of whom a person said anything stay whole.

    Args:
        under_way: The operation.
        foundation: What the registry is built on.
        gender: Whose speakers.
        may_part: Whether any is parted, or all are only named.

    Returns:
        Both speakers of each that was parted, and those that may be two, black holes and then the likeliest first.
    """
    surely = foundation.rule.parting_probability if may_part else 0.0
    found = sorted(
        _find(under_way, foundation, gender),
        key=lambda parting: (not parting.is_black_hole, parting.probability, parting.speaker_id),
    )
    parted = [parting for parting in found if parting.probability < surely]
    doubtful = [parting for parting in found if parting.probability >= surely]
    connection, operation_id = under_way.connection, under_way.operation_id
    two: list[tuple[int, int]] = []
    for parting in sorted(parted, key=lambda parting: parting.leaving):
        new_id = make_speaker(under_way, gender)
        corrections.reassign(connection, parting.leaving, new_id, "parted", operation_id)
        two.append((parting.speaker_id, new_id))
    speakers.refresh_profiles(connection, history.speakers_touched(connection, operation_id))
    return two, doubtful


def _find(under_way: Change, foundation: Foundation, gender: str) -> Iterator[Parting]:
    bar = bar_of(under_way.connection, foundation, gender)
    for held, vectors, durations_s, narrowness in _with_vectors(under_way, foundation, gender):
        cut = cut_in_two(vectors)
        probability = one_voice(vectors, durations_s, narrowness, cut, bar)
        clips = bar.sets(clips_as_voices(unit(vectors), durations_s, narrowness))
        is_hole = is_black_hole(clips, bar)
        if is_hole or probability < 0.5:  # noqa: PLR2004 - as likely as not
            gone = [clips for clips, leaves in zip(held, cut.leaves, strict=True) if leaves]
            leaving = sorted(clip.clip_id for clips in gone for clip in clips)
            yield Parting(held[0][0].speaker_id, tuple(leaving), probability, is_hole)


def _with_vectors(
    under_way: Change, foundation: Foundation, gender: str
) -> Iterator[tuple[list[list[HeldClip]], Floats, Floats, Floats]]:
    """Give each speaker that could be parted: its clips, by audio, and the audios' vectors, seconds and narrowness."""
    connection = under_way.connection
    settled = held_clips.settled_speakers(connection)
    held = (clip for clip in held_clips.held_clips(connection, gender) if clip.speaker_id not in settled)
    for batch in _batches(_by_speaker_and_audio(held)):
        audio_ids = [clips[0].audio_id for speaker in batch for clips in speaker]
        vectors = embeddings.vectors(connection, foundation.model_id, foundation.dimension, audio_ids)
        durations_s, narrowness = embeddings.sounds(connection, audio_ids)
        start = 0
        for speaker in batch:
            own = slice(start, start + len(speaker))
            yield speaker, vectors[own], durations_s[own], narrowness[own]
            start += len(speaker)


def _by_speaker_and_audio(held: Iterable[HeldClip]) -> Iterator[list[list[HeldClip]]]:
    """Group clips by speaker and audio; a speaker with one audio cannot be parted."""
    found: defaultdict[int, defaultdict[int, list[HeldClip]]] = defaultdict(lambda: defaultdict(list))
    for clip in held:
        found[clip.speaker_id][clip.audio_id].append(clip)
    for _, by_audio in sorted(found.items()):
        if len(by_audio) > 1:
            yield list(by_audio.values())


def _batches(of_speakers: Iterable[list[list[HeldClip]]]) -> Iterator[Sequence[list[list[HeldClip]]]]:
    batch: list[list[list[HeldClip]]] = []
    for speaker in of_speakers:
        batch.append(speaker)
        if sum(map(len, batch)) >= BATCH_AUDIOS:
            yield batch
            batch = []
    if batch:
        yield batch
