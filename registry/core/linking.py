"""Who is who in a night: clusters and stored speakers are joined together, each decision with its probability."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from registry.core.building import builders
from registry.core.consolidation import Join, joins_of
from registry.core.joining import Constraints, Joined, join
from registry.core.likeness import Bar, Sets, bar_among
from registry.core.population import Population, estimate_population, night_levels, stranger_levels
from registry.core.probability_rule import ProbabilityRule
from registry.core.ranking import Choice, in_reach, rank
from registry.core.records import Floats, Integers
from registry.core.vectors import unit
from registry.core.voices import Voices, clips_as_voices

Reason = Literal["same-audio", "matched", "new"]


@dataclass(frozen=True)
class KnownVoices:
    """What is stored of the speakers that a night may match."""

    speaker_ids: Sequence[int]  # rising
    voices: Voices  # row by row of speaker_ids
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
    population: Population | None = None,
) -> Linking:
    """Decide the speaker of every audio of a night.

    Audio heard before keeps its speaker; the rest is clustered, and the clusters are joined with the stored speakers
    and, through them, with one another. What the night has taught of the population may join some more. The order of
    the input does not matter.

    Args:
        audio_ids: Keys of the night's different audios (n,).
        vectors: Their embeddings (n, dim), of any length but zero.
        durations_s: Their seconds (n,), more than 0.
        narrowness: How narrow a line they were heard over (n,): 0 studio, 1 telephone.
        known: The stored speakers they may match.
        rule: The constants.
        may_join_stored: Whether stored speakers may turn out to be one voice.
        population: Of whom they are, where more is known than the stored speakers and the night tell.

    Returns:
        Decisions that together hold every audio once, and joins of stored speakers to be made before.
    """
    fresh = np.array([row for row, audio in enumerate(audio_ids) if audio not in known.of_audio], dtype=np.int64)
    night = clips_as_voices(unit(vectors[fresh]), durations_s[fresh], narrowness[fresh])
    fresh_ids = np.asarray(audio_ids, dtype=np.int64)[fresh]
    confirmed = known.confirmed if may_join_stored else known.speaker_ids
    population = population or estimate_population(known.voices, night.mean, rule)
    decisions, joins = _link_fresh(fresh_ids, night, replace(known, confirmed=confirmed), population, rule)
    kept = {stored_join.gone_id: stored_join.kept_id for stored_join in joins}
    heard_before = sorted(audio for audio in audio_ids if audio in known.of_audio)
    speakers = [kept.get(known.of_audio[audio], known.of_audio[audio]) for audio in heard_before]
    again = [Decision((audio,), speaker, "same-audio") for audio, speaker in zip(heard_before, speakers, strict=True)]
    return Linking((*again, *decisions), joins)


def _link_fresh(
    audio_ids: Integers, night: Voices, known: KnownVoices, population: Population, rule: ProbabilityRule
) -> tuple[list[Decision], tuple[Join, ...]]:
    """Decide on audio not heard before."""
    if len(night) == 0:
        return [], ()
    count = len(known.voices)
    bar, clips, cluster = _cluster(night, population, count, rule)
    levels = stranger_levels(known.voices.mean, population, rule, np.arange(count))
    sets = bar.sets(known.voices, levels).followed_by(bar.united(clips, cluster))
    rows = np.arange(len(sets))
    joined = _join_awake(sets, rows, rows[count:], bar, known, Joined(rows, ()))
    joined = joined.followed_by(_settle(sets.voices, joined, known, rule))
    part, got = _parts(joined.root, count)
    lowest, present = _present(sets.take(np.arange(count)), joined.root[:count], bar)
    row = np.where(got < 0, -1, np.searchsorted(lowest, got))
    parts = bar.united(sets.take(np.arange(count, len(sets))), part)
    choices = rank(parts, present, row, [known.speaker_ids[row] for row in lowest], bar)
    doubtful = set(audio_ids[~builders(clips, part[cluster], present, row, bar)].tolist())
    decisions = [_decide(*one, doubtful) for one in zip(_members(audio_ids, part[cluster]), choices, strict=True)]
    return sorted(decisions, key=lambda decision: decision.audio_ids), joins_of(joined, known.speaker_ids, bar)


def _cluster(night: Voices, population: Population, count: int, rule: ProbabilityRule) -> tuple[Bar, Sets, Integers]:
    """Cluster tonight's clips among as many voices as there turn out to be.

    They are counted by the lowest bar, that of a night without any: the more voices, the higher the bar, and the
    higher the bar, the more of what it leaves are pieces of voices, which are no reason to raise it once more.

    Returns:
        The bar at last, the clips as it sees them, and the cluster (n,) of each.
    """
    lowest = Bar(rule, population.base_noise, count)
    clips = lowest.sets(night, night_levels(night.mean, population, rule))
    joined = join(clips, lowest)
    bar = replace(lowest, voices=count + len(clips) - len(joined.merges))
    cluster = np.unique(joined.until(bar.raised - lowest.raised).root, return_inverse=True)[1]
    return bar, clips, cluster


def _settle(voices: Voices, joined: Joined, known: KnownVoices, rule: ProbabilityRule) -> Joined:
    """Join once more by what the night has taught: all speakers of a small registry, those heard tonight of a large."""
    lowest, label = np.unique(joined.root, return_inverse=True)
    now = voices.united(label)
    population, bar = bar_among(now, rule)
    sets = bar.sets(now, stranger_levels(now.mean, population, rule, np.arange(len(now))))
    awake = np.arange(len(now)) if len(now) <= rule.settled_speakers else np.unique(label[len(known.voices) :])
    return _join_awake(sets, lowest, awake, bar, known, joined)


def _join_awake(sets: Sets, called: Integers, awake: Integers, bar: Bar, known: KnownVoices, before: Joined) -> Joined:
    """Join some sets with one another and with all in their reach.

    Args:
        sets: All sets (k,), each called by a row of `before`, rising.
        called: Those rows (k,).
        awake: Positions of the sets that are joined with all; the rest are not joined with one another.
        bar: What they are compared by.
        known: Which speakers may not be joined.
        before: What was joined before: rows of all stored speakers, then of the clusters.
    """
    rest = np.setdiff1d(np.arange(len(sets)), awake)
    near = rest[in_reach(sets.take(awake), sets.take(rest), bar)]
    chosen = np.union1d(near, awake)
    position = {int(row): place for place, row in enumerate(called[chosen])}
    roots = zip(known.speaker_ids, before.root[: len(known.voices)].tolist(), strict=True)
    place = {key: position[root] for key, root in roots if root in position}
    stored = int((called[chosen] < len(known.voices)).sum())
    asleep = np.flatnonzero(np.isin(chosen, near)).tolist()
    constraints = Constraints(stored, asleep).among(place, known.apart, known.confirmed)
    return join(sets.take(chosen), bar, constraints).renumbered(called[chosen], len(before.root))


def _parts(root: Integers, count: int) -> tuple[Integers, Integers]:
    """Part clusters by decision: each of a stored speaker alone, those of a new one together.

    Args:
        root: The roots of all rows, stored speakers and then clusters (c,).
        count: How many stored speakers there are.

    Returns:
        The part of each cluster (c,), and the row of the speaker that each part (p,) got, -1 for a new one.
    """
    found = root[count:]
    first, part = np.unique(np.where(found < count, np.arange(count, len(root)), found), return_inverse=True)
    return part, np.where(root[first] < count, root[first], -1)


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
