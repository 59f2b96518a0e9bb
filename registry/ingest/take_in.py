"""Take groups in, night by night: sort out, read and embed, note what moved; once the night is embedded, decide."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from registry.core.records import Group, Rejected
from registry.database.store import clips, operations
from registry.database.store.clips import Clip
from registry.database.store.operations import Author
from registry.database.store.transactions import Transactions
from registry.ingest.known import Sorted, sort_out
from registry.ingest.link import Linked, Replacing, link_group
from registry.ingest.model_in_use import ModelInUse
from registry.ingest.read import embed_new
from registry.ingest.report import GroupReport, IngestReport, Overlooked
from registry.input.scan import FoundGroup, Pair, Scan
from registry.progress import Progress
from registry.speech.workers import Workers


def take_all_in(
    transactions: Transactions,
    found: Scan,
    model: ModelInUse,
    workers: Workers,
    author: Author,
    progress: Progress,
    *,
    instead_of: Mapping[Group, Group] | None = None,
    may_shrink: bool = False,
) -> IngestReport:
    """Take every group in that was found, night by night; after each a young registry is decided afresh.

    Args:
        transactions: The registry's database.
        found: The groups; what cannot be used of them is added to their rejected.
        model: What embeds their clips.
        workers: Who reads and embeds.
        author: Who runs this, for the journal.
        progress: Told how far it is.
        instead_of: Group found -> group of the registry that it replaces: itself, or, where its folder got another
            name, the group of the former name. Clips of the replaced group that the folder no longer holds go. Of
            groups that are not named here all clips stay.
        may_shrink: Whether less than half of a group that is replaced may be left.
    """
    reports: list[GroupReport] = []
    rejected = list(found.rejected)
    moved = 0
    for _, night in groupby(found.groups.items(), key=lambda group: group[0].date):
        embedded = []
        for group, content in night:
            replaced = (instead_of or {}).get(group)
            replacing = None if replaced is None else Replacing(replaced, (), may_shrink)
            embedded.append(_embed_group(transactions, group, content, model, workers, author, progress, replacing))
        last = next((one for one in reversed(embedded) if one.new), None)
        for one in embedded:
            ends_night = one is last and not instead_of  # a replacement moves nobody else
            other_gender = _of_other_gender(one, embedded)
            report, moved_now = _link(transactions, one, model, workers, author, other_gender, ends_night)
            reports.append(report)
            moved += moved_now
            rejected += one.content.rejected
    overlooked = ((group, dict(content.overlooked)) for group, content in found.groups.items())
    seen = tuple(Overlooked(group, endings) for group, endings in overlooked if endings)
    return IngestReport(tuple(reports), tuple(rejected), seen, moved)


def _of_other_gender(one: "_Embedded", night: "Sequence[_Embedded]") -> list[str]:
    """List the audio hashes of the night's clips that are of the other gender, and not in the group too."""
    own = {clip.audio_hash for clip in one.new}
    others = (other.new for other in night if other.group.gender != one.group.gender)
    return [clip.audio_hash for new in others for clip in new if clip.audio_hash not in own]


def sort_group_out(transactions: Transactions, group: Group, content: FoundGroup) -> Sorted:
    """Compare what was found of a group with what is stored of it."""
    with transactions.begin() as connection:
        return sort_out(content.pairs.values(), clips.known_clips(connection, group))


@dataclass(frozen=True)
class _Embedded:
    """A group whose clips are embedded, to be linked once its whole night is."""

    group: Group
    content: FoundGroup  # what cannot be used is added to its rejected
    against_stored: Sorted
    clips: int  # pairs and broken pairs found in the folder
    read: int  # pairs
    unusable: int  # of those
    new: Sequence[Clip]
    replacing: Replacing | None


def _embed_group(
    transactions: Transactions,
    group: Group,
    content: FoundGroup,
    model: ModelInUse,
    workers: Workers,
    author: Author,
    progress: Progress,
    replacing: Replacing | None,
) -> _Embedded:
    clips_found = len(content.pairs) + len(content.rejected)
    against_stored = sort_group_out(transactions, group, content)
    content.rejected.extend(against_stored.rejected)
    content.rejected.extend(() if replacing else against_stored.clashes)
    pairs = against_stored.to_read(replacing=replacing is not None)
    new, unusable = _embed(transactions, group, pairs, model, workers, progress)
    content.rejected.extend(unusable)
    if against_stored.updated:
        _update(transactions, group, against_stored, author)
    return _Embedded(group, content, against_stored, clips_found, len(pairs), len(unusable), new, replacing)


def _link(
    transactions: Transactions,
    embedded: _Embedded,
    model: ModelInUse,
    workers: Workers,
    author: Author,
    other_gender: Collection[str],
    ends_night: bool,
) -> tuple[GroupReport, int]:
    """Link one group; give also how many clips another speaker has since all was decided afresh."""
    group, content, against_stored = embedded.group, embedded.content, embedded.against_stored
    linked = Linked()
    if embedded.new or embedded.replacing:
        replacing = _with_kept(embedded)
        described = workers.described()
        linked = link_group(
            transactions,
            group,
            embedded.new,
            model.foundation,
            author,
            described,
            replacing,
            other_gender,
            ends_night=ends_night,
        )
        content.rejected.extend(linked.rejected)
    never_linked = embedded.read - len(embedded.new) - embedded.unusable  # people had them forgotten before
    decided = linked.clips + linked.withdrawn + linked.forgotten + len(linked.rejected)
    taken_in_meanwhile = len(embedded.new) - decided  # by another ingest
    report = GroupReport(
        group,
        clips=embedded.clips,
        new=linked.clips,
        known=against_stored.known + taken_in_meanwhile,
        updated=len(against_stored.updated),
        forgotten=never_linked + linked.forgotten,
        withdrawn=linked.withdrawn,
        replaced=linked.replaced,
        rejected=len(content.rejected),
        speakers_matched=linked.speakers_matched,
        speakers_new=linked.speakers_new,
        speakers_joined=linked.speakers_joined,
        operation_id=linked.operation_id,
    )
    return report, linked.moved


def _embed(
    transactions: Transactions,
    group: Group,
    pairs: Sequence[Pair],
    model: ModelInUse,
    workers: Workers,
    progress: Progress,
) -> tuple[list[Clip], list[Rejected]]:
    """Read and embed; give the clips that can be linked, and those that cannot be used."""
    unusable: list[Rejected] = []
    progress.begin(str(group), len(pairs))
    new = embed_new(transactions, pairs, model, workers, unusable, progress)
    progress.done()
    return new, unusable


def _with_kept(embedded: _Embedded) -> Replacing | None:
    """Name the clips of a replaced group that stay: known ones, and those whose files are there and cannot be used.

    Where a group of another name is replaced, none stays.
    """
    replacing, against_stored = embedded.replacing, embedded.against_stored
    if replacing is None or replacing.group != embedded.group:
        return replacing
    known = [pair.name for pair in against_stored.unchanged] + [clip.name for clip in against_stored.updated]
    return replace(replacing, kept={*known, *(rejected.stem for rejected in embedded.content.rejected)})


def _update(transactions: Transactions, group: Group, against_stored: Sorted, author: Author) -> None:
    """Note where known clips are now; files that hold something else are an operation, for people to find."""
    counted = {
        "transcripts_replaced": len(against_stored.rewritten),
        "audio_files_replaced": len(against_stored.converted),
    }
    with transactions.begin() as connection:
        operations.lock_registry(connection)
        if any(counted.values()):
            operation_id = operations.begin_operation(connection, "ingest", author)
            clips.keep_transcripts(connection, group, against_stored.rewritten, operation_id)
            summary = {"group": str(group)} | {what: count for what, count in counted.items() if count}
            operations.sum_up(connection, operation_id, summary)
        clips.relocate_clips(connection, group, against_stored.updated)
