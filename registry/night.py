"""A whole night: take in what is new, bring the exported tree up to date, and tell what a person should look at."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from registry import settings
from registry.database.store import journal, nights, operations
from registry.database.store.journal import Unsure
from registry.database.store.operations import Author
from registry.errors import NightUnderWay, OutputRefused, RegistryError
from registry.export import ExportReport, export
from registry.export.files import LinkMode
from registry.ingest import IngestReport, ingest
from registry.ingest.options import NO_OPTIONS, IngestOptions
from registry.input.group_folders import looks_like_group
from registry.input.remote import AnyPath, RemotePath
from registry.progress import Progress, Silent


@dataclass(frozen=True)
class JoinedSpeaker:
    """A speaker that turned out to be another one's voice: its number leads there now."""

    alias: str
    of: str


@dataclass(frozen=True)
class NightReport:
    """What a night did."""

    ingested: IngestReport
    exported: ExportReport | RegistryError  # or why there was no export
    joined: tuple[JoinedSpeaker, ...]
    unsure: tuple[Unsure, ...]  # decisions that were close, the closest first

    @property
    def exit_code(self) -> int:
        """0 if all went well, 1 if some was rejected, 2 if there was no export."""
        return max(self.ingested.exit_code, self.exported.exit_code)


def night(
    engine: Engine,
    indirs: Sequence[AnyPath],
    outdir: AnyPath,
    author: Author,
    *,
    mode: LinkMode = "copy",
    options: IngestOptions = NO_OPTIONS,
    progress: Progress | None = None,
) -> NightReport:
    """Ingest, then export, whatever was rejected; a night that is due while another is at work waits for it.

    Args:
        engine: The registry's database.
        indirs: Folders that hold groups, or groups themselves.
        outdir: The folder of the exported tree.
        author: Who runs this, for the journal.
        mode: How a file gets into the tree.
        options: What is asked of the ingest.
        progress: Told how far it is.

    Raises:
        OutputRefused: The folder to export to is one of input. What else keeps an export from running is reported.
        NightUnderWay: Another night is at work and does not end.
        Also what `ingest` raises; then nothing is exported.
    """
    told = progress or Silent()
    _refuse_input(indirs, outdir)
    with _alone(engine, told):
        with engine.connect() as connection:
            before = operations.last_operation(connection)
        ingested = ingest(engine, indirs, author, options, told)
        exported = _exported(engine, outdir, mode, told)
    with engine.connect() as connection:
        numbers = journal.effects_after(connection, before).numbers
        unsure = journal.unsure_after(connection, before, *settings.UNSURE)
    joined = tuple(JoinedSpeaker(number, of) for number, what, of in numbers if what == "alias")
    return NightReport(ingested, exported, joined, tuple(filter(worth_a_look, unsure)))


def worth_a_look(decision: Unsure) -> bool:
    """Tell whether a close decision may be wrong; one that is sure for itself, and has a rival, is not."""
    least, most = settings.UNSURE
    if decision.probability is not None:
        return decision.probability < most
    return decision.runner_up_probability is not None and decision.runner_up_probability > least


def _exported(engine: Engine, outdir: AnyPath, mode: LinkMode, progress: Progress) -> ExportReport | RegistryError:
    """Export; what was taken in is to be told also where that is refused."""
    try:
        return export(engine, outdir, mode=mode, progress=progress)
    except RegistryError as error:
        return error


@contextmanager
def _alone(engine: Engine, progress: Progress) -> Iterator[None]:
    """Wait for another night, of which one may last longer than a day."""
    with engine.connect() as connection:
        if not nights.begin_alone(connection):
            progress.begin("waiting for the night that is under way", 1)
            if not nights.begin_after_other(connection, settings.PATIENCE_S):
                raise NightUnderWay(hours=round(settings.PATIENCE_S / 3600))
            progress.advance(1)
            progress.done()
        yield


def _refuse_input(indirs: Sequence[AnyPath], outdir: AnyPath) -> None:
    """Refuse what a shell makes of `nights/*` where the folder to export to was left out."""
    if isinstance(outdir, RemotePath):
        raise OutputRefused(path=outdir, cause="only input may be at a URL")
    real = Path(os.path.realpath(outdir))
    for indir in indirs:
        if isinstance(indir, Path) and Path(os.path.realpath(indir)) in (real, *real.parents):
            raise OutputRefused(path=outdir, cause=f"it lies inside the input folder {indir}")
    with suppress(OSError):
        if looks_like_group(real) or any(looks_like_group(folder) for folder in real.iterdir()):
            raise OutputRefused(path=outdir, cause="it holds groups to be taken in; the folder to export to comes last")
