"""Forget a person, or all that is older than a date: the one thing that cannot be undone."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection, Engine

from registry.core.export_plan import label
from registry.core.merging import Holding
from registry.corrections.change import Act, Change, Outcome, change
from registry.corrections.judge import judge_touched
from registry.database.store import addresses, corrections, forgetting, identity, speakers, withdrawal
from registry.database.store.operations import Author
from registry.database.vacuum import vacuum
from registry.errors import UnknownSpeaker


def forget_speaker(engine: Engine, speaker: str, author: Author, *, plan_only: bool = False) -> Outcome:
    """Erase a person: clips, vectors, names, verdicts and history, also of speakers merged into it.

    The same recordings go wherever else they were heard. The numbers stay retired. The files in the input folders are
    not touched. Their audio's hashes are kept, so that a later ingest of the same folders leaves it out.
    The database's files are rewritten, see `vacuum`; `identity.is_vacuum_owed` tells if that could not be done.

    Raises:
        UnknownSpeaker, AmbiguousSpeaker: Nobody, or more than one, is called so.
    """

    def act(under_way: Change) -> Mapping[str, object]:
        connection = under_way.connection
        person = _person(connection, speaker)
        clip_ids = forgetting.clips_last_of(connection, set[int]().union(*person.values()))
        return _erase(under_way, forgetting.of_same_sound(connection, clip_ids), person)

    return _forget(engine, author, act, plan_only=plan_only)


def forget_older_than(engine: Engine, date: dt.date, author: Author, *, plan_only: bool = False) -> Outcome:
    """Erase the clips of all nights before a date. Speakers that have no clip left are erased with their names.

    A sound that a newer night holds too is kept with that night, and may be taken in again from the old one's folder.
    """

    def act(under_way: Change) -> Mapping[str, object]:
        clip_ids = forgetting.clips_before(under_way.connection, date)
        return {"before": str(date), **_erase(under_way, clip_ids, {})}

    return _forget(engine, author, act, plan_only=plan_only)


def _forget(engine: Engine, author: Author, act: Act, *, plan_only: bool) -> Outcome:
    outcome = change(engine, author, "forget", act, plan_only=plan_only)
    if not plan_only:
        vacuum(engine)
    return outcome


def _person(connection: Connection, address: str) -> dict[int, set[int]]:
    """Name a speaker with all that became it; of a retired number whoever an earlier version did not quite forget."""
    try:
        found = addresses.find_speaker(connection, address)
    except UnknownSpeaker:
        left = forgetting.left_of_forgotten(connection, addresses.parts_of(address))
        if not left:
            raise
        return {min(left): left}
    return withdrawal.became(connection, [found.speaker_id])


def _erase(
    under_way: Change, clip_ids: Collection[int], persons: Mapping[int, Collection[int]]
) -> Mapping[str, object]:
    """Erase clips, and with them each speaker that keeps none, with all that became it when it was merged.

    Args:
        under_way: The operation.
        clip_ids: The clips.
        persons: Speakers that are erased in any case: each with those that became it.
    """
    connection, operation_id = under_way.connection, under_way.operation_id
    heard = withdrawal.became(connection, forgetting.speakers_last_of(connection, clip_ids))
    leaving = {heir: every for heir, every in heard.items() if not _stays(connection, every, clip_ids)} | dict(persons)
    gone = sorted(set[int]().union(*leaving.values()))
    retired = _labels(corrections.holdings(connection, leaving))
    hidden = forgetting.hide_commands(connection, gone, clip_ids)
    erased = forgetting.erase_clips(connection, clip_ids)
    traces = forgetting.erase_traces(connection, gone, operation_id)
    staying = heard.keys() - leaving.keys()
    speakers.refresh_profiles(connection, staying)
    judge_touched(connection, staying, operation_id)
    identity.owe_vacuum(connection, is_owed=True)
    return {"retired": retired, **erased, **traces, "command_lines": hidden}


def _stays(connection: Connection, speaker_ids: Collection[int], clip_ids: Collection[int]) -> bool:
    return bool(forgetting.speakers_with_others(connection, speaker_ids, clip_ids))


def _labels(holdings: Iterable[Holding]) -> list[str]:
    return [f"{held.broadcaster}/{label(held.gender, held.number)}" for held in sorted(holdings)]
