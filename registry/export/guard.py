"""Refuse what would change a tree by surprise."""

from collections.abc import Sequence
from pathlib import Path

from registry.core.export_losses import count_unexplained, needs_agreement
from registry.core.export_plan import PlannedFile
from registry.errors import OutputRefused, RemovalUnexplained, TreeOfAnother, TreeOfThePresent
from registry.export.manifest import FOLDER, Record
from registry.export.planning import Job, TreePlan
from registry.export.set_aside import ASIDE
from registry.group_folders import looks_like_group
from registry.store import tree


def refuse_wrong_tree(job: Job, record: Record, planned: Sequence[PlannedFile]) -> None:
    """Refuse a tree that another registry wrote, and one of the present if an earlier moment is asked for.

    Raises:
        TreeOfAnother, TreeOfThePresent: So it is.
        OutputRefused: The tree is from before registries had an identity, and this one knows no file of it.
    """
    if not record.entries:
        return
    if record.heading is None:
        _refuse_unknown(job, record, planned)
    elif record.heading.registry_id != job.heading.registry_id:
        theirs, ours = record.heading.registry_id, job.heading.registry_id
        raise TreeOfAnother(path=job.outdir, theirs=theirs, ours=ours)
    if job.heading.as_of is not None and (record.heading is None or record.heading.as_of is None):
        raise TreeOfThePresent(path=job.outdir)


def refuse_groups(outdir: Path) -> None:
    """Keep a slip, nights for speakers, from mixing a new tree with what is to be taken in.

    Raises:
        OutputRefused: The folder, to which nothing was exported yet, holds groups, or folders that do.
    """
    if (outdir / FOLDER).exists():
        return
    folders = [folder for folder in _folders(outdir) if not folder.name.startswith(".")]
    inside = (group for folder in folders for group in (folder, *_folders(folder)) if looks_like_group(group))
    group = next(inside, None)
    if group is not None:
        raise OutputRefused(path=outdir, cause=f"it holds groups to be taken in, such as {group}")


def _folders(folder: Path) -> list[Path]:
    try:
        return [entry for entry in sorted(folder.iterdir()) if entry.is_dir()]
    except OSError:
        return []


def _refuse_unknown(job: Job, record: Record, planned: Sequence[PlannedFile]) -> None:
    hashes = {entry.sha256 for entry in record.entries}
    if not hashes.isdisjoint(file.source.sha256 for file in planned):
        return
    with job.engine.begin() as connection:
        if not tree.knows_any(connection, hashes):
            cause = "it holds the tree of another registry; correct --database, or remove the folder"
            raise OutputRefused(path=job.outdir, cause=cause)


def removal_unexplained(job: Job, plan: TreePlan) -> RemovalUnexplained | None:
    """Say why so much may leave the tree only if a person agrees; None if it may."""
    unexplained = count_unexplained(plan.fates)
    if job.may_remove or not needs_agreement(unexplained, plan.clips_there):
        return None
    aside = job.outdir / FOLDER / ASIDE
    return RemovalUnexplained(path=job.outdir, clips=unexplained, all_clips=plan.clips_there, aside=aside)
