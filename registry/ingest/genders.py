"""One recording is one voice: it is never filed under both genders."""

import shlex
from collections.abc import Sequence

from sqlalchemy import Connection

from registry.core.records import Group, Rejected
from registry.core.rejections import Fault
from registry.database.store.clips import Clip, under_other_gender


def sort_out_misfiled(
    connection: Connection, group: Group, clips: Sequence[Clip], leaving: Group | None
) -> tuple[list[Clip], list[Rejected]]:
    """Sort out clips whose recording is stored under the other gender.

    Clips of the group `leaving` are about to go: what they are filed under is no hindrance.
    """
    there = under_other_gender(connection, group.gender, [clip.audio_hash for clip in clips], leaving)
    good = [clip for clip in clips if clip.audio_hash not in there]
    misfiled = [clip for clip in clips if clip.audio_hash in there]
    return good, [both_genders(str(clip.wav.source.path), there[clip.audio_hash]) for clip in misfiled]


def both_genders(path: str, first: str) -> Rejected:
    """Refuse what would make one recording two speakers, and name the clip that was first."""
    return Fault.BOTH_GENDERS.of(path, first=first, first_quoted=shlex.quote(first))
