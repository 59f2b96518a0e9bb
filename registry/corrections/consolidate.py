"""Speakers that are one voice, among all of them: join what is certain, list the rest for a person."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine

from registry import settings
from registry.core.consolidation import Join
from registry.core.consolidation import consolidate as decide
from registry.corrections.change import Change, Outcome, change
from registry.corrections.merge import unite_all
from registry.errors import CorrectionRefused
from registry.store import addresses, models, speakers
from registry.store.operations import Author

GENDERS = ("F", "M")  # never compared with each other


@dataclass(frozen=True)
class Question:
    """Two speakers that may be one voice; a person should listen."""

    one: str  # label of the speaker whose number would stay
    other: str
    probability: float  # P(same voice)


@dataclass(frozen=True)
class Consolidated:
    """What was joined, and what is left to decide."""

    outcome: Outcome
    questions: tuple[Question, ...]  # the likeliest first


def consolidate(engine: Engine, author: Author, *, plan_only: bool = False) -> Consolidated:
    """Look for one voice among all speakers of a gender, and join those that the accepted false-merge rate allows.

    Speakers that a person confirmed, or decided to be different, stay as they are.

    Raises:
        CorrectionRefused: The registry is empty, or compares voices within each broadcaster only.
    """
    questions: list[Question] = []

    def act(under_way: Change) -> Mapping[str, object]:
        joined = 0
        for gender in GENDERS:
            joins, review = _decide(under_way, gender)
            joined += len(unite_all(under_way, joins))
            questions.extend(_as_questions(under_way, review))
        return {"joined": joined, "to review": len(questions)}

    outcome = change(engine, author, "consolidate", act, plan_only=plan_only)
    return Consolidated(outcome, tuple(sorted(questions, key=lambda question: -question.probability)))


def _decide(under_way: Change, gender: str) -> tuple[tuple[Join, ...], tuple[Join, ...]]:
    connection = under_way.connection
    foundation = models.foundation(connection)
    if foundation is None:
        raise CorrectionRefused(cause="the registry is empty")
    if foundation.scope != settings.DEFAULT_SCOPE:
        raise CorrectionRefused(cause="this registry compares voices within each broadcaster only")
    speaker_ids, voices = speakers.all_voices(connection, foundation, gender)
    if len(speaker_ids) < 2:  # noqa: PLR2004 - a pair
        return (), ()
    apart, confirmed = speakers.speakers_apart(connection), speakers.confirmed_speakers(connection)
    found = decide(voices, speaker_ids, apart, confirmed, settings.linking_rule(foundation.false_merge_rate))
    return found.joins, found.review


def _as_questions(under_way: Change, review: tuple[Join, ...]) -> list[Question]:
    """Name the speakers as they are called after the joins."""
    keys = sorted({key for pair in review for key in (pair.kept_id, pair.gone_id)})
    labels = {speaker.speaker_id: speaker.label for speaker in addresses.describe(under_way.connection, keys)}
    here = [pair for pair in review if pair.kept_id in labels and pair.gone_id in labels]
    return [Question(labels[pair.kept_id], labels[pair.gone_id], pair.probability) for pair in here]
