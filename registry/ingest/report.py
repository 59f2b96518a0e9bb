"""What an ingest did, group by group."""

from dataclasses import dataclass, replace

from registry.core.records import Group, Rejected


@dataclass(frozen=True)
class GroupReport:
    """One group's clips and speakers, counted."""

    group: Group
    clips: int  # pairs and broken pairs found in the folder
    new: int = 0  # taken in now
    known: int = 0  # in the registry already
    updated: int = 0  # of the known, those whose files moved or whose transcript changed
    rejected: int = 0
    speakers_matched: int = 0  # known speakers heard in the new clips
    speakers_new: int = 0


@dataclass(frozen=True)
class IngestReport:
    """The whole run."""

    groups: tuple[GroupReport, ...]
    rejected: tuple[Rejected, ...]

    @property
    def total(self) -> dict[str, int]:
        """Sum every count over the groups."""
        counts = ("clips", "new", "known", "updated", "rejected", "speakers_matched", "speakers_new")
        return {count: sum(getattr(group, count) for group in self.groups) for count in counts}

    @property
    def exit_code(self) -> int:
        """0 if all went well, 1 if some of the input was rejected."""
        return 1 if self.rejected else 0


def with_speakers(report: GroupReport, matched: int, new: int) -> GroupReport:
    """Complete a report with what linking found."""
    return replace(report, speakers_matched=matched, speakers_new=new)
