"""Bring a folder to the tree of the registry: gather, plan, write down what will be written, apply."""

import fcntl
import gc
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, Engine

from registry.core.export_plan import Changes, PlannedFile, plan_changes, plan_tree
from registry.core.records import Rejected
from registry.errors import OutputRefused
from registry.export import files, removing
from registry.export.aliases import write_aliases
from registry.export.files import LinkMode, SourceLost
from registry.export.manifest import (
    FOLDER,
    Written,
    folder_of,
    night_of,
    read_manifest,
    write_intended,
    write_manifest,
)
from registry.export.report import ExportReport
from registry.progress import Progress, Silent
from registry.remote import AnyPath, RemotePath, in_order, readers
from registry.store import tree
from registry.store.tree import Extent

NOT_EXPORTED = "not exported; put it back as it was, or ingest it from where it is now, then export again"


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Rest the garbage collector: a large tree is a million tuples, none in a cycle, and a quarter of the time went."""
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
    extent: Extent | None = None,
    mode: LinkMode = "copy",
    progress: Progress | None = None,
    *,
    as_of: int | None = None,
    plan_only: bool = False,
) -> ExportReport:
    """Make a folder hold the registry's tree, touching only what differs and what earlier exports wrote.

    Args:
        engine: The registry's database.
        outdir: The folder; made if missing. Files of others in it stay as they are.
        extent: The groups to answer for; earlier exports of other groups stay as they are.
        mode: How a file gets there: a copy, or a hard or symbolic link to the source if that is a local file.
        progress: Told how far it is.
        as_of: An operation: export what held right after it.
        plan_only: Only tell what would be written and removed.

    Raises:
        OutputRefused: The folder cannot serve, or cannot be written, or holds the tree of another registry.
    """
    if isinstance(outdir, RemotePath):
        raise OutputRefused(path=outdir, cause="only input may be at a URL")
    extent = extent or Extent()
    outdir = Path(os.path.abspath(outdir))  # noqa: PTH100 - resolve() would follow a link that the user set up
    with engine.begin() as connection:
        planned = plan_tree(tree.numbered_clips(connection, extent, as_of))
        aliases = tree.aliases(connection, as_of)
        _refuse_input_folder(connection, outdir)
    try:
        if plan_only:
            return _plan(outdir, planned, extent, mode, _written_here(engine, outdir, planned))[1]
        with _locked(outdir):
            written = _written_here(engine, outdir, planned)
            report = _bring_up_to_date(outdir, planned, extent, mode, written, progress or Silent())
            in_the_way = write_aliases(outdir, aliases)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise OutputRefused(path=outdir, cause=f"{error.strerror or error}{where}") from error
    report.rejected += [in_the_way] if in_the_way else []
    return report


def _written_here(engine: Engine, outdir: Path, planned: Iterable[PlannedFile]) -> set[Written]:
    """Read what earlier exports wrote; keep a mistyped --database from emptying the tree of another registry."""
    written = read_manifest(outdir)
    hashes = {entry.sha256 for entry in written}
    if not hashes or not hashes.isdisjoint(file.source.sha256 for file in planned):
        return written
    with engine.begin() as connection:
        if not tree.knows_any(connection, hashes):
            cause = "it holds the tree of another registry; correct --database, or remove the folder"
            raise OutputRefused(path=outdir, cause=cause)
    return written


def _refuse_input_folder(connection: Connection, outdir: Path) -> None:
    real = Path(os.path.realpath(outdir))  # resolve() raises where links lead in a circle
    for indir in tree.input_folders(connection, [str(folder) for folder in (real, *real.parents)]):
        raise OutputRefused(path=outdir, cause=f"it lies inside {indir}, which groups were ingested from")


@contextmanager
def _locked(outdir: Path) -> Iterator[None]:
    """Make the folder and keep other exports out of it."""
    (outdir / FOLDER).mkdir(parents=True, exist_ok=True)
    with (outdir / FOLDER / "lock").open("ab") as lock:  # a file: NFS locks no folders
        os.utime(lock.fileno(), (0, 0))  # two exports of one state are equal in times too
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputRefused(path=outdir, cause="another export is writing there") from error
        yield


def _bring_up_to_date(
    outdir: Path,
    planned: Sequence[PlannedFile],
    extent: Extent,
    mode: LinkMode,
    written: set[Written],
    progress: Progress,
) -> ExportReport:
    changes, report, ours = _plan(outdir, planned, extent, mode, written)
    report.to_write, report.to_remove = (), ()
    if changes.write or changes.remove:
        write_intended(outdir, {_entry(file) for file in changes.write})
        _keep_what_only_the_tree_has(outdir, (*changes.write, *changes.foreign), written)
        report.removed = removing.remove(outdir, changes.remove)
    in_place = {_entry(file) for file in changes.unchanged}
    in_place |= {_entry(file) for file in _write(outdir, changes, written, mode, report, progress)}
    left_out = {_entry(file) for file in (*changes.write, *changes.foreign)} - in_place
    _tidy_up(outdir, left_out, written, ours, in_place)
    return report


def _plan(
    outdir: Path, planned: Sequence[PlannedFile], extent: Extent, mode: LinkMode, written: set[Written]
) -> tuple[Changes, ExportReport, set[Written]]:
    """Compare the tree with the folder; give also what earlier exports wrote of the extent."""
    ours = {entry for entry in written if extent == Extent() or extent.holds(*night_of(folder_of(entry)))}
    changes = plan_changes(planned, (entry.path for entry in ours), _look(outdir, planned, ours, mode))
    report = ExportReport(clips=len(planned) // 2, unchanged=len(changes.unchanged))
    report.rejected += [_in_the_way(outdir, file) for file in changes.foreign]
    report.to_write, report.to_remove = tuple(file.path for file in changes.write), changes.remove
    return changes, report, ours


def _tidy_up(
    outdir: Path, left_out: set[Written], written: set[Written], ours: set[Written], in_place: set[Written]
) -> None:
    """Write down what the tree holds, and remove empty folders and kept bytes that nothing waits for."""
    others, gone = written - ours, ours - in_place
    occupied = {entry.path for entry in in_place} if gone else set()
    left = {entry for entry in gone if entry.path not in occupied and _is_file(outdir / entry.path)}
    write_manifest(outdir, others | in_place | left, written)
    removing.remove_empty_folders(outdir, {entry.path for entry in left_out | gone})
    removing.remove_kept(outdir, waited_for={entry.sha256 for entry in others | left_out})


def _look(outdir: Path, planned: Iterable[PlannedFile], ours: Iterable[Written], mode: LinkMode) -> dict[str, bool]:
    """Look at everything planned or written before: path -> is it right, for what is there."""
    looked_at = {file.path: files.as_it_should_be(outdir, file, mode) for file in planned}
    present = {path: right for path, right in looked_at.items() if right is not None}
    gone = (entry.path for entry in ours if entry.path not in looked_at)
    return present | {path: False for path in gone if os.path.lexists(outdir / path)}


def _entry(file: PlannedFile) -> Written:
    return Written(file.path, file.source.sha256)


def _in_the_way(outdir: Path, file: PlannedFile) -> Rejected:
    message = "somebody else's file is in the way and stays; move it, then export again"
    return Rejected(str(outdir / file.path), "foreign-file", message)


def _keep_what_only_the_tree_has(outdir: Path, to_write: Iterable[PlannedFile], written: Iterable[Written]) -> None:
    """Set aside bytes whose source is lost: a clip that moves in the tree must not vanish with its old place."""
    to_write = tuple(to_write)
    moving = {file.source.sha256 for file in to_write}
    places: dict[str, list[str]] = {}
    for path, sha256 in written:
        if sha256 in moving:
            places.setdefault(sha256, []).append(path)
    sources = [file.source for file in to_write if file.source.sha256 in places]
    available = in_order(files.is_available, sources, readers(source.path for source in sources))
    for source, is_available in zip(sources, available, strict=True):
        if not is_available:
            any(files.keep(outdir, path, source.sha256) for path in sorted(places[source.sha256]))


def _is_file(path: Path) -> bool:
    return path.is_symlink() or path.is_file()


def _write(
    outdir: Path,
    changes: Changes,
    written: set[Written],
    mode: LinkMode,
    report: ExportReport,
    progress: Progress,
) -> Iterator[PlannedFile]:
    """Write what is to be written and give what was; the rest is added to the report's rejected."""
    known_bytes = {entry.sha256 for entry in written}
    progress.begin("export", len(changes.write))
    at_once = readers(file.source.path for file in changes.write)
    faults = in_order(partial(_fault_of_putting, outdir, mode), changes.write, at_once)
    for file, fault in zip(changes.write, faults, strict=True):
        if isinstance(fault, SourceLost):
            files.remove_wrong(outdir / file.path, file.source, known_bytes)
            report.rejected.append(Rejected(file.source.path, "source-lost", f"{fault}; {NOT_EXPORTED}"))
        elif fault is not None:
            report.rejected.append(_in_the_way(outdir, file))
        else:
            report.written += 1
            yield file
        progress.advance(1)
    progress.done()


def _fault_of_putting(outdir: Path, mode: LinkMode, file: PlannedFile) -> Exception | None:
    try:
        files.put(outdir, file, mode)
    except (SourceLost, FileExistsError, NotADirectoryError, IsADirectoryError) as fault:
        return fault
    return None
