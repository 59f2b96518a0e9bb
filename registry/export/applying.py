"""Bring a folder to the tree, in an order that loses nothing if the power goes at any moment.

What is about to be done is noted first. Then everything new is written and everything that moves has its new place;
all of that is on the disk before the manifest says so, and that is before anything is removed.
"""

import errno
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from registry.core.export_losses import Fate
from registry.core.export_plan import Alias, PlannedFile, is_sound
from registry.core.records import Rejected
from registry.core.rejections import Fault
from registry.export import disk, files, set_aside, staging
from registry.export.aliases import write_aliases
from registry.export.files import SourceLost
from registry.export.manifest import Written, drop_intended, write_intended, write_manifest
from registry.export.planning import ExportJob, TreePlan
from registry.export.report import ExportReport, begin_report, in_the_way
from registry.input.remote import in_order, readers
from registry.progress import Progress


@dataclass(frozen=True)
class _Outcome:
    """What the folder holds once all is written and before anything is removed."""

    in_place: frozenset[Written]
    gone: frozenset[Written]  # what it held of the extent before and is to hold no longer
    left_out: frozenset[Written]  # what could not be written
    remove: frozenset[str]  # paths


def bring_up_to_date(job: ExportJob, plan: TreePlan, aliases: Iterable[Alias], progress: Progress) -> ExportReport:
    """Do what is planned.

    Raises:
        OSError: The folder cannot be written.
    """
    report = begin_report(job.outdir, plan)
    has_to_do = bool(plan.changes.write or plan.changes.remove or plan.record.is_under_way)
    if has_to_do:
        write_intended(job.outdir, job.heading, _about_to_change(plan), plan.record)
        outcome = _write(job, plan, report, progress)
    else:
        outcome = _outcome(plan, {_entry(file) for file in plan.changes.unchanged}, set())
    in_tree = plan.others | outcome.in_place | _staying(job.outdir, outcome)
    fault = write_aliases(job.outdir, aliases, in_tree)
    report.rejected += [fault] if fault else []
    if has_to_do:
        disk.sync(job.outdir)
    write_manifest(job.outdir, job.heading, in_tree, plan.record)
    report.clips = sum(is_sound(entry.path) for entry in outcome.in_place)
    _tidy_up(job, plan, outcome, in_tree, report)
    return report


def _about_to_change(plan: TreePlan) -> set[Written]:
    removed = set(plan.changes.remove)
    return {_entry(file) for file in plan.changes.write} | {entry for entry in plan.ours if entry.path in removed}


def _write(job: ExportJob, plan: TreePlan, report: ExportReport, progress: Progress) -> _Outcome:
    moved = staging.move(job, plan)
    rest = list(staging.with_transcripts(job.engine, (f for f in plan.changes.write if f.path not in moved), job.mode))
    staging.salvage(job, plan, [*rest, *plan.changes.foreign, *plan.same_place])
    report.set_aside += set_aside.keep(job.outdir, plan.to_set_aside, plan.ours).values()
    in_place, failed = {_entry(file) for file in plan.changes.unchanged}, []
    wanted = [*(file for file in plan.changes.write if file.path in moved), *rest]
    for file, fault in _put_from_anywhere(job, wanted, progress):
        if fault is None:
            in_place.add(_entry(file))
            report.renamed += file.path in moved
            report.written += file.path not in moved
        else:
            report.rejected.append(_rejected(job.outdir, file, fault))
            failed.append(file)
    report.removed = len(plan.to_remove)
    return _outcome(plan, in_place, _wrong(job, plan, failed, report))


def _put_from_anywhere(
    job: ExportJob, wanted: Sequence[PlannedFile], progress: Progress
) -> Iterator[tuple[PlannedFile, Exception | None]]:
    """Put every file; where its source is lost, from another file that was taken in with the same bytes."""
    lost: list[tuple[PlannedFile, Exception]] = []
    for file, fault in _put_all(job, wanted, progress):
        if isinstance(fault, SourceLost):
            lost.append((file, fault))
        else:
            yield file, fault
    elsewhere = staging.from_elsewhere(job.engine, [file for file, _ in lost])
    for (file, fault), others in zip(lost, elsewhere, strict=True):
        found = next((other for other in others if _fault_of_putting(job, other) is None), None)
        yield file, fault if found is None else None


def _put_all(
    job: ExportJob, wanted: Sequence[PlannedFile], progress: Progress
) -> Iterator[tuple[PlannedFile, Exception | None]]:
    progress.begin("export", len(wanted))
    at_once = readers(file.source.path for file in wanted)
    faults = in_order(partial(_fault_of_putting, job), wanted, at_once)
    for file, fault in zip(wanted, faults, strict=True):
        yield file, fault
        progress.advance(1)
    progress.done()


def _fault_of_putting(job: ExportJob, file: PlannedFile) -> Exception | None:
    try:
        files.put(job.outdir, file, job.mode)
    except (SourceLost, FileExistsError, NotADirectoryError, IsADirectoryError) as fault:
        return fault
    except OSError as error:
        if error.errno not in disk.NO_SUCH_NAME | {errno.EFBIG}:
            raise
        return error
    return None


def _rejected(outdir: Path, file: PlannedFile, fault: Exception) -> Rejected:
    if isinstance(fault, SourceLost):
        return Fault.SOURCE_LOST.of(file.source.path, cause=fault)
    if isinstance(fault, OSError) and fault.errno in disk.NO_SUCH_NAME | {errno.EFBIG}:
        return Fault.NAME_THE_DISK_REFUSES.of(outdir / file.path, cause=fault.strerror)
    return in_the_way(outdir, file)


def _wrong(job: ExportJob, plan: TreePlan, failed: Sequence[PlannedFile], report: ExportReport) -> set[str]:
    """Tell where another clip, or a link to what is lost, lies in place of what could not be put there: better none."""
    known = {entry.sha256 for entry in plan.record.entries} if failed else set()
    wrong = {file.path for file in failed if _is_wrong(job.outdir / file.path, file, known)}
    same_sound = [held for held, fate in plan.fates.items() if fate is Fate.SAME_SOUND and held.path in wrong]
    report.set_aside += set_aside.keep(job.outdir, same_sound, plan.ours).values()
    return wrong


def _is_wrong(target: Path, file: PlannedFile, known: Collection[str]) -> bool:
    if _is_link_to(target, file.source.path):
        return True
    found = files.sha256_of(target)
    return found in known and found != file.source.sha256


def _is_link_to(target: Path, source: str) -> bool:
    try:
        return target.is_symlink() or target.samefile(source)
    except OSError:
        return False


def _outcome(plan: TreePlan, in_place: set[Written], wrong: set[str]) -> _Outcome:
    wanted = {_entry(file) for file in (*plan.changes.write, *plan.changes.foreign, *plan.same_place)}
    remove = frozenset(wrong.union(plan.changes.remove))
    return _Outcome(frozenset(in_place), plan.ours - in_place, frozenset(wanted - in_place), remove)


def _staying(outdir: Path, outcome: _Outcome) -> set[Written]:
    """List what is ours and lies there still, where nothing could be put in its place."""
    occupied = {entry.path for entry in outcome.in_place} if outcome.gone else set()
    return {
        entry
        for entry in outcome.gone
        if entry.path not in occupied and entry.path not in outcome.remove and _is_file(outdir / entry.path)
    }


def _is_file(path: Path) -> bool:
    try:
        return path.is_symlink() or path.is_file()
    except OSError:  # a name that the disk cannot hold
        return False


def _tidy_up(
    job: ExportJob, plan: TreePlan, outcome: _Outcome, in_tree: frozenset[Written], report: ExportReport
) -> None:
    """Remove what the manifest no longer lists, and what was there only while the tree changed."""
    for path in outcome.remove:
        disk.remove(job.outdir / path)
    hashes = {entry.sha256 for entry in in_tree}
    waited_for = {entry.sha256 for entry in plan.others | outcome.left_out}
    report.set_aside += staging.clear(job, hashes, waited_for, plan.record.entries).values()
    with job.engine.connect() as connection:
        set_aside.tidy(connection, job.outdir, hashes)
    changed = {entry.path for entry in outcome.left_out | outcome.gone}
    for folder in sorted(
        {folder for path in changed for folder in list((job.outdir / path).parents)[:2]}, reverse=True
    ):
        disk.remove_if_empty(folder)
    if outcome.remove:
        disk.sync(job.outdir)
    drop_intended(job.outdir)


def _entry(file: PlannedFile) -> Written:
    return Written(file.path, file.source.sha256)
