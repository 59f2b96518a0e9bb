"""Let groups of the registry become what their folders hold now: cut anew, recorded anew, renamed."""

from collections.abc import Sequence

from registry.core.records import Group
from registry.corrections.judge import judge_left
from registry.database.store import withdrawal
from registry.database.store.operations import Author
from registry.database.store.transactions import Transactions
from registry.errors import CorrectionRefused
from registry.ingest.model_in_use import ModelInUse
from registry.ingest.options import NO_OPTIONS, IngestOptions
from registry.ingest.report import IngestReport
from registry.ingest.take_in import take_all_in
from registry.input.remote import AnyPath, readers
from registry.input.scan import Scan, scan
from registry.input.trust import name_sources
from registry.progress import Progress, Silent
from registry.speech.workers import LocalWorkers


def replace(
    transactions: Transactions,
    folders: Sequence[AnyPath],
    author: Author,
    *,
    instead_of: Group | None = None,
    may_shrink: bool = False,
    options: IngestOptions = NO_OPTIONS,
    progress: Progress | None = None,
) -> IngestReport:
    """Take groups in, and take out what the registry has of them and the folders have no longer, or otherwise.

    A recording keeps its speaker, and what people said about it, under whatever name it comes; another voice is linked
    as ever, while the former recordings are still there to be compared with. A clip whose files cannot be used stays
    as it is. What comes and goes of a group is one operation that can be undone; what only moved, or was transcribed
    anew, is noted before as by an ingest.

    Args:
        transactions: The registry's database; a transaction a step, or all steps one.
        folders: Folders of groups, or that hold them.
        author: Who runs this, for the journal.
        instead_of: The group that a single one found takes the place of: its folder got another name. None where
            each takes its own place.
        may_shrink: Go on where less than half of a group's clips would be left.
        options: What else is asked, as of an ingest.
        progress: Told how far it is.

    Raises:
        InputMissing, RemoteMissing: The folders cannot be opened.
        GroupShrinks: Without `may_shrink`, less than half of a group's clips would be left.
        CorrectionRefused: The registry has no clips of a group to be replaced, a folder holds none, or with
            `instead_of` there are several.
        ModelUnavailable, RuntimeUnavailable, ModelMismatch: The model cannot be had here.
    """
    name_sources(folders)
    in_use = ModelInUse(transactions, options)
    found = scan(folders, as_named=options.as_named)
    places = _places(found, instead_of)
    _refuse_empty(transactions, found, places)
    with LocalWorkers(lambda: in_use.embedder, options.workers, readers(folders)) as hands:
        report = take_all_in(
            transactions,
            found,
            in_use,
            hands,
            author,
            progress or Silent(),
            instead_of=places,
            may_shrink=may_shrink,
        )
    with transactions.begin() as connection:
        judge_left(connection)
    return report


def _places(found: Scan, instead_of: Group | None) -> dict[Group, Group]:
    if instead_of is None:
        return {group: group for group in found.groups}
    if len(found.groups) != 1:
        raise CorrectionRefused(cause=f"{len(found.groups)} groups cannot take the place of {instead_of}; name one")
    return dict.fromkeys(found.groups, instead_of)


def _refuse_empty(transactions: Transactions, found: Scan, places: dict[Group, Group]) -> None:
    """Keep a folder that was emptied, or is not mounted, from taking a whole group out."""
    for group, leaving in places.items():
        with transactions.begin() as connection:
            if not withdrawal.clips_of_group(connection, leaving):
                raise CorrectionRefused(cause=f"the registry has no clips of {leaving}; registry ingest takes new ones")
        if not found.groups[group].pairs:
            cause = f"the folder of {group} holds no pair of files; registry withdraw {leaving} takes all clips out"
            raise CorrectionRefused(cause=cause)
