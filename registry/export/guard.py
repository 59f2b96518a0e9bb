"""Refuse what would change a tree by surprise."""

import os
import shlex
import stat
from collections.abc import Sequence
from pathlib import Path

from registry.core.export_losses import count_unexplained, needs_agreement
from registry.core.export_plan import PlannedFile
from registry.database.store import tree
from registry.errors import (
    OutputOfAnother,
    OutputRefused,
    OutputUnsafe,
    RemovalUnexplained,
    TreeOfAnother,
    TreeOfThePresent,
)
from registry.export.manifest import FOLDER, Record
from registry.export.planning import ExportJob, TreePlan
from registry.export.set_aside import ASIDE
from registry.files.ownership import user_name
from registry.input.group_folders import looks_like_group


def refuse_wrong_tree(job: ExportJob, record: Record, planned: Sequence[PlannedFile]) -> None:
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


def refuse_unsafe(outdir: Path) -> None:
    """Refuse a folder in which others could have laid something out for the exporter to fall over.

    Raises:
        OutputUnsafe: All the world may write there and it is somebody else's; or what is the exporter's own in it is
            somebody else's, a link, or no regular file.
    """
    if not outdir.exists():
        return
    status, own = outdir.lstat(), outdir / FOLDER
    trusted = {os.geteuid(), 0}
    if status.st_uid not in trusted and status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
        cause = f"everybody may write in it, and it belongs to {user_name(status.st_uid)}"
        raise OutputUnsafe(path=outdir, cause=cause, remedy=f"let {user_name(os.geteuid())} own it")
    if not os.path.lexists(own):
        return
    if not _is_real_folder(own):
        raise OutputUnsafe(path=outdir, cause=f"{own} is no folder, or a link to one", remedy="remove that")
    if own.lstat().st_uid not in {*trusted, status.st_uid}:
        owner, us = user_name(own.lstat().st_uid), user_name(os.geteuid())
        remedy = f"if an earlier export of {owner} made it, run chown -R {us.removeprefix('#')} on it, else remove it"
        raise OutputUnsafe(path=outdir, cause=f"{own} belongs to {owner}, not to {us}", remedy=remedy)
    for path in sorted(own.iterdir()):
        if not _is_of_an_export(path):
            raise OutputUnsafe(path=outdir, cause=f"{path} is a link, or no regular file", remedy="remove that")


def owned_by_another(outdir: Path, closed: str | None) -> OutputOfAnother | None:
    """Say whose a part of the tree is that we may not change, if it is somebody else's."""
    above = [Path(closed), *Path(closed).parents] if closed else []
    inside = (path for path in above if path.is_relative_to(outdir) and os.path.lexists(path))
    owned = next(((path, owner) for path in inside if (owner := path.lstat().st_uid) != os.geteuid()), None)
    if owned is None:
        return None
    us = user_name(os.geteuid())
    remedy = f"chown -R {us.removeprefix('#')} {shlex.quote(str(outdir))}"
    return OutputOfAnother(path=outdir, owned=owned[0], owner=user_name(owned[1]), us=us, remedy=remedy)


def _is_of_an_export(path: Path) -> bool:
    """Tell what an export can have made; what is gone since it was listed, an export that ended has removed."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return True
    return stat.S_ISDIR(mode) or stat.S_ISREG(mode)


def _is_real_folder(path: Path) -> bool:
    return stat.S_ISDIR(path.lstat().st_mode)


def _folders(folder: Path) -> list[Path]:
    try:
        return [entry for entry in sorted(folder.iterdir()) if entry.is_dir()]
    except OSError:
        return []


def _refuse_unknown(job: ExportJob, record: Record, planned: Sequence[PlannedFile]) -> None:
    hashes = {entry.sha256 for entry in record.entries}
    if not hashes.isdisjoint(file.source.sha256 for file in planned):
        return
    with job.engine.begin() as connection:
        if not tree.knows_any(connection, hashes):
            cause = "it holds the tree of another registry; correct --database, or remove the folder"
            raise OutputRefused(path=job.outdir, cause=cause)


def removal_unexplained(job: ExportJob, plan: TreePlan) -> RemovalUnexplained | None:
    """Say why so much may leave the tree only if a person agrees; None if it may."""
    unexplained = count_unexplained(plan.fates)
    if job.may_remove or not needs_agreement(unexplained, plan.clips_there):
        return None
    aside = job.outdir / FOLDER / ASIDE
    return RemovalUnexplained(path=job.outdir, clips=unexplained, all_clips=plan.clips_there, aside=aside)
