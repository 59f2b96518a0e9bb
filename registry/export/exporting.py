"""Bring a folder to the tree of the registry: gather, plan, refuse what would surprise, apply."""

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection, Engine

from registry.core.export_plan import Alias, PlannedFile, plan_tree
from registry.database.store import identity, tree
from registry.database.store.tree import WHOLE_TREE, Extent
from registry.errors import OutputRefused, OutputUnusable, RegistryError, TreeDiskFull, UnknownBroadcaster
from registry.export import disk, files, guard
from registry.export.applying import bring_up_to_date
from registry.export.files import LinkMode
from registry.export.lock import locked
from registry.export.manifest import FOLDER, Heading, read_record
from registry.export.planning import ExportJob, TreePlan, make_plan
from registry.export.report import ExportReport, report_of_plan
from registry.input.remote import AnyPath, RemotePath
from registry.progress import Progress, Silent


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Rest the garbage collector: a large tree is a million tuples, none in a cycle, and its search took a quarter."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@_no_search_for_cycles()
def export(
    engine: Engine,
    outdir: AnyPath,
    extent: Extent = WHOLE_TREE,
    mode: LinkMode = "copy",
    progress: Progress | None = None,
    *,
    as_of: int | None = None,
    plan_only: bool = False,
    may_remove: bool = False,
) -> ExportReport:
    """Make a folder hold the registry's tree, touching only what differs and what earlier exports wrote.

    Args:
        engine: The registry's database.
        outdir: The folder; made if missing. Files of others in it stay as they are.
        extent: The groups to answer for, by default all; earlier exports of other groups stay as they are.
        mode: How a file gets there: a copy, or a hard or symbolic link to the source if that is a local file.
        progress: Told how far it is.
        as_of: An operation: export what held right after it, into a folder of its own.
        plan_only: Only tell what would be written and removed.
        may_remove: Go on where much would leave the tree that no operation of the journal took out.

    Raises:
        OutputRefused: The folder cannot serve, or cannot be written, or holds the tree of another registry, or of
            the present where an earlier moment is asked for, or would lose much without an explanation.
        UnknownBroadcaster: The extent names one that was never ingested.
        TreeDiskFull: So it is.
    """
    if isinstance(outdir, RemotePath):
        raise OutputRefused(path=outdir, cause="only input may be at a URL")
    outdir = disk.real_path(outdir)
    with engine.begin() as connection:
        _refuse_unknown_broadcaster(connection, extent)
        _refuse_input_folder(connection, outdir)
        guard.refuse_groups(outdir)
        wanted = plan_tree(tree.numbered_clips(connection, extent, as_of))
        aliases = tree.aliases(connection, as_of)
        heading = Heading(UUID(identity.registry_id(connection)), as_of)
    job = ExportJob(engine, outdir, extent, mode, heading, may_remove)
    try:
        if plan_only:
            return _report_of_plan(job, wanted)
        return _bring_up_to_date(job, wanted, aliases, progress or Silent())
    except OSError as error:
        raise _as_error(job, wanted, error) from error


def _report_of_plan(job: ExportJob, wanted: Sequence[PlannedFile]) -> ExportReport:
    guard.refuse_unsafe(job.outdir)
    plan = _plan(job, wanted)
    report, unexplained = report_of_plan(job.outdir, plan), guard.removal_unexplained(job, plan)
    report.warnings += [str(unexplained)] if unexplained else []
    return report


def _bring_up_to_date(
    job: ExportJob, wanted: Sequence[PlannedFile], aliases: Iterable[Alias], progress: Progress
) -> ExportReport:
    disk.make_folder(job.outdir / FOLDER)
    guard.refuse_unsafe(job.outdir)
    with locked(job.outdir):
        plan = _plan(job, wanted)
        if unexplained := guard.removal_unexplained(job, plan):
            raise unexplained
        return bring_up_to_date(job, plan, aliases, progress)


def _plan(job: ExportJob, wanted: Sequence[PlannedFile]) -> TreePlan:
    """Compare the files that the tree should have with those that are there."""
    record = read_record(job.outdir)
    guard.refuse_wrong_tree(job, record, wanted)
    return make_plan(job, wanted, record)


def _as_error(job: ExportJob, wanted: Iterable[PlannedFile], error: OSError) -> RegistryError:
    """Say what is wrong with the folder; of a full disk, how much is lacking."""
    if isinstance(error, PermissionError) and (owned := guard.owned_by_another(job.outdir, error.filename)):
        return owned
    if error.errno not in disk.FULL:
        where = f" ({error.filename})" if error.filename else ""
        return OutputUnusable(path=job.outdir, cause=f"{error.strerror or error}{where}")
    lacking = [file for file in wanted if not files.as_it_should_be(job.outdir, file, job.mode)]
    needed = sum(file.source.size for file in lacking) // disk.MB + 1
    return TreeDiskFull(path=job.outdir, needed=needed, free=disk.free_mb(job.outdir))


def _refuse_unknown_broadcaster(connection: Connection, extent: Extent) -> None:
    known = tree.broadcasters(connection) if extent.broadcaster is not None else []
    if extent.broadcaster is not None and extent.broadcaster not in known:
        raise UnknownBroadcaster(broadcaster=extent.broadcaster, known=", ".join(known) or "none yet")


def _refuse_input_folder(connection: Connection, outdir: Path) -> None:
    for indir in tree.input_folders(connection, [str(folder) for folder in (outdir, *outdir.parents)]):
        raise OutputRefused(path=outdir, cause=f"it lies inside {indir}, which groups were ingested from")
