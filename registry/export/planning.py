"""Compare the tree with the folder: what is to be written, moved, removed, and what has to be set aside."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine

from registry.core.export_losses import KEPT, Fate, Held, leaving, pair_moves
from registry.core.export_plan import Changes, PlannedFile, folder_of, is_sound, one_place, plan_changes
from registry.database.store.tree import Extent
from registry.export import disk, fates, files
from registry.export.files import LinkMode
from registry.export.manifest import Heading, Record, Written, night_of


@dataclass(frozen=True)
class ExportJob:
    """What was asked for."""

    engine: Engine
    outdir: Path
    extent: Extent
    mode: LinkMode
    heading: Heading
    may_remove: bool = False


@dataclass(frozen=True)
class TreePlan:
    """What to do to a folder, and what earlier exports say of it."""

    planned: Sequence[PlannedFile]
    changes: Changes
    same_place: Mapping[PlannedFile, str]  # what cannot be written, as this disk has another folder there
    record: Record
    ours: frozenset[Written]  # what earlier exports wrote of the extent
    others: frozenset[Written]  # what they wrote of other groups, which stays
    vacated: tuple[Held, ...]  # what of it is there and loses its place or content
    moves: Mapping[str, str]  # new path -> old path of equal bytes
    fates: Mapping[Held, Fate] = field(default_factory=dict)  # of what leaves the tree

    @property
    def to_set_aside(self) -> list[Held]:
        """List what must not be removed, as there is no other copy."""
        return [held for held, fate in self.fates.items() if fate in KEPT]

    @property
    def to_remove(self) -> list[str]:
        """List the paths that go with what they hold."""
        moved, kept = set(self.moves.values()), {held.path for held in self.to_set_aside}
        return [path for path in self.changes.remove if path not in moved and path not in kept]

    @property
    def clips_there(self) -> int:
        """Count the clips of the extent that the folder holds."""
        unchanged = sum(is_sound(file.path) for file in self.changes.unchanged)
        return unchanged + sum(is_sound(held.path) for held in self.vacated)


def make_plan(job: ExportJob, planned: Sequence[PlannedFile], record: Record) -> TreePlan:
    """Gather what there is, and decide what to do."""
    ours = frozenset(_of_extent(record.entries, job.extent))
    others = record.entries - ours if len(ours) < len(record.entries) else frozenset[Written]()
    owners = _owners(job.outdir, planned, ours)
    rehomed = frozenset(_rehome(entry, owners) for entry in ours) if owners else ours
    same_place = {f: owners[folder_of(f.path)] for f in planned if folder_of(f.path) in owners} if owners else {}
    possible = [file for file in planned if file not in same_place] if same_place else planned
    look = _look(job, possible, rehomed, {entry.path for entry in record.under_way})
    changes = plan_changes(possible, (entry.path for entry in rehomed), look)
    vacated = _vacated(job.outdir, rehomed, changes, look)
    moves = pair_moves((Held(file.path, file.source.sha256) for file in changes.write), vacated)
    staying = {file.source.sha256 for file in planned} if vacated else set()
    staying |= {entry.sha256 for entry in others} if vacated else set()
    gone = fates.fates_of(job.engine, job.outdir, leaving(vacated, staying))
    return TreePlan(planned, changes, same_place, record, rehomed, others, vacated, moves, gone)


def _of_extent(entries: frozenset[Written], extent: Extent) -> Iterable[Written]:
    if extent.is_whole:
        return entries
    return (entry for entry in entries if extent.holds(*night_of(folder_of(entry.path))))


def _owners(outdir: Path, planned: Iterable[PlannedFile], ours: Iterable[Written]) -> dict[str, str]:
    """Tell which folders would be in the place of another one, on a disk that ignores case."""
    if not disk.ignores_case(outdir):
        return {}
    return one_place({folder_of(file.path) for file in planned}, {folder_of(entry.path) for entry in ours})


def _rehome(entry: Written, owners: Mapping[str, str]) -> Written:
    folder = folder_of(entry.path)
    return entry._replace(path=entry.path.replace(folder, owners.get(folder, folder)))


def _look(
    job: ExportJob, planned: Iterable[PlannedFile], ours: Iterable[Written], unsure: Collection[str]
) -> dict[str, bool]:
    """Look at everything planned or written before: path -> is it right, for what is there.

    What a killed export was writing may be there and empty, if the power went: it is read.
    """
    looked_at = {file.path: files.as_it_should_be(job.outdir, file, job.mode) for file in planned}
    present = {path: right for path, right in looked_at.items() if right is not None}
    if unsure:
        for file in planned:
            if file.path in unsure and present.get(file.path, False):
                present[file.path] = files.holds(job.outdir / file.path, file.source.sha256)
    gone = (entry.path for entry in ours if entry.path not in looked_at)
    return present | {path: False for path in gone if os.path.lexists(job.outdir / path)}


def _vacated(outdir: Path, ours: Iterable[Written], changes: Changes, present: Mapping[str, bool]) -> tuple[Held, ...]:
    """List what is there and does not stay as it is; of a path listed twice, what it really holds."""
    if not changes.write and not changes.remove:
        return ()
    changing = present.keys() - {file.path for file in changes.unchanged}
    listed: dict[str, list[str]] = {}
    for path, sha256 in sorted(entry for entry in ours if entry.path in changing):
        listed.setdefault(path, []).append(sha256)
    return tuple(Held(path, _really(outdir / path, hashes)) for path, hashes in listed.items())


def _really(path: Path, listed: Sequence[str]) -> str:
    if len(listed) == 1:
        return listed[0]
    found = files.sha256_of(path)
    return found if found is not None and found in listed else listed[0]
