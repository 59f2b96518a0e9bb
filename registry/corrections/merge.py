"""Two speakers are one voice, or they are not: merge, same, different."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from sqlalchemy import Connection, Engine

from registry.core.linking.consolidation import Join
from registry.core.merging import heir, unite
from registry.corrections.change import Change, Outcome, change
from registry.corrections.saved_plans import Plan
from registry.database.store import addresses, corrections
from registry.database.store.addresses import Speaker
from registry.database.store.corrections import Verdict
from registry.database.store.operations import Author
from registry.errors import CorrectionRefused


def merge(
    engine: Engine, speakers: Sequence[str], author: Author, *, plan_only: bool = False, plan: Plan | None = None
) -> Outcome:
    """Make two speakers, or more, one; the lowest number stays, the others become its aliases.

    Every later automatic step keeps them together.

    Raises:
        UnknownSpeaker, AmbiguousSpeaker: Nobody, or more than one, is called so.
        CorrectionRefused: Two of them are one already, of two genders, or a person said that they are different, or
            that a clip of one is not the other.
        PlanOutdated: See `change`.
    """

    def act(under_way: Change) -> Mapping[str, object]:
        connection = under_way.connection
        found = [addresses.find_speaker(connection, address) for address in speakers]
        for one, other in combinations(found, 2):
            _refuse_odd_pair(one, other)
            _refuse_different(connection, one, other)
            _refuse_rejected(connection, one, other)
        heir_id = found[0].speaker_id
        for speaker in found[1:]:
            heir_id = merge_speakers(under_way, heir_id, speaker.speaker_id)
        return {"merged": [speaker.label for speaker in found]}

    return change(engine, author, "merge", act, plan_only=plan_only, plan=plan)


def different(engine: Engine, one: str, other: str, author: Author) -> Outcome:
    """Note that two speakers are two people: nothing may ever join them, also not through others.

    Raises:
        UnknownSpeaker, AmbiguousSpeaker: Nobody, or more than one, is called so.
        CorrectionRefused: They are one speaker; split it first.
    """

    def act(under_way: Change) -> Mapping[str, object]:
        connection = under_way.connection
        pair = [addresses.find_speaker(connection, address) for address in (one, other)]
        if pair[0] == pair[1]:
            raise CorrectionRefused(cause=f"{one} and {other} are one speaker, {pair[0].label}; split it first")
        low, high = sorted(speaker.speaker_id for speaker in pair)
        verdict = Verdict("different", low, other_id=high)
        corrections.replace_verdicts(connection, [], [verdict], under_way.operation_id)
        return {"different": [speaker.label for speaker in pair]}

    return change(engine, author, "different", act)


def _refuse_odd_pair(one: Speaker, other: Speaker) -> None:
    if one.speaker_id == other.speaker_id:
        raise CorrectionRefused(cause=f"both are one speaker already, {one.label}")
    if one.gender != other.gender:
        cause = (
            f"{one.label} and {other.label} are of two genders; where clips were sorted wrongly, move their files into"
        )
        raise CorrectionRefused(
            cause=f"{cause} the folder of the other gender, registry replace the one, ingest the other"
        )


def _refuse_different(connection: Connection, one: Speaker, other: Speaker) -> None:
    keys = {one.speaker_id, other.speaker_id}
    for verdict in corrections.verdicts_on(connection, one.speaker_id):
        if verdict.kind == "different" and {verdict.speaker_id, verdict.other_id} == keys:
            said = corrections.operation_of(connection, verdict)
            cause = (
                f"operation {said} says that {one.label} and {other.label} are different; registry undo {said} first"
            )
            raise CorrectionRefused(cause=cause)


def _refuse_rejected(connection: Connection, one: Speaker, other: Speaker) -> None:
    for speaker, rival in ((one, other), (other, one)):
        rejected = [v for v in corrections.verdicts_on(connection, speaker.speaker_id) if v.kind == "rejected"]
        there = corrections.speakers_of(connection, [v.clip_id for v in rejected if v.clip_id is not None])
        for verdict in rejected:
            if there.get(verdict.clip_id or 0) == rival.speaker_id:
                said = corrections.operation_of(connection, verdict)
                cause = f"operation {said} says that clip {verdict.clip_id} of {rival.label} is not {speaker.label}"
                raise CorrectionRefused(cause=f"{cause}; registry undo {said}, or move the clip, first")


def merge_speakers(under_way: Change, one_id: int, other_id: int) -> int:
    """Do the work of a merge that a person asked for, and give the key of the speaker that lives on."""
    heir_id = unite_speakers(under_way, one_id, other_id, "merged")
    same = Verdict("same", heir_id, other_id=other_id if heir_id == one_id else one_id)
    corrections.replace_verdicts(under_way.connection, [], [same], under_way.operation_id)
    return heir_id


def unite_speakers(under_way: Change, one_id: int, other_id: int, reason: str, probability: float | None = None) -> int:
    """Make two speakers one, with numbers, clips, names and verdicts, and give the key of the one that lives on."""
    connection, operation_id = under_way.connection, under_way.operation_id
    held = [corrections.holdings(connection, [speaker_id]) for speaker_id in (one_id, other_id)]
    heir_id = heir(*held)
    gone_id = other_id if heir_id == one_id else one_id
    before = [*held[0], *held[1]]
    corrections.replace_holdings(connection, before, unite(before, heir_id), operation_id)
    clips = corrections.clips_of(connection, gone_id)
    corrections.reassign(connection, clips, heir_id, reason, operation_id, probability)
    _hand_name_over(under_way, gone_id, heir_id)
    _hand_verdicts_over(under_way, gone_id, heir_id)
    return heir_id


def unite_all(under_way: Change, joins: Iterable[Join]) -> dict[int, int]:
    """Unite stored speakers that are one voice; give speaker -> the one it lives on in, where that is another."""
    heirs: dict[int, int] = {}
    for join in joins:
        kept_id = heirs.get(join.kept_id, join.kept_id)
        heir_id = unite_speakers(under_way, kept_id, join.gone_id, "joined", join.probability)
        moved = {join.kept_id, join.gone_id} | {one for one, other in heirs.items() if other == kept_id}
        heirs |= dict.fromkeys(moved - {heir_id}, heir_id)
    return heirs


def _hand_name_over(under_way: Change, gone_id: int, heir_id: int) -> None:
    name = corrections.close_name(under_way.connection, gone_id, under_way.operation_id)
    if name is not None and not corrections.names(under_way.connection, [heir_id]):
        corrections.open_name(under_way.connection, heir_id, *name, under_way.operation_id)


def _hand_verdicts_over(under_way: Change, gone_id: int, heir_id: int) -> None:
    before = corrections.verdicts_on(under_way.connection, gone_id)
    after = [_about_heir(verdict, gone_id, heir_id) for verdict in before]
    corrections.replace_verdicts(under_way.connection, before, after, under_way.operation_id)


def _about_heir(verdict: Verdict, gone_id: int, heir_id: int) -> Verdict:
    if verdict.kind == "same":  # names a speaker that is gone as the other, which stays so
        return replace(verdict, speaker_id=heir_id)
    if verdict.other_id is None:
        return replace(verdict, speaker_id=heir_id)
    third = verdict.other_id if verdict.speaker_id == gone_id else verdict.speaker_id
    return replace(verdict, speaker_id=min(third, heir_id), other_id=max(third, heir_id))
