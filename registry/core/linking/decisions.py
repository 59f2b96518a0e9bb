"""Who is who in a night: the night's clips are joined with one another and with the stored speakers."""

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
    """What is stored of the speakers that the clips of a night may belong to."""

    speaker_ids: Sequence[int]  # (s,) keys of the speakers, rising
    voices: Voices  # (s,) their profiles, in the same order
    strangers: Voices  # clips of the other gender, stored and of this night
    of_audio: Mapping[int, int]  # recording -> speaker, for recordings heard before
    apart: Collection[tuple[int, int]] = ()  # pairs of speakers that are two voices
    confirmed: Collection[int] = ()  # speakers that a person confirmed: no other stored speaker may be joined with them


@dataclass(frozen=True)
class Decision:
    """The speaker of a cluster of the night's recordings.

    Scores and probabilities compare the cluster with a stored speaker as it was before the night. None stands for no
    comparison.
    """

    audio_ids: tuple[int, ...]  # the recordings
    speaker_id: int | None  # None for a new speaker
    reason: Reason
    score: float | None = None  # mean pairwise cosine with the speaker
    probability: float | None = None  # P(same voice) of cluster and speaker
    runner_up_id: int | None = None  # the next best stored speaker
    runner_up_score: float | None = None  # mean pairwise cosine with the runner-up
    runner_up_probability: float | None = None  # P(same voice) of cluster and runner-up
    doubtful_ids: tuple[int, ...] = ()  # the doubtful recordings among them, which must not build the profile


@dataclass(frozen=True)
class Linking:
    """What was decided about a night."""

    decisions: tuple[Decision, ...]  # together they hold every recording of the night once
    joins: tuple[
        Join, ...
    ]  # stored speakers that turned out to be one voice; decisions name only speakers that are kept


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
    """Decide the speaker of every recording of a night.

    A recording that was heard before keeps its speaker. All other recordings are joined with one another and with the
    stored speakers. The order of the recordings does not matter.

    Args:
        audio_ids: Keys of the night's different recordings (n,).
        vectors: Their embeddings (n, dim), of any length but zero.
        durations_s: Their durations in seconds (n,), more than 0.
        narrowness: Their narrowness (n,), from 0, a studio, to 1, a telephone.
        known: The stored speakers that the recordings may belong to, and strangers.
        rule: The constants.
        may_join_stored: Whether two stored speakers may turn out to be one voice.

    Returns:
        The decisions, and the joins of stored speakers, which are to be made before the decisions are applied.
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
    """Decide on recordings that were not heard before.

    Args:
        audio_ids: Their keys (n,).
        night: Their summaries, each a set of its own (n,).
        known: The stored speakers, and strangers.
        rule: The constants.

    Returns:
        The decisions, in order of their recordings' keys, and the joins of stored speakers.
    """
    if len(night) == 0:
        return [], ()
    count = len(known.voices)
    sets, joined, bar = _join_in_rounds(known.voices.followed_by(night), known, rule)
    stored, clips = sets.take(np.arange(count)), sets.take(np.arange(count, len(sets)))
    roots, cluster = np.unique(joined.root[count:], return_inverse=True)
    kept, present = _present(stored, joined.root[:count], bar)
    got = np.where(roots < count, np.searchsorted(kept, roots), -1)  # each cluster's row of `present`, -1 for none
    choices = rank(bar.united(clips, cluster), present, got, [known.speaker_ids[row] for row in kept], bar)
    doubtful = set(audio_ids[~builders(clips, cluster, present, got, bar)].tolist())
    decisions = [
        _decide(recordings, own, other, doubtful)
        for recordings, (own, other) in zip(_members(audio_ids, cluster), choices, strict=True)
    ]
    return sorted(decisions, key=lambda decision: decision.audio_ids), joins_of(joined, known.speaker_ids)


def _join_in_rounds(everybody: Voices, known: KnownVoices, rule: ProbabilityRule) -> tuple[Sets, Joined, Bar]:
    """Join stored speakers and a night's clips in rounds: each round learns the population from the round before.

    In a small registry all sets are joined with one another. In a large registry the night's clips are joined with one
    another and with the stored speakers in their reach, and only one round is made, because a night teaches little.

    Args:
        everybody: The stored speakers (s), then the night's clips (n), as sets.
        known: The stored speakers, and strangers.
        rule: The constants.

    Returns:
        All sets (s + n), prepared by the bar of the last round, what was joined in it, and that bar.
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
    """Join the rows awake with one another and with the other rows in their reach.

    Two rows that are not awake, and so stored speakers, are joined only where a row awake joins both.
    """
    rest = np.setdiff1d(np.arange(len(sets)), awake)
    near = rest[in_reach(sets.take(awake), sets.take(rest), bar)]
    place = {key: row for row, key in enumerate(known.speaker_ids)}
    constraints = Constraints(len(place), rest.tolist()).among(place, known.apart, known.confirmed)
    return join_without_black_holes(sets, np.union1d(near, awake), bar, constraints)


def _present(stored: Sets, root: Integers, bar: Bar) -> tuple[Integers, Sets]:
    """Unite the stored speakers that were joined with one another.

    Args:
        stored: The stored speakers (s).
        root: The lowest row of the set that each is in (s,).
        bar: The bar.

    Returns:
        The rows of the stored speakers that are kept (p,), and their sets (p).
    """
    kept, label = np.unique(root, return_inverse=True)
    return kept, bar.united(stored, label) if len(kept) < len(stored) else stored


def _members(audio_ids: Integers, cluster: Integers) -> list[tuple[int, ...]]:
    """List the recordings of every cluster, from keys (n,) and clusters (n,), which count from 0 without gaps."""
    order = np.argsort(cluster, kind="stable")
    return [tuple(sorted(ids.tolist())) for ids in np.split(audio_ids[order], np.cumsum(np.bincount(cluster))[:-1])]


def _decide(
    audio_ids: tuple[int, ...], own: Choice | None, other: Choice | None, doubtful: Collection[int]
) -> Decision:
    """Decide on a cluster, from the stored speaker that it got, if any, and the runner-up, if any."""
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
