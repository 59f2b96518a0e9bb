"""How many errors the registry expects of itself: sums of the probabilities that it stored with its decisions."""

from dataclasses import dataclass

from sqlalchemy import Engine

from registry.store import addresses, evaluation, listening
from registry.store.evaluation import AutomaticJoin

WORST = 10  # speakers to name


@dataclass(frozen=True)
class Expected:
    """Decisions of a kind, and how many of them are expected to be wrong."""

    count: int
    wrong: float


@dataclass(frozen=True)
class Doubtful:
    """A speaker with matched clips, and how many of them are expected to be wrong."""

    speaker: str
    clips: int
    wrong: float
    files: tuple[str, ...] = ()  # the least sure to hear first, paths or URLs


@dataclass(frozen=True)
class Estimates:
    """What the registry's own probabilities say, without any labels; what a person decided is not in doubt."""

    reasons: dict[str, int]  # why clips have their speakers -> how many clips
    matched: Expected  # clips matched to a known speaker: wrong ones are another voice
    new: Expected  # new speakers that somebody came near to: wrong ones are a voice that was known already
    joined: Expected  # joins of two known speakers: wrong ones were two voices
    joins: tuple[AutomaticJoin, ...]  # the least likely first
    worst: tuple[Doubtful, ...]  # speakers with the most matched clips that are expected to be wrong

    @property
    def clips(self) -> int:
        """How many clips there are."""
        return sum(self.reasons.values())


def estimate(engine: Engine) -> Estimates:
    """Add up what the stored probabilities leave to doubt. These are estimates, as good as the probabilities are."""
    with evaluation.looking(engine) as connection:
        reasons = evaluation.clips_by_reason(connection)
        doubts = evaluation.doubts(connection)
        new = Expected(*evaluation.doubtful_newcomers(connection))
        joins = tuple(evaluation.automatic_joins(connection))
        worst = doubts[:WORST]
        files = listening.files_of_speakers(connection, [speaker_id for speaker_id, _, _ in worst], "doubtful")
        described = addresses.describe(connection, [speaker_id for speaker_id, _, _ in worst])
    label = {speaker.speaker_id: speaker.label for speaker in described}
    return Estimates(
        reasons,
        Expected(sum(clips for _, clips, _ in doubts), sum(wrong for _, _, wrong in doubts)),
        new,
        Expected(len(joins), sum(1 - join.probability for join in joins)),
        joins,
        tuple(Doubtful(label[speaker_id], clips, wrong, files[speaker_id]) for speaker_id, clips, wrong in worst),
    )
