"""Bring a folder to the tree of the registry: gather, plan, write down what will be written, apply."""

import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Engine

from registry.core.export_plan import Changes, PlannedFile, plan_changes, plan_tree
from registry.core.records import Rejected
from registry.errors import OutputRefused
from registry.export import files
from registry.export.aliases import write_aliases
from registry.export.files import LinkMode, SourceLost
from registry.export.manifest import FOLDER, Written, night_of, read_manifest, write_manifest
from registry.progress import Progress, Silent
from registry.store import tree
from registry.store.tree import Extent

NOT_EXPORTED = "not exported; put it back as it was, or ingest it from where it is now, then export again"


@dataclass
class ExportReport:
    """What an export did, counted in files (two for a clip)."""

    clips: int
    written: int = 0
    unchanged: int = 0
    removed: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    to_write: tuple[str, ...] = ()  # of a plan: paths below the top
    to_remove: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 if the tree is whole, 1 if some of it could not be written."""
        return 1 if self.rejected else 0


def export(
    engine: Engine,
    outdir: Path,
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
        mode: How a file gets there: a copy, or a hard or symbolic link to the source.
        progress: Told how far it is.
        as_of: An operation: export what held right after it.
        plan_only: Only tell what would be written and removed.

    Raises:
        OutputRefused: The folder cannot serve, or cannot be written, or holds the tree of another registry.
    """
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
        write_manifest(outdir, written | {_entry(file) for file in changes.write})
        _keep_what_only_the_tree_has(outdir, (*changes.write, *changes.foreign), written)
        report.removed = _remove(outdir, changes.remove)
    in_place = {_entry(file) for file in changes.unchanged}
    in_place |= {_entry(file) for file in _write(outdir, changes, written, mode, report, progress)}
    _tidy_up(outdir, {_entry(file) for file in planned}, written - ours, ours, in_place)
    return report


def _plan(
    outdir: Path, planned: Sequence[PlannedFile], extent: Extent, mode: LinkMode, written: set[Written]
) -> tuple[Changes, ExportReport, set[Written]]:
    """Compare the tree with the folder; give also what earlier exports wrote of the extent."""
    ours = {entry for entry in written if extent.holds(*night_of(entry.path))}
    changes = plan_changes(planned, (entry.path for entry in ours), _look(outdir, planned, ours, mode))
    report = ExportReport(clips=len(planned) // 2, unchanged=len(changes.unchanged))
    report.rejected += [_in_the_way(outdir, file) for file in changes.foreign]
    report.to_write, report.to_remove = tuple(file.path for file in changes.write), changes.remove
    return changes, report, ours


def _tidy_up(
    outdir: Path, planned: set[Written], others: set[Written], ours: set[Written], in_place: set[Written]
) -> None:
    """Write down what the tree holds, and remove empty folders and kept bytes that nothing waits for."""
    missing = (planned | ours) - in_place
    occupied = {entry.path for entry in in_place}
    left = {entry for entry in ours if entry.path not in occupied and _is_file(outdir / entry.path)}
    write_manifest(outdir, others | in_place | left)
    _remove_empty_folders(outdir, {entry.path for entry in missing})
    _remove_kept(outdir, waited_for={entry.sha256 for entry in others | (planned - in_place)})


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
    for file in to_write:
        wanted = file.source.sha256
        if wanted in places and not files.is_available(file.source):
            any(files.keep(outdir, path, wanted) for path in sorted(places[wanted]))


def _is_file(path: Path) -> bool:
    return path.is_symlink() or path.is_file()


def _remove(outdir: Path, paths: Iterable[str]) -> int:
    """Remove files and count them; a folder that somebody put in the place of one stays."""
    removed = 0
    for path in paths:
        with suppress(IsADirectoryError):
            (outdir / path).unlink(missing_ok=True)
            removed += 1
    return removed


def _remove_empty_folders(outdir: Path, paths: Iterable[str]) -> None:
    folders = {folder for path in paths for folder in list((outdir / path).parents)[:2]}
    for folder in sorted(folders, reverse=True):  # a folder after what is in it
        with suppress(OSError):
            folder.rmdir()


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
    for file in changes.write:
        try:
            files.put(outdir, file, mode)
        except SourceLost as lost:
            files.remove_wrong(outdir / file.path, file.source, known_bytes)
            report.rejected.append(Rejected(file.source.path, "source-lost", f"{lost}; {NOT_EXPORTED}"))
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            report.rejected.append(_in_the_way(outdir, file))
        else:
            report.written += 1
            yield file
        progress.advance(1)
    progress.done()


def _remove_kept(outdir: Path, waited_for: set[str]) -> None:
    kept = outdir / FOLDER / "kept"
    if kept.is_dir():
        for path in kept.iterdir():
            if path.name not in waited_for:
                path.unlink()
        with suppress(OSError):  # not empty: an export of other groups was killed, its next run needs the rest
            kept.rmdir()
    files.partial_file(outdir).unlink(missing_ok=True)
