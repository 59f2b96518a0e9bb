"""Who is who in a night: its clips and the stored speakers are joined together, each decision with its probability."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from registry.core.linking.black_holes import join_without_black_holes
from registry.core.linking.building import builders
from registry.core.linking.consolidation import Join, joins_of
from registry.core.linking.joining import Constraints, Joined
from registry.core.linking.likeness import Bar, Sets, bar_among
from registry.core.linking.probability_rule import ProbabilityRule
from registry.core.linking.ranking import Choice, in_reach, rank
from registry.core.linking.voices import Voices, clips_as_voices
from registry.core.records import Floats, Integers
from registry.core.vectors import unit

Reason = Literal["same-audio", "matched", "new"]


@dataclass(frozen=True)
class KnownVoices:
    """What is stored of the speakers that a night may match."""

    speaker_ids: Sequence[int]  # rising
    voices: Voices  # row by row of speaker_ids
    strangers: Voices  # of the other gender, stored and of tonight: none of them is any of these voices
    of_audio: Mapping[int, int]  # audio key -> speaker key, for audio heard before
    apart: Collection[tuple[int, int]] = ()  # keys of speakers that are two voices
    confirmed: Collection[int] = ()  # keys of speakers that a person confirmed: no stored speaker may join them


@dataclass(frozen=True)
class Decision:
    """One speaker for some audios of the night; `speaker_id` None stands for a new speaker.

    Probabilities are of the audios and the speaker, as it was stored, being one voice.
    """

    audio_ids: tuple[int, ...]
    speaker_id: int | None
    reason: Reason
    score: float | None = None  # mean pairwise cosine
    probability: float | None = None
    runner_up_id: int | None = None
    runner_up_score: float | None = None
    runner_up_probability: float | None = None
    doubtful_ids: tuple[int, ...] = ()  # of the audios those that have the speaker but must not build its profile


@dataclass(frozen=True)
class Linking:
    """The decisions of a night, which hold every audio once, and the stored speakers that it brought together."""

    decisions: tuple[Decision, ...]
    joins: tuple[Join, ...]  # decisions name the kept speakers only


def link(
    audio_ids: Sequence[int],
    vectors: Floats,
    durations_s: Floats,
    narrowness: Floats,
    known: KnownVoices,
    rule: ProbabilityRule,
    *,
    may_join_stored: bool = True,
) -> Linking:
    """Decide the speaker of every audio of a night.

    Audio heard before keeps its speaker; the rest is joined with the stored speakers and with one another. The order of
    the input does not matter.

    Args:
        audio_ids: Keys of the night's different audios (n,).
        vectors: Their embeddings (n, dim), of any length but zero.
        durations_s: Their seconds (n,), more than 0.
        narrowness: From 0, a studio, to 1, a telephone (n,).
        known: The stored speakers they may match, and strangers.
        rule: The constants.
        may_join_stored: Whether stored speakers may turn out to be one voice.

    Returns:
        Decisions that together hold every audio once, and joins of stored speakers to be made before.
    """
    fresh = np.array([row for row, audio in enumerate(audio_ids) if audio not in known.of_audio], dtype=np.int64)
    night = clips_as_voices(unit(vectors[fresh]), durations_s[fresh], narrowness[fresh])
    fresh_ids = np.asarray(audio_ids, dtype=np.int64)[fresh]
    confirmed = known.confirmed if may_join_stored else known.speaker_ids
    decisions, joins = _link_fresh(fresh_ids, night, replace(known, confirmed=confirmed), rule)
    kept = {stored_join.gone_id: stored_join.kept_id for stored_join in joins}
    heard_before = sorted(audio for audio in audio_ids if audio in known.of_audio)
    speakers = [kept.get(known.of_audio[audio], known.of_audio[audio]) for audio in heard_before]
    again = [Decision((audio,), speaker, "same-audio") for audio, speaker in zip(heard_before, speakers, strict=True)]
    return Linking((*again, *decisions), joins)


def _link_fresh(
    audio_ids: Integers, night: Voices, known: KnownVoices, rule: ProbabilityRule
) -> tuple[list[Decision], tuple[Join, ...]]:
    """Decide on audio not heard before."""
    if len(night) == 0:
        return [], ()
    count = len(known.voices)
    sets, joined, bar = _join_in_rounds(known.voices.followed_by(night), known, rule)
    stored, clips = sets.take(np.arange(count)), sets.take(np.arange(count, len(sets)))
    roots, part = np.unique(joined.root[count:], return_inverse=True)
    lowest, present = _present(stored, joined.root[:count], bar)
    row = np.where(roots < count, np.searchsorted(lowest, roots), -1)
    choices = rank(bar.united(clips, part), present, row, [known.speaker_ids[row] for row in lowest], bar)
    doubtful = set(audio_ids[~builders(clips, part, present, row, bar)].tolist())
    decisions = [_decide(*one, doubtful) for one in zip(_members(audio_ids, part), choices, strict=True)]
    return sorted(decisions, key=lambda decision: decision.audio_ids), joins_of(joined, known.speaker_ids)


def _join_in_rounds(everybody: Voices, known: KnownVoices, rule: ProbabilityRule) -> tuple[Sets, Joined, Bar]:
    """Join stored speakers, the first rows, and tonight's clips; and anew by what that has taught of the population.

    In a small registry all are joined with all; in a large one tonight's clips with those in their reach, and once, for
    a night teaches little there.

    Returns:
        All as the last bar sees them, what it joined, and the bar.
    """
    count = len(known.voices)
    is_small = count <= rule.settled_speakers
    awake = np.arange(0 if is_small else count, len(everybody))
    root = np.arange(len(everybody))
    for _ in range(rule.rounds if is_small else 1):
        bar = bar_among(everybody.united(np.unique(root, return_inverse=True)[1]), known.strangers, rule)
        sets = bar.sets(everybody)
        joined = _join_awake(sets, awake, bar, known)
        if np.array_equal(joined.root, root):
            break
        root = joined.root
    return sets, joined, bar


def _join_awake(sets: Sets, awake: Integers, bar: Bar, known: KnownVoices) -> Joined:
    """Join some rows with one another and with all in their reach; the rest is not joined with one another."""
    rest = np.setdiff1d(np.arange(len(sets)), awake)
    near = rest[in_reach(sets.take(awake), sets.take(rest), bar)]
    place = {key: row for row, key in enumerate(known.speaker_ids)}
    constraints = Constraints(len(place), rest.tolist()).among(place, known.apart, known.confirmed)
    return join_without_black_holes(sets, np.union1d(near, awake), bar, constraints)


def _present(stored: Sets, root: Integers, bar: Bar) -> tuple[Integers, Sets]:
    """Give the stored speakers as their joins, by root (s,), make them: the lowest row of each, and the sets."""
    lowest, label = np.unique(root, return_inverse=True)
    return lowest, bar.united(stored, label) if len(lowest) < len(stored) else stored


def _members(audio_ids: Integers, part: Integers) -> list[tuple[int, ...]]:
    order = np.argsort(part, kind="stable")
    return [tuple(sorted(ids.tolist())) for ids in np.split(audio_ids[order], np.cumsum(np.bincount(part))[:-1])]


def _decide(
    audio_ids: tuple[int, ...], choices: tuple[Choice | None, Choice | None], doubtful: Collection[int]
) -> Decision:
    own, other = choices
    return Decision(
        audio_ids,
        own.speaker_id if own else None,
        "matched" if own else "new",
        score=own.score if own else None,
        probability=own.probability if own else None,
        runner_up_id=other.speaker_id if other else None,
        runner_up_score=other.score if other else None,
        runner_up_probability=other.probability if other else None,
        doubtful_ids=tuple(audio for audio in audio_ids if audio in doubtful),
    )
