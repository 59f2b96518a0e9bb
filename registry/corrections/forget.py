"""Forget a person, or all that is older than a date: the one thing that cannot be undone."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, Engine

from registry.core.export_plan import label
from registry.core.succession import Holding
from registry.corrections.change import Change, Outcome, change
from registry.store import addresses, corrections, forgetting, speakers, withdrawal
from registry.store.operations import Author


def forget_speaker(engine: Engine, speaker: str, author: Author, *, plan_only: bool = False) -> Outcome:
    """Erase a person: clips, vectors, names, verdicts and history, also of speakers merged into it.

    The number stays retired. The files in the input folders are not touched. Their audio's hashes are kept, so that a
    later ingest of the same folders leaves it out.

    Raises:
        UnknownSpeaker, AmbiguousSpeaker: Nobody, or more than one, is called so.
    """

    def act(under_way: Change) -> Mapping[str, object]:
        connection = under_way.connection
        found = addresses.find_speaker(connection, speaker)
        held = corrections.holdings(connection, [found.speaker_id])
        everybody = withdrawal.became(connection, found.speaker_id)
        hidden = _hide_commands(connection, everybody)
        erased = forgetting.erase_clips(connection, forgetting.clips_last_of(connection, everybody))
        traces = _erase_traces(under_way, everybody)
        return {"retired": _labels(held), **erased, **traces, "command_lines": hidden}

    return change(engine, author, "forget", act, plan_only=plan_only)


def forget_older_than(engine: Engine, date: dt.date, author: Author, *, plan_only: bool = False) -> Outcome:
    """Erase the clips of all nights before a date. Speakers that have no clip left are erased with their names."""

    def act(under_way: Change) -> Mapping[str, object]:
        connection = under_way.connection
        clip_ids = forgetting.clips_before(connection, date)
        touched = forgetting.speakers_last_of(connection, clip_ids)
        erased = forgetting.erase_clips(connection, clip_ids)
        left = touched - forgetting.speakers_with_clips(connection, touched)
        retired = _labels(corrections.holdings(connection, left))
        everybody = sorted({one for speaker_id in left for one in withdrawal.became(connection, speaker_id)})
        _hide_commands(connection, everybody)
        _erase_traces(under_way, everybody)
        speakers.refresh_profiles(connection, touched - left)
        return {"before": str(date), "retired": retired, **erased}

    return change(engine, author, "forget", act, plan_only=plan_only)


def _hide_commands(connection: Connection, speaker_ids: Iterable[int]) -> int:
    return sum(forgetting.hide_commands(connection, speaker_id) for speaker_id in speaker_ids)


def _erase_traces(under_way: Change, speaker_ids: Iterable[int]) -> Counter[str]:
    traces = Counter[str]()
    for speaker_id in speaker_ids:
        traces.update(forgetting.erase_traces(under_way.connection, speaker_id, under_way.operation_id))
    return traces


def _labels(holdings: Iterable[Holding]) -> list[str]:
    return [f"{held.broadcaster}/{label(held.gender, held.number)}" for held in sorted(holdings)]
