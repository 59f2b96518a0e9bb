"""What an export did, or would do."""

from dataclasses import dataclass, field
from pathlib import Path

from registry.core.export_plan import PlannedFile
from registry.core.records import Rejected
from registry.core.rejections import Fault
from registry.export.planning import TreePlan


@dataclass
class ExportReport:
    """What an export did, counted in files (two for a clip)."""

    clips: int
    written: int = 0
    renamed: int = 0  # they were in the tree and have another running number, or folder, now
    unchanged: int = 0
    removed: int = 0
    set_aside: list[str] = field(default_factory=list)  # had no other copy: where they are now, below the top
    as_of: str | None = None  # the moment that was asked for
    rejected: list[Rejected] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    to_write: tuple[str, ...] = ()  # of a plan: paths below the top
    to_rename: tuple[tuple[str, str], ...] = ()  # of a plan: from, to
    to_remove: tuple[str, ...] = ()
    to_set_aside: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 if the tree is whole, 1 if some of it could not be written."""
        return 1 if self.rejected else 0


def begin_report(outdir: Path, plan: TreePlan) -> ExportReport:
    """Say what is known before anything is done."""
    report = ExportReport(clips=len(plan.planned) // 2, unchanged=len(plan.changes.unchanged))
    report.rejected += [in_the_way(outdir, file) for file in plan.changes.foreign]
    for file, owner in plan.same_place.items():
        report.rejected.append(Fault.ONE_FOLDER.of(outdir / file.path, owner=owner))
    return report


def report_of_plan(outdir: Path, plan: TreePlan) -> ExportReport:
    """Say what would be done."""
    report = begin_report(outdir, plan)
    report.to_write = tuple(file.path for file in plan.changes.write if file.path not in plan.moves)
    report.to_rename = tuple((old, new) for new, old in plan.moves.items())
    report.to_remove = tuple(plan.to_remove)
    report.to_set_aside = tuple(held.path for held in plan.to_set_aside)
    return report


def in_the_way(outdir: Path, file: PlannedFile) -> Rejected:
    """Name a file of somebody else."""
    return Fault.FOREIGN_FILE.of(outdir / file.path)
