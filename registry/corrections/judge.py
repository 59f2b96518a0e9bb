"""Keep up how sure it is that each clip is its speaker's, as speakers gain and lose clips."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from sqlalchemy import Connection

from registry.core.linking.certainty import certainties
from registry.core.linking.probability_rule import ProbabilityRule
from registry.core.records import GENDERS
from registry.database.store import clip_certainty, models, operations
from registry.database.store.models import Foundation
from registry.database.store.strangers import strangers

AUDIOS_TOGETHER = 20_000  # whose vectors are in memory together: 16 MB
COHORT_SPEAKERS = 2000  # that stand for all of a gender at the most: cost stays flat


def judge_touched(connection: Connection, speaker_ids: Collection[int], operation_id: int) -> None:
    """Judge the clips that an operation gave to some speakers, and all clips of those that it changed much."""
    foundation = models.foundation(connection)
    if foundation is not None and speaker_ids:
        _judge(connection, foundation, clip_certainty.outdated(connection, foundation, speaker_ids), operation_id)


def judge_left(connection: Connection) -> None:
    """Judge the clips of all speakers that were never judged: of a registry that an earlier version wrote."""
    foundation = models.foundation(connection)
    if foundation is None or not clip_certainty.never_judged(connection, foundation):
        return
    operations.lock_registry(connection)
    _judge(connection, foundation, clip_certainty.never_judged(connection, foundation), None)


def _judge(connection: Connection, foundation: Foundation, audios: Mapping[int, int], operation_id: int | None) -> None:
    rule = foundation.rule
    first, *more = list(_together(audios)) or [[]]
    _judge_some(connection, foundation, rule, first, operation_id)
    for whole in more:
        _judge_some(connection, foundation, rule, whole, None)


def _together(audios: Mapping[int, int]) -> Iterator[list[int]]:
    """Put speakers together up to so many audios; one with more stands alone."""
    together: list[int] = []
    count = 0
    for speaker_id, own in audios.items():
        if together and count + own > AUDIOS_TOGETHER:
            yield together
            together, count = [], 0
        together.append(speaker_id)
        count += own
    if together:
        yield together


def _judge_some(
    connection: Connection,
    foundation: Foundation,
    rule: ProbabilityRule,
    whole: Sequence[int],
    operation_id: int | None,
) -> None:
    for gender in GENDERS:
        found = clip_certainty.unjudged(connection, foundation, gender, whole, operation_id)
        if found.audio_ids:
            others = strangers(connection, foundation, gender, rule.most_strangers)
            cohort = clip_certainty.cohort(connection, foundation, gender, COHORT_SPEAKERS, others)
            probabilities = certainties(found.members, found.speakers, cohort, rule)
            clip_certainty.save(connection, found, probabilities, set(whole) & set(found.speaker_ids))
