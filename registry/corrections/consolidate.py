"""Speakers that are one voice, and speakers that are two: mend what is certain, list the rest for a person."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Engine

from registry import settings
from registry.core import measures
from registry.core.linking.consolidation import Join
from registry.core.linking.consolidation import consolidate as decide
from registry.core.records import GENDERS
from registry.corrections.change import Change, Outcome, change_finding
from registry.corrections.merge import unite_all
from registry.corrections.part import Parting, part_all
from registry.corrections.recluster import Reclustered, is_young, recluster
from registry.database.store import addresses, corrections, history, listening, models, speakers
from registry.database.store.models import Foundation
from registry.database.store.operations import Author
from registry.database.store.strangers import strangers
from registry.errors import CorrectionRefused


@dataclass(frozen=True)
class Question:
    """Two speakers that may be one voice; a person should listen."""

    one: str  # label of the speaker whose number would stay
    other: str
    probability: float  # P(same voice)
    one_files: tuple[str, ...] = ()  # a few to hear, paths or URLs
    other_files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Doubt:
    """A speaker that may be two voices; a person should listen to what `registry split` proposes."""

    speaker: str  # label
    clips: int  # in the smaller part
    probability: float  # that it is one voice all the same
    is_black_hole: bool  # whether its clips are many and little alike, so that it may be far more than two
    leaving_files: tuple[str, ...] = ()  # a few of the smaller part to hear, paths or URLs
    staying_files: tuple[str, ...] = ()  # and of the other


@dataclass(frozen=True)
class Gap:
    """How far the registry, as it grew night by night, was from its clips clustered all at once."""

    clips: int
    moved: int  # clips that are another speaker's now
    agreement: float  # B-cubed F1 of the speakers before and after


@dataclass(frozen=True)
class Consolidated:
    """What was joined, and what is left to decide."""

    outcome: Outcome
    questions: tuple[Question, ...]  # the likeliest first
    doubts: tuple[Doubt, ...]  # black holes, then the likeliest to be two first
    gap: Gap | None  # of the full form


@dataclass(frozen=True)
class _Found:
    """What a consolidation found, both genders together."""

    questions: Sequence[Question]
    doubts: Sequence[Doubt]
    reclustered: Sequence[Reclustered]


def consolidate(engine: Engine, author: Author, *, full: bool = False, plan_only: bool = False) -> Consolidated:
    """Look for speakers that are two voices, and for one voice among all speakers of a gender.

    Speakers that surely are two are parted, those that the accepted false-merge rate allows are joined, the rest is
    listed. In full, all clips are clustered anew first, and the speakers live on in what comes out, see `recluster`.
    Speakers of whom a person said anything are not parted, and those confirmed or said to be different not joined.

    Raises:
        CorrectionRefused: The registry is empty, or compares voices within each broadcaster only.
    """

    def act(under_way: Change) -> tuple[Mapping[str, object], _Found]:
        foundation = _foundation(under_way)
        review: list[Join] = []
        maybe_two: list[Parting] = []
        reclustered: list[Reclustered] = []
        joined = parted = 0
        young = is_young(under_way.connection, foundation)
        for gender in GENDERS:
            if full or young:
                reclustered.append(recluster(under_way, foundation, gender))
            surely_two, doubtful = part_all(under_way, foundation, gender, may_part=not young)
            joins, unsure = _decide(under_way, foundation, gender, surely_two, may_join=not young)
            joined += len(unite_all(under_way, joins))
            parted += len(surely_two)
            review.extend(unsure)
            maybe_two.extend(doubtful)
        history.drop_passing(under_way.connection, under_way.operation_id)  # numbers are final now
        found = _Found(_as_questions(under_way, review), _as_doubts(under_way, maybe_two), reclustered)
        summary = {"joined": joined, "parted": parted, "to_review": len(found.questions) + len(found.doubts)}
        return summary | ({"reclustered": True} if full else {}), found

    outcome, found = change_finding(engine, author, "consolidate", act, plan_only)
    gap = _gap(found.reclustered) if full else None
    by_likelihood = sorted(found.questions, key=lambda question: -question.probability)
    in_order = sorted(found.doubts, key=lambda doubt: (not doubt.is_black_hole, doubt.probability))
    return Consolidated(outcome, tuple(by_likelihood), tuple(in_order), gap)


def _foundation(under_way: Change) -> Foundation:
    foundation = models.foundation(under_way.connection)
    if foundation is None:
        raise CorrectionRefused(cause="the registry is empty")
    if foundation.scope != settings.DEFAULT_SCOPE:
        raise CorrectionRefused(cause="this registry compares voices within each broadcaster only")
    return foundation


def _gap(reclustered: Iterable[Reclustered]) -> Gap:
    pairs = [pair for one in reclustered for pair in zip(one.before, one.after, strict=True)]
    before, after = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    agreement = measures.clustering(before, after).bcubed.f1 if len(before) else 1.0
    return Gap(len(before), int((before != after).sum()), agreement)


def _decide(
    under_way: Change, foundation: Foundation, gender: str, parted: Sequence[tuple[int, int]], *, may_join: bool
) -> tuple[tuple[Join, ...], tuple[Join, ...]]:
    """Give the speakers of a gender to join, and those to ask about; what was parted just now stays parted."""
    connection = under_way.connection
    speaker_ids, voices = speakers.all_voices(connection, foundation, gender)
    if len(speaker_ids) < 2:  # noqa: PLR2004 - a pair
        return (), ()
    apart = [*speakers.speakers_apart(connection), *parted]
    confirmed = speakers.confirmed_speakers(connection) if may_join else speaker_ids
    rule = foundation.rule
    others = strangers(connection, foundation, gender, rule.most_strangers)
    found = decide(voices, others, speaker_ids, apart, confirmed, rule)
    return found.joins, found.review


def _as_questions(under_way: Change, review: Sequence[Join]) -> list[Question]:
    """Name the speakers as they are called after the joins."""
    keys = sorted({key for pair in review for key in (pair.kept_id, pair.gone_id)})
    labels = {speaker.speaker_id: speaker.label for speaker in addresses.describe(under_way.connection, keys)}
    here = [pair for pair in review if pair.kept_id in labels and pair.gone_id in labels]
    files = listening.files_of_speakers(under_way.connection, list(labels))
    return [
        Question(
            labels[pair.kept_id],
            labels[pair.gone_id],
            pair.probability,
            files[pair.kept_id],
            files[pair.gone_id],
        )
        for pair in here
    ]


def _as_doubts(under_way: Change, partings: Sequence[Parting]) -> list[Doubt]:
    """Name the speakers that may be two, as far as they were not joined with others."""
    described = addresses.describe(under_way.connection, [parting.speaker_id for parting in partings])
    labels = {speaker.speaker_id: speaker.label for speaker in described}
    here = [parting for parting in partings if parting.speaker_id in labels]
    leaving = listening.files(under_way.connection, {parting.speaker_id: parting.leaving for parting in here})
    staying = listening.files(under_way.connection, {one.speaker_id: _staying(under_way, one) for one in here})
    return [
        Doubt(
            labels[parting.speaker_id],
            len(parting.leaving),
            parting.probability,
            parting.is_black_hole,
            leaving[parting.speaker_id],
            staying[parting.speaker_id],
        )
        for parting in here
    ]


def _staying(under_way: Change, parting: Parting) -> set[int]:
    return set(corrections.clips_of(under_way.connection, parting.speaker_id)) - set(parting.leaving)
