"""Keep up how sure it is that each clip is its speaker's, as speakers gain and lose clips."""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection

from registry import settings
from registry.core.certainty import certainties
from registry.store import certainty, models, operations
from registry.store.models import Foundation

GENDERS = ("F", "M")  # never compared with each other
SPEAKERS_TOGETHER = 1000  # judged at a time, so that memory stays flat


def judge_touched(connection: Connection, speaker_ids: Collection[int], operation_id: int) -> None:
    """Judge the clips that an operation gave to some speakers, and all clips of those that it changed much."""
    foundation = models.foundation(connection)
    if foundation is not None and speaker_ids:
        _judge(connection, foundation, certainty.outdated(connection, foundation, speaker_ids), operation_id)


def judge_left(connection: Connection) -> None:
    """Judge the clips of all speakers that were never judged: of a registry that an earlier version wrote."""
    foundation = models.foundation(connection)
    if foundation is None or not certainty.never_judged(connection, foundation):
        return
    operations.lock_registry(connection)
    left = certainty.never_judged(connection, foundation)
    for start in range(0, len(left), SPEAKERS_TOGETHER):
        _judge(connection, foundation, left[start : start + SPEAKERS_TOGETHER], None)


def _judge(connection: Connection, foundation: Foundation, whole: Sequence[int], operation_id: int | None) -> None:
    rule = settings.linking_rule(foundation.false_merge_rate)
    for gender in GENDERS:
        found = certainty.unjudged(connection, foundation, gender, whole, operation_id)
        if found.audio_ids:
            strangers = certainty.cohort(connection, foundation, gender, found.speaker_ids, rule.cohort_speakers)
            probabilities = certainties(found.members, found.speakers, strangers, rule)
            certainty.save(connection, found, probabilities, set(whole) & set(found.speaker_ids))
