"""Bytes that the tree itself has, made ready for their new places before anything loses the old one."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from sqlalchemy import Engine

from registry.core.export_losses import KEPT, Held
from registry.core.export_plan import PlannedFile, is_sound
from registry.database.store import copies
from registry.export import disk, fates, files, set_aside
from registry.export.files import LinkMode, SourceLost
from registry.export.manifest import FOLDER, Written
from registry.export.planning import ExportJob, TreePlan
from registry.input.remote import in_order, readers

DIGEST = 64  # digits of a SHA-256, with which the name of a staged file begins
OLD = ".old"


def move(job: ExportJob, plan: TreePlan) -> set[str]:
    """Give what moves within the tree a second place, without writing a byte; give the paths of what moves."""
    _check_leftovers(job, plan.changes.write)
    return {file.path for file in plan.changes.write if _move(job, plan.moves.get(file.path), file)}


def _kept(outdir: Path) -> list[Path]:
    return sorted((outdir / FOLDER / "kept").glob("*"))


def _check_leftovers(job: ExportJob, wanted: Iterable[PlannedFile]) -> None:
    """Trust what a killed export left ready only as far as it is what its name says, and use it as it should be."""
    leftovers = _kept(job.outdir)
    if not leftovers:
        return
    by_place = {files.staged_file(job.outdir, file): file for file in wanted}
    for path in leftovers:
        file = by_place.get(path)
        if not files.holds(path, path.name[:DIGEST]):
            disk.remove(path)
        elif file is None or not files.is_right(str(path), file, job.mode):
            disk.rename(path, path.with_name(path.name.removesuffix(OLD) + OLD))


def _move(job: ExportJob, old: str | None, file: PlannedFile) -> bool:
    if old is None or old == file.path or not files.is_right(f"{job.outdir}/{old}", file, job.mode):
        return False
    disk.give_second_place(job.outdir / old, files.staged_file(job.outdir, file))
    return True


def salvage(job: ExportJob, plan: TreePlan, wanted: Iterable[PlannedFile]) -> None:
    """Make ready the bytes of lost sources, from wherever the tree has them: copied, unless they lie there unused."""
    ready = {path.name for path in _kept(job.outdir)}
    lacking = [file for file in wanted if files.staged_file(job.outdir, file).name not in ready]
    places = _places(job.outdir, plan, {file.source.sha256 for file in lacking})
    asked = [file for file in lacking if file.source.sha256 in places]
    available = in_order(files.is_available, [f.source for f in asked], readers(f.source.path for f in asked))
    for file, is_available in zip(asked, available, strict=True):
        if not is_available:
            _take_from_one(job, places[file.source.sha256], file)


def _places(outdir: Path, plan: TreePlan, hashes: Collection[str]) -> dict[str, list[Path]]:
    """Find where the tree may have some bytes (SHA-256, hex); what lies there unused comes first."""
    if not hashes:
        return {}
    places = set_aside.having(outdir, hashes)
    for path in _kept(outdir):
        places.setdefault(path.name[:DIGEST], []).append(path)
    for entry in sorted(entry for entry in chain(plan.ours, plan.others) if entry.sha256 in hashes):
        places.setdefault(entry.sha256, []).append(outdir / entry.path)
    return places


def _take_from_one(job: ExportJob, places: Iterable[Path], file: PlannedFile) -> None:
    for place in places:
        if _take(job, place, file):
            return


def _take(job: ExportJob, place: Path, file: PlannedFile) -> bool:
    """Make bytes ready from one place of the tree, if they are there."""
    ready = files.staged_file(job.outdir, file)
    disk.make_folder(ready.parent)
    if _lies_unused(job.outdir, place) and place.lstat().st_nlink == 1 and files.holds(place, file.source.sha256):
        disk.rename(place, ready)
        disk.date(ready, files.stamp(file))
        return True
    partial = disk.new_place(job.outdir / FOLDER)
    try:
        files.copy(place, partial, file)
    except SourceLost:
        disk.remove(partial)
        return False
    disk.rename(partial, ready)
    return True


def _lies_unused(outdir: Path, place: Path) -> bool:
    return files.is_regular(place) and place.is_relative_to(outdir / FOLDER)


def with_transcripts(engine: Engine, wanted: Iterable[PlannedFile], mode: LinkMode) -> Iterator[PlannedFile]:
    """Give transcripts their content from the database, all that are copied, and those of links whose file is lost."""
    wanted = list(wanted)
    asked = [file for file in wanted if _may_come_from_database(file, mode)]
    with engine.connect() as connection:
        contents = copies.transcripts(connection, {file.source.sha256 for file in asked}) if asked else {}
    chosen = set(asked)
    for file in wanted:
        content = contents.get(file.source.sha256) if file in chosen else None
        yield file if content is None else file._replace(source=file.source._replace(content=content))


def _may_come_from_database(file: PlannedFile, mode: LinkMode) -> bool:
    if is_sound(file.path) or file.source.content is not None:
        return False
    return mode == "copy" or not files.is_available(file.source)


def from_elsewhere(engine: Engine, lost: Sequence[PlannedFile]) -> list[list[PlannedFile]]:
    """Give for each file whose source is lost the same with every source of its bytes that the registry knows of."""
    if not lost:
        return []
    with engine.connect() as connection:
        known = copies.sources(connection, {file.source.sha256 for file in lost})
    return [
        [
            file._replace(source=source)
            for source in known.get(file.source.sha256, ())
            if source.path != file.source.path
        ]
        for file in lost
    ]


def clear(
    job: ExportJob, in_tree: Collection[str], waited_for: Collection[str], listed: Iterable[Written]
) -> dict[Held, str]:
    """Remove what was made ready and not used, but what other groups or a later export wait for (SHA-256, hex).

    What has no other copy is set aside instead; give the places.
    """
    unused = {path: path.name[:DIGEST] for path in _kept(job.outdir) if path.name[:DIGEST] not in waited_for}
    last = _last_copies(job, {path: digest for path, digest in unused.items() if digest not in in_tree}, listed)
    aside = {held: set_aside.place(job.outdir, path, held) for held, path in last.items()}
    for path in chain(unused, (job.outdir / FOLDER).glob(f"{disk.PARTIAL}*")):
        disk.remove(path)
    disk.remove_if_empty(job.outdir / FOLDER / "kept")
    return aside


def _last_copies(job: ExportJob, unused: Mapping[Path, str], listed: Iterable[Written]) -> dict[Held, Path]:
    if not unused:
        return {}
    exported_as = {entry.sha256: entry.path for entry in sorted(listed, reverse=True)}
    lying_at = {Held(exported_as[digest], digest): path for path, digest in unused.items() if digest in exported_as}
    judged = fates.fates_of(job.engine, job.outdir, list(lying_at), lying_at)
    return {held: lying_at[held] for held, fate in judged.items() if fate in KEPT}
