"""The nightly run: every group found, one after the other."""

from collections.abc import Sequence

from registry.core.records import Group, Rejected
from registry.core.rejections_in_brief import Alike, by_cause
from registry.corrections.judge import judge_left
from registry.database.store import clips, withdrawal
from registry.database.store.operations import Author
from registry.database.store.transactions import Transactions
from registry.errors import PairsBroken
from registry.ingest.genders import both_genders
from registry.ingest.model_in_use import ModelInUse
from registry.ingest.options import NO_OPTIONS, IngestOptions
from registry.ingest.read import read_only
from registry.ingest.report import IngestReport
from registry.ingest.take_in import sort_group_out, take_all_in
from registry.input.remote import AnyPath, readers
from registry.input.scan import Pair, Scan, scan
from registry.input.trust import name_sources
from registry.progress import Progress, Silent
from registry.speech.ray_workers import RayWorkers
from registry.speech.workers import LocalWorkers


def ingest(
    transactions: Transactions,
    indirs: Sequence[AnyPath],
    author: Author,
    options: IngestOptions = NO_OPTIONS,
    progress: Progress | None = None,
) -> IngestReport:
    """Take groups of clips into the registry; what is in it already costs a look at the file.

    Args:
        transactions: The registry's database; a transaction a step, or all steps one.
        indirs: Folders that hold groups, or groups themselves; a `RemotePath` is one that a URL names.
        author: Who runs this, for the journal.
        options: What is asked of the ingest.
        progress: Told how far it is.

    Raises:
        InputMissing: None of the folders can be opened.
        RemoteMissing: What reads such a URL is not installed.
        PairsBroken: With `strict`, something cannot be used.
        ModelUnavailable, RuntimeUnavailable, ModelMismatch, ScopeMismatch: The model or scope asked for cannot be
            had here.
        RayMissing, ClusterUnusable: With `ray`, there is no such cluster to be had.
    """
    name_sources(indirs)
    in_use = ModelInUse(transactions, options)
    found = scan(indirs, as_named=options.as_named)
    if options.strict:
        _refuse_broken(transactions, found)
    with _workers(in_use, options, readers(indirs)) as hands:
        report = take_all_in(transactions, found, in_use, hands, author, progress or Silent())
    with transactions.begin() as connection:
        judge_left(connection)
    return report


def _workers(model: ModelInUse, options: IngestOptions, read_at_once: int) -> LocalWorkers | RayWorkers:
    if options.ray is None:
        return LocalWorkers(lambda: model.embedder, options.workers, read_at_once)
    return RayWorkers(options.ray, lambda: model.name_and_fingerprint, _wav_of, options.runtime, options.workers)


def _wav_of(pair: Pair) -> str:
    return str(pair.wav.path)


def _refuse_broken(transactions: Transactions, found: Scan) -> None:
    broken = found.all_rejected()
    heard: dict[str, tuple[str, str]] = {}  # audio hash -> the gender and the clip under which it was heard first
    for group, content in found.groups.items():
        against_stored = sort_group_out(transactions, group, content)
        read = read_only(against_stored.new)
        broken += against_stored.all_rejected() + [one for one in read if isinstance(one, Rejected)]
        broken += _misfiled(transactions, group, [one for one in read if not isinstance(one, Rejected)], heard)
    if broken:
        raise PairsBroken(count=len(broken), listed="; ".join(map(_listed, by_cause(broken))))


def _listed(alike: Alike) -> str:
    named = "; ".join(f"{one.path}: {one.message}" for one in alike.shown)
    return f"{named}; and {alike.more} more like these [{alike.reason}]" if alike.more else named


def _misfiled(
    transactions: Transactions, group: Group, read: Sequence[tuple[Pair, str]], heard: dict[str, tuple[str, str]]
) -> list[Rejected]:
    """Find what was heard under the other gender, in the registry or in this run."""
    with transactions.begin() as connection:
        hashes = [audio_hash for _, audio_hash in read]
        stored = clips.under_other_gender(connection, group.gender, hashes)
        withdrawn = withdrawal.withdrawn_from(connection, group, hashes)
    broken = []
    for pair, audio_hash in read:
        if (pair.name, audio_hash) in withdrawn:
            continue
        gender, first = heard.setdefault(audio_hash, (group.gender, f"{group}/{pair.name}"))
        if audio_hash in stored or gender != group.gender:
            broken.append(both_genders(str(pair.wav.path), stored.get(audio_hash, first)))
    return broken
