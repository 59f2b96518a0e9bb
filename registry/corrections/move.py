"""Single clips: move them, confirm them, or say whose they are not."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Engine

from registry.corrections.addressed import find_clips
from registry.corrections.change import Change, Outcome, change
from registry.corrections.saved_plans import Plan
from registry.database.store import addresses, corrections, speakers
from registry.database.store.addresses import Speaker
from registry.database.store.corrections import Verdict
from registry.database.store.operations import Author
from registry.errors import CorrectionRefused

NEW = "new"  # in place of a speaker: one that nobody is yet


def move(
    engine: Engine,
    clips: Sequence[str],
    speaker: str,
    author: Author,
    *,
    plan_only: bool = False,
    plan: Plan | None = None,
) -> Outcome:
    """Give clips the speaker that a person says they have, for good.

    Args:
        engine: The registry's database.
        clips: What the clips are called, see `find_clips`.
        speaker: What the speaker is called, or "new".
        author: Who says so.
        plan_only: Only tell what would change.
        plan: A saved plan to follow.

    Raises:
        UnknownClip, UnknownSpeaker, AmbiguousSpeaker: Nothing, or more than one speaker, is called so.
        CorrectionRefused: The clips are of another gender than the speaker.
        PlanOutdated: See `change`.
    """

    def act(under_way: Change) -> Mapping[str, object]:
        connection = under_way.connection
        clip_ids = find_clips(connection, clips)
        gender = gender_of(connection, clip_ids)
        target = None if speaker == NEW else addresses.find_speaker(connection, speaker)
        if target is not None and target.gender != gender:
            raise CorrectionRefused(cause=f"the clips are in {gender} folders, {target.label} is of another gender")
        if target is None:
            _move_to_new(under_way, clip_ids, gender)
        else:
            settle(under_way, clip_ids, target.speaker_id, "moved")
        return {"clips": len(clip_ids), "to": NEW if target is None else target.label}

    return change(engine, author, "move", act, plan_only=plan_only, plan=plan)


def _move_to_new(under_way: Change, clip_ids: Sequence[int], gender: str) -> None:
    """Give clips a speaker of their own, who is none of those that they leave: or they would soon be joined again."""
    left = set(corrections.speakers_of(under_way.connection, clip_ids).values())
    new_id = make_speaker(under_way, gender)
    settle(under_way, clip_ids, new_id, "moved")
    remaining = [speaker_id for speaker_id in sorted(left) if corrections.clips_of(under_way.connection, speaker_id)]
    verdicts = [Verdict("different", speaker_id, other_id=new_id) for speaker_id in remaining]
    corrections.replace_verdicts(under_way.connection, [], verdicts, under_way.operation_id)


def gender_of(connection: Connection, clip_ids: Sequence[int]) -> str:
    """Give the one gender of some clips.

    Raises:
        CorrectionRefused: They have two.
    """
    genders = corrections.genders_of(connection, clip_ids)
    if len(genders) > 1:
        raise CorrectionRefused(cause="the clips are of two genders; correct those of each by itself")
    return genders.pop()


def make_speaker(under_way: Change, gender: str) -> int:
    """Make a speaker that has no clip yet."""
    return speakers.add_speakers(under_way.connection, gender, 1, under_way.operation_id)[0]


def settle(under_way: Change, clip_ids: Sequence[int], speaker_id: int, reason: str) -> None:
    """Put clips where a person says they belong, and note that it was a person."""
    connection, operation_id = under_way.connection, under_way.operation_id
    there = corrections.speakers_of(connection, clip_ids)
    elsewhere = [clip_id for clip_id in clip_ids if there[clip_id] != speaker_id]
    corrections.reassign(connection, elsewhere, speaker_id, reason, operation_id)
    before = corrections.verdicts_on_clips(connection, clip_ids)
    contradicted = [v for v in before if v.kind == "confirmed" or v.speaker_id == speaker_id]
    after = [Verdict("confirmed", speaker_id, clip_id=clip_id) for clip_id in clip_ids]
    corrections.replace_verdicts(connection, contradicted, after, operation_id)


def confirm(engine: Engine, what: Sequence[str], author: Author) -> Outcome:
    """Note that speakers, as they are now, are one voice each, or clips where they belong: nothing moves them any more.

    Raises:
        UnknownSpeaker, UnknownClip: Neither a speaker nor a clip is called so.
    """

    def act(under_way: Change) -> Mapping[str, object]:
        labels = [_confirm_speaker(under_way, address) for address in what if addresses.is_speaker(address)]
        clip_ids = find_clips(under_way.connection, [address for address in what if not addresses.is_speaker(address)])
        for clip_id, speaker_id in corrections.speakers_of(under_way.connection, clip_ids).items():
            settle(under_way, [clip_id], speaker_id, "confirmed")
        return ({"confirmed": labels} if labels else {}) | ({"confirmed_clips": len(clip_ids)} if clip_ids else {})

    return change(engine, author, "confirm", act)


def _confirm_speaker(under_way: Change, address: str) -> str:
    speaker = addresses.find_speaker(under_way.connection, address)
    verdict = Verdict("confirmed", speaker.speaker_id)
    corrections.replace_verdicts(under_way.connection, [], [verdict], under_way.operation_id)
    return speaker.label


def reject(engine: Engine, clip: str, speaker: str, author: Author) -> Outcome:
    """Note that a clip is not a speaker's voice, for good; if it was there, it goes to a speaker of its own.

    Raises:
        UnknownClip, UnknownSpeaker, AmbiguousSpeaker: Nothing, or more than one speaker, is called so.
    """

    def act(under_way: Change) -> Mapping[str, object]:
        connection, operation_id = under_way.connection, under_way.operation_id
        clip_ids = find_clips(connection, [clip])
        unwanted = addresses.find_speaker(connection, speaker)
        there = corrections.speakers_of(connection, clip_ids)
        here = [clip_id for clip_id in clip_ids if there[clip_id] == unwanted.speaker_id]
        if here:
            _leave(under_way, here, unwanted)
        before = [v for v in corrections.verdicts_on_clips(connection, clip_ids) if v.speaker_id == unwanted.speaker_id]
        after = [Verdict("rejected", unwanted.speaker_id, clip_id=clip_id) for clip_id in clip_ids]
        corrections.replace_verdicts(connection, before, after, operation_id)
        return {"clips": len(clip_ids), "not": unwanted.label}

    return change(engine, author, "reject", act)


def _leave(under_way: Change, clip_ids: Sequence[int], unwanted: Speaker) -> None:
    if len(corrections.clips_of(under_way.connection, unwanted.speaker_id)) == len(clip_ids):
        raise CorrectionRefused(
            cause=f"{unwanted.label} has no other clip: who would it be? Rename or merge it instead"
        )
    new_id = make_speaker(under_way, unwanted.gender)
    corrections.reassign(under_way.connection, clip_ids, new_id, "rejected", under_way.operation_id)
