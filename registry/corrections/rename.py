"""A human name for a speaker; the number stays."""

from collections.abc import Mapping

from sqlalchemy import Engine

from registry.corrections.change import Change, Outcome, change
from registry.database.store import addresses, corrections
from registry.database.store.operations import Author


def rename(engine: Engine, speaker: str, name: str, author: Author, *, notes: str | None = None) -> Outcome:
    """Give a speaker a name and notes. An empty name takes the name away, empty notes the notes; None leaves the notes.

    Raises:
        UnknownSpeaker, AmbiguousSpeaker: Nobody, or more than one, is called so.
    """

    def act(under_way: Change) -> Mapping[str, object]:
        connection, operation_id = under_way.connection, under_way.operation_id
        found = addresses.find_speaker(connection, speaker)
        before = corrections.name_of(connection, found.speaker_id)
        after = (name, before[1] if notes is None else notes)
        if after != before:
            corrections.close_name(connection, found.speaker_id, operation_id)
        if after not in (before, ("", "")):
            corrections.open_name(connection, found.speaker_id, *after, operation_id)
        return {"renamed": found.label}

    return change(engine, author, "rename", act)
