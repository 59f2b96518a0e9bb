"""Decide the speakers of a group's new clips: gather, decide, apply, in one transaction under the lock."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from sqlalchemy import Connection

from registry.core.linking.decisions import Decision, Linking, link
from registry.core.numbering import give_numbers
from registry.core.records import Group, Rejected
from registry.corrections.change import Change
from registry.corrections.judge import judge_touched
from registry.corrections.merge import unite_all
from registry.corrections.recluster import is_young
from registry.database.store import clips, embeddings, forgetting, history, models, operations, speakers, withdrawal
from registry.database.store.clips import Clip
from registry.database.store.models import Foundation
from registry.database.store.operations import Author
from registry.database.store.strangers import strangers
from registry.database.store.transactions import Transactions
from registry.errors import GroupShrinks, ModelMoved
from registry.ingest.afresh import decide_afresh
from registry.ingest.genders import sort_out_misfiled

SHRUNK = 0.5  # share of its clips below which a group that is replaced may be half copied


@dataclass(frozen=True)
class Linked:
    """How many clips got a speaker, and how many speakers those are."""

    clips: int = 0
    withdrawn: int = 0  # left out, since they were taken out of the group
    forgotten: int = 0  # left out, since people had them forgotten while they were embedded
    replaced: int = 0  # clips that were there and are taken out for these
    speakers_matched: int = 0
    speakers_new: int = 0
    speakers_joined: int = 0  # stored speakers that turned out to be another one's voice
    moved: int = 0  # clips, of whatever night, that have another speaker since a young registry was decided afresh
    rejected: tuple[Rejected, ...] = ()  # clips whose recording is there under the other gender
    operation_id: int | None = None  # what it is in the journal; None where nothing was to be done

    def counts(self) -> dict[str, int]:
        """Count it all, for the journal."""
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name not in ("moved", "rejected", "operation_id")
        }


@dataclass(frozen=True)
class Replacing:
    """A group of the registry whose clips make room for the new ones."""

    group: Group
    kept: Collection[str]  # names of its clips that stay all the same
    may_shrink: bool = False  # whether less than half of the group may be left


def link_group(
    transactions: Transactions,
    group: Group,
    new_clips: Sequence[Clip],
    foundation: Foundation,
    author: Author,
    embedded_by: Mapping[str, object] | None = None,
    replacing: Replacing | None = None,
    other_gender: Collection[str] = (),
    *,
    ends_night: bool = False,
) -> Linked:
    """Store a group's new clips with their speakers, all or nothing; the journal also tells what embedded them.

    A young registry is decided afresh in the same transaction as the last group of a night, so no kill comes between.

    Clips that are about to be replaced are still there to be compared with: so a night that was cut anew, or a folder
    that was renamed, keeps its speakers. Other speakers are not joined by a replacement, nor in a young registry, which
    is decided afresh once the night is complete.

    Args:
        transactions: The registry's database.
        group: The group.
        new_clips: Its new clips, embedded already.
        foundation: What the registry is built on.
        author: Who runs this, for the journal.
        embedded_by: What embedded the clips, for the journal.
        replacing: The clips that go for the new ones, if this is a replacement.
        other_gender: Audio hashes (hex) of the night's clips of the other gender, embedded but perhaps not stored as
            clips yet. They count as strangers.
        ends_night: Whether this is the last group of the night.

    Raises:
        ModelMoved: Another model than the one that embedded them decides by now.
        GroupShrinks: Less than half of the group that is replaced would be left.
    """
    with transactions.begin() as connection:
        operations.lock_registry(connection)
        foundation = _as_it_is_now(connection, foundation)
        linked = _store(connection, group, new_clips, foundation, author, embedded_by or {}, replacing, other_gender)
        moved = decide_afresh(connection, foundation, author) if ends_night else 0
    return replace(linked, moved=moved)


def _store(
    connection: Connection,
    group: Group,
    new_clips: Sequence[Clip],
    foundation: Foundation,
    author: Author,
    embedded_by: Mapping[str, object],
    replacing: Replacing | None,
    other_gender: Collection[str],
) -> Linked:
    stored = _what_is_stored(connection, group, new_clips, replacing)
    if not stored.clips and not stored.gone:
        return Linked(withdrawn=stored.withdrawn, forgotten=stored.forgotten, rejected=tuple(stored.rejected))
    kind = "ingest" if replacing is None else "replace"
    under_way = Change(connection, operations.begin_operation(connection, kind, author))
    clips_of_audio = clips.add_clips(connection, group, stored.clips, under_way.operation_id)
    may_join_stored = replacing is None and not is_young(connection, foundation)
    audio_ids = list(clips_of_audio)
    linking = _decide(connection, group, audio_ids, foundation, other_gender, may_join_stored=may_join_stored)
    heirs = unite_all(under_way, linking.joins)
    applied = _apply(under_way, group, linking.decisions, heirs, clips_of_audio, stored.gone)
    linked = replace(
        applied,
        withdrawn=stored.withdrawn,
        forgotten=stored.forgotten,
        rejected=tuple(stored.rejected),
        operation_id=under_way.operation_id,
    )
    summary = {"group": str(group), **linked.counts(), **embedded_by}
    instead_of = {} if replacing is None or replacing.group == group else {"instead_of": str(replacing.group)}
    operations.sum_up(connection, under_way.operation_id, summary | instead_of)
    return linked


@dataclass(frozen=True)
class _Stored:
    """What of the new clips is stored, what goes for them, and what is left out."""

    clips: Sequence[Clip]
    gone: Collection[int]  # keys of clips
    rejected: Sequence[Rejected]  # misfiled
    withdrawn: int  # left out, since people took them out
    forgotten: int  # left out, since people had them forgotten


def _what_is_stored(
    connection: Connection, group: Group, new_clips: Sequence[Clip], replacing: Replacing | None
) -> _Stored:
    """Leave out what people forgot or took out and what is misfiled; a replacement brings back what its folder holds.

    What was forgotten was left out before it was embedded; here is what people forgot since.
    """
    forgotten = forgetting.forgotten(connection, [clip.audio_hash for clip in new_clips])
    held = [clip for clip in new_clips if clip.audio_hash not in forgotten]
    if replacing is not None:
        left, misfiled = sort_out_misfiled(connection, group, held, replacing.group)
        gone = _replaced(connection, group, left, replacing)
        _refuse_loss(connection, replacing, len(gone), len(left))
        return _Stored(left, gone, misfiled, withdrawn=0, forgotten=len(new_clips) - len(held))
    withdrawn = withdrawal.withdrawn_from(connection, group, [clip.audio_hash for clip in held])
    wanted = [clip for clip in held if (clip.name, clip.audio_hash) not in withdrawn]
    left, misfiled = sort_out_misfiled(connection, group, wanted, None)
    there = clips.known_clips(connection, group)
    missing = [clip for clip in left if clip.name not in there]
    withdrawn_count = len(held) - len(wanted)
    return _Stored(missing, (), misfiled, withdrawn=withdrawn_count, forgotten=len(new_clips) - len(held))


def _refuse_loss(connection: Connection, replacing: Replacing, gone: int, new: int) -> None:
    """Keep a folder that is half there from taking most of a group out."""
    before = len(withdrawal.clips_of_group(connection, replacing.group))
    after = before - gone + new
    if not replacing.may_shrink and after < SHRUNK * before:
        raise GroupShrinks(group=replacing.group, before=before, after=after)


def _replaced(connection: Connection, group: Group, new_clips: Sequence[Clip], replacing: Replacing) -> set[int]:
    """List the clips that go: those of the group replaced, and those of the names that come in."""
    gone = withdrawal.clips_of_group(connection, replacing.group, but_for=replacing.kept)
    namesakes = withdrawal.clips_of_group(connection, group, named=[clip.name for clip in new_clips])
    return {*gone, *namesakes}


def _decide(
    connection: Connection,
    group: Group,
    audio_ids: Sequence[int],
    foundation: Foundation,
    other_gender: Collection[str],
    *,
    may_join_stored: bool,
) -> Linking:
    rule = foundation.rule
    vectors = embeddings.vectors(connection, foundation.model_id, foundation.dimension, audio_ids)
    durations_s, narrowness = embeddings.sounds(connection, audio_ids)
    others = strangers(connection, foundation, group.gender, rule.most_strangers, other_gender)
    known = speakers.known_voices(connection, foundation, group, audio_ids, others)
    return link(audio_ids, vectors, durations_s, narrowness, known, rule, may_join_stored=may_join_stored)


def _as_it_is_now(connection: Connection, foundation: Foundation) -> Foundation:
    """Take up a calibration since the run began, and keep its embeddings from being compared with another model's."""
    now = models.foundation(connection)
    if now is None:
        return foundation
    if now.model_id != foundation.model_id:
        raise ModelMoved(recorded=now.name, requested=foundation.name)
    return replace(foundation, constants=now.constants)


def _apply(
    under_way: Change,
    group: Group,
    decisions: Sequence[Decision],
    heirs: Mapping[int, int],
    clips_of_audio: Mapping[int, Sequence[int]],
    gone: Collection[int],
) -> Linked:
    connection, operation_id = under_way.connection, under_way.operation_id
    decided = _with_keys(under_way, group, decisions, heirs)
    heard = _in_order_heard(decided, clips_of_audio)
    held, last_number = speakers.numbers_held(connection, group, heard)
    speakers.add_numbers(connection, group, give_numbers(heard, held, last_number), operation_id)
    withdrawal.withdraw(connection, gone, operation_id)
    speakers.assign(connection, decided, clips_of_audio, operation_id)
    withdrawal.restore_verdicts(connection, operation_id)
    touched = history.speakers_touched(connection, operation_id)
    history.drop_passing(connection, operation_id)  # of a speaker that was joined to one that was joined itself
    speakers.refresh_profiles(connection, touched - speakers.grow_profiles(connection, operation_id))
    judge_touched(connection, touched, operation_id)
    count = sum(len(carriers) for carriers in clips_of_audio.values())
    new = sum(decision.speaker_id is None for decision in decisions)
    return Linked(
        count, replaced=len(gone), speakers_matched=len(heard) - new, speakers_new=new, speakers_joined=len(heirs)
    )


def _with_keys(
    under_way: Change, group: Group, decisions: Sequence[Decision], heirs: Mapping[int, int]
) -> list[tuple[Decision, int]]:
    """Pair every decision with its speaker's key, making the new speakers."""
    new = sum(decision.speaker_id is None for decision in decisions)
    keys = iter(speakers.add_speakers(under_way.connection, group.gender, new, under_way.operation_id))
    stored = (None if d.speaker_id is None else heirs.get(d.speaker_id, d.speaker_id) for d in decisions)
    return [(d, next(keys) if key is None else key) for d, key in zip(decisions, stored, strict=True)]


def _in_order_heard(decided: Sequence[tuple[Decision, int]], audio_ids: Iterable[int]) -> list[int]:
    """List the speakers in the order in which their audios are given."""
    speaker_of = {audio_id: speaker_id for decision, speaker_id in decided for audio_id in decision.audio_ids}
    return list(dict.fromkeys(speaker_of[audio_id] for audio_id in audio_ids))
