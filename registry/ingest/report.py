"""What an ingest did, group by group."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from registry.core.records import Group, Rejected


@dataclass(frozen=True)
class GroupReport:
    """One group's clips and speakers, counted."""

    group: Group
    clips: int  # pairs and broken pairs found in the folder
    new: int = 0  # taken in now
    known: int = 0  # in the registry already
    updated: int = 0  # of the known, those whose files moved, or hold the same sound or another transcript
    forgotten: int = 0  # left out, since people had them forgotten
    withdrawn: int = 0  # left out, since people took them out of the group
    replaced: int = 0  # taken out, since the folder that replaces the group has them no longer, or otherwise
    rejected: int = 0
    speakers_matched: int = 0  # known speakers heard in the new clips
    speakers_new: int = 0
    speakers_joined: int = 0  # stored speakers that turned out to be another one's voice: their numbers are aliases
    operation_id: int | None = None  # what took the clips in, or replaced them, in the journal


@dataclass(frozen=True)
class Overlooked:
    """Files in a group's folder that are neither audio nor transcripts: they are in nobody's way, and left alone."""

    group: Group
    endings: Mapping[str, int]  # ".json" -> how many


@dataclass(frozen=True)
class IngestReport:
    """The whole run."""

    groups: tuple[GroupReport, ...]
    rejected: tuple[Rejected, ...]
    overlooked: tuple[Overlooked, ...] = ()
    moved: int = 0  # clips, of whatever night, that have another speaker since the young registry was decided afresh

    @property
    def total(self) -> dict[str, int]:
        """Sum every count over the groups."""
        counts = [field.name for field in fields(GroupReport) if field.name not in ("group", "operation_id")]
        return {count: sum(getattr(group, count) for group in self.groups) for count in counts}

    @property
    def exit_code(self) -> int:
        """0 if all went well, 1 if some of the input was rejected."""
        return 1 if self.rejected else 0
