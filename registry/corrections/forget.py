"""Forget a person, or all that is older than a date: the one thing that cannot be undone."""

import datetime as dt
from collections.abc import Iterable, Mapping

from sqlalchemy import Engine

from registry.core.export_plan import label
from registry.core.succession import Holding
from registry.corrections.change import Change, Outcome, change
from registry.store import addresses, corrections, forgetting, speakers
from registry.store.operations import Author


def forget_speaker(engine: Engine, speaker: str, author: Author, *, plan_only: bool = False) -> Outcome:
    """Erase a person: clips, vectors, names, verdicts and history. The number stays retired.

    The files in the input folders are not touched. Their audio's hashes are kept, so that a later ingest of the
    same folders leaves it out.

    Raises:
        UnknownSpeaker, AmbiguousSpeaker: Nobody, or more than one, is called so.
    """

    def act(under_way: Change) -> Mapping[str, object]:
        connection, operation_id = under_way.connection, under_way.operation_id
        found = addresses.find_speaker(connection, speaker)
        held = corrections.holdings(connection, [found.speaker_id])
        hidden = forgetting.hide_commands(connection, found.speaker_id)
        erased = forgetting.erase_clips(connection, forgetting.clips_last_of(connection, found.speaker_id))
        traces = forgetting.erase_traces(connection, found.speaker_id, operation_id)
        return {"retired": _labels(held), **erased, **traces, "command_lines": hidden}

    return change(engine, author, "forget", act, plan_only=plan_only)


def forget_older_than(engine: Engine, date: dt.date, author: Author, *, plan_only: bool = False) -> Outcome:
    """Erase the clips of all nights before a date. Speakers that have no clip left are erased with their names."""

    def act(under_way: Change) -> Mapping[str, object]:
        connection, operation_id = under_way.connection, under_way.operation_id
        clip_ids = forgetting.clips_before(connection, date)
        touched = set(corrections.speakers_of(connection, clip_ids).values())
        erased = forgetting.erase_clips(connection, clip_ids)
        left = {speaker_id for speaker_id in touched if not corrections.clips_of(connection, speaker_id)}
        retired = _labels(corrections.holdings(connection, left))
        for speaker_id in sorted(left):
            forgetting.hide_commands(connection, speaker_id)
            forgetting.erase_traces(connection, speaker_id, operation_id)
        speakers.refresh_profiles(connection, touched - left)
        return {"before": str(date), "retired": retired, **erased}

    return change(engine, author, "forget", act, plan_only=plan_only)


def _labels(holdings: Iterable[Holding]) -> list[str]:
    return [f"{held.broadcaster}/{label(held.gender, held.number)}" for held in sorted(holdings)]
