"""One speaker is two voices: propose where to cut, or cut where a person says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from registry.core.linking.splitting import cut_in_two, one_voice
from registry.corrections.addressed import find_clips
from registry.corrections.bar import bar_of
from registry.corrections.change import Change, Outcome, change
from registry.corrections.move import make_speaker
from registry.corrections.saved_plans import Plan
from registry.database.store import addresses, corrections, embeddings, listening, models
from registry.database.store.corrections import ClipLine, Verdict
from registry.database.store.operations import Author
from registry.errors import CorrectionRefused


@dataclass(frozen=True)
class Proposal:
    """The smaller of two parts that a speaker falls into."""

    label: str
    clips: tuple[ClipLine, ...]  # those that would leave
    stay: int  # how many would stay
    staying: tuple[str, ...]  # a few files of those, to hear
    cosine: float  # mean cosine between the two parts
    probability: float  # that both are one voice all the same; the lower, the surer the cut


def propose_split(engine: Engine, speaker: str) -> Proposal:
    """Find where a speaker would fall in two.

    Raises:
        UnknownSpeaker, AmbiguousSpeaker: Nobody, or more than one, is called so.
        CorrectionRefused: There is nothing to cut: a single recording.
    """
    with engine.begin() as connection:
        found = addresses.find_speaker(connection, speaker)
        foundation = models.foundation(connection)
        clips = corrections.clip_lines(connection, corrections.clips_of(connection, found.speaker_id))
        audio_ids = sorted({clip.audio_id for clip in clips})
        if foundation is None or len(audio_ids) < 2:  # noqa: PLR2004 - two parts
            raise CorrectionRefused(cause=f"{found.label} is a single recording")
        vectors = embeddings.vectors(connection, foundation.model_id, foundation.dimension, audio_ids)
        durations_s, narrowness = embeddings.sounds(connection, audio_ids)
        bar = bar_of(connection, foundation, found.gender)
        cut = cut_in_two(vectors)
        gone = {audio_id for audio_id, leaves in zip(audio_ids, cut.leaves, strict=True) if leaves}
        stay = [clip.clip_id for clip in clips if clip.audio_id not in gone]
        staying = listening.files(connection, {found.speaker_id: stay})[found.speaker_id]
    probability = one_voice(vectors, durations_s, narrowness, cut, bar)
    leaving = tuple(clip for clip in clips if clip.audio_id in gone)
    return Proposal(found.label, leaving, len(stay), staying, cut.cosine, probability)


def split(
    engine: Engine,
    speaker: str,
    clips: Sequence[str],
    author: Author,
    *,
    plan_only: bool = False,
    plan: Plan | None = None,
) -> Outcome:
    """Give some clips of a speaker a new speaker, and note that the two are different people.

    Raises:
        UnknownClip, UnknownSpeaker, AmbiguousSpeaker: Nothing, or more than one speaker, is called so.
        CorrectionRefused: A clip is not the speaker's, or none would stay.
        PlanOutdated: See `change`.
    """

    def act(under_way: Change) -> Mapping[str, object]:
        connection, operation_id = under_way.connection, under_way.operation_id
        found = addresses.find_speaker(connection, speaker)
        clip_ids = find_clips(connection, clips)
        _refuse_odd_cut(found.label, clip_ids, corrections.clips_of(connection, found.speaker_id))
        new_id = make_speaker(under_way, found.gender)
        corrections.reassign(connection, clip_ids, new_id, "split", operation_id)
        gone = [v for v in corrections.verdicts_on_clips(connection, clip_ids) if v.kind == "confirmed"]
        verdict = Verdict("different", found.speaker_id, other_id=new_id)
        corrections.replace_verdicts(connection, gone, [verdict], operation_id)
        return {"split": found.label, "clips": len(clip_ids)}

    return change(engine, author, "split", act, plan_only=plan_only, plan=plan)


def _refuse_odd_cut(label: str, leaving: Sequence[int], all_clips: Sequence[int]) -> None:
    if not set(leaving) <= set(all_clips):
        raise CorrectionRefused(cause=f"not all of these clips are {label}'s")
    if set(leaving) == set(all_clips):
        raise CorrectionRefused(cause=f"no clip would stay with {label}")
