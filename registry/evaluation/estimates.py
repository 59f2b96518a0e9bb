"""How many errors the registry expects of itself: sums of the probabilities that it keeps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from registry.database.store import addresses, evaluation, listening
from registry.database.store.evaluation import AutomaticJoin, DoubtfulClips

WORST = 10  # speakers to name


@dataclass(frozen=True)
class Expected:
    """What is in doubt of a kind, and how much of it is expected to be wrong."""

    count: int
    wrong: float


@dataclass(frozen=True)
class Doubtful:
    """A speaker with clips in doubt, and how many of them are expected to be another voice."""

    speaker: str
    clips: int
    wrong: float
    files: tuple[str, ...] = ()  # the least sure to hear first, paths or URLs


@dataclass(frozen=True)
class Certainty:
    """What the certainty of clips, as it stands, says of them together."""

    clips: int
    not_judged: int  # clips of speakers that were never judged, which have no certainty
    strays: Expected  # clips of speakers with several recordings: wrong ones are another voice than their speaker's
    expected_precision: float | None  # share of those judged that are no strays; None where none was


@dataclass(frozen=True)
class Estimates:
    """What the registry's own probabilities say, without any labels; what a person decided is not in doubt."""

    reasons: dict[str, int]  # why clips have their speakers -> how many clips
    clips: int
    not_judged: int  # see Certainty
    strays: Expected
    expected_precision: float | None
    by_sound: dict[str, Certainty]  # "wide", "narrow", as far as they are there
    new: Expected  # new speakers that somebody came near to: wrong ones are a voice that was known already
    joined: Expected  # joins of two known speakers: wrong ones were two voices
    joins: tuple[AutomaticJoin, ...]  # the least likely first
    worst: tuple[Doubtful, ...]  # speakers with the most clips that are expected to be another voice


def estimate(engine: Engine) -> Estimates:
    """Add up what the stored probabilities leave to doubt. These are estimates, as good as the probabilities are."""
    with evaluation.looking(engine) as connection:
        reasons = evaluation.clips_by_reason(connection)
        clips = evaluation.clips_by_sound(connection)
        doubts = evaluation.doubts(connection)
        new = Expected(*evaluation.doubtful_newcomers(connection))
        joins = tuple(evaluation.automatic_joins(connection))
        worst = _worst(doubts)
        files = listening.files_of_speakers(connection, list(worst), "doubtful")
        described = addresses.describe(connection, list(worst))
    label = {speaker.speaker_id: speaker.label for speaker in described}
    whole = _certainty(list(clips.values()), doubts)
    return Estimates(
        reasons=reasons,
        clips=whole.clips,
        not_judged=whole.not_judged,
        strays=whole.strays,
        expected_precision=whole.expected_precision,
        by_sound={sound: _certainty([clips[sound]], [one for one in doubts if one.sound == sound]) for sound in clips},
        new=new,
        joined=Expected(len(joins), sum((1 - join.probability for join in joins), 0.0)),
        joins=joins,
        worst=tuple(Doubtful(label[key], found.count, found.wrong, files[key]) for key, found in worst.items()),
    )


def _certainty(clips: Sequence[tuple[int, int]], doubts: Sequence[DoubtfulClips]) -> Certainty:
    """Put together clips, all and those judged, and what is in doubt of them."""
    count, judged = (sum(one[at] for one in clips) for at in (0, 1))
    strays = _expected(doubts)
    return Certainty(count, count - judged, strays, 1 - strays.wrong / judged if judged else None)


def _worst(doubts: Sequence[DoubtfulClips]) -> Mapping[int, Expected]:
    """Give the speakers, by key, of whose clips the most are expected to be wrong, the worst first."""
    of_speaker: dict[int, list[DoubtfulClips]] = {}
    for one in doubts:
        of_speaker.setdefault(one.speaker_id, []).append(one)
    expected = {speaker_id: _expected(ones) for speaker_id, ones in of_speaker.items()}
    return dict(sorted(expected.items(), key=lambda item: (-item[1].wrong, item[0]))[:WORST])


def _expected(doubts: Sequence[DoubtfulClips]) -> Expected:
    return Expected(sum(one.clips for one in doubts), sum((one.wrong for one in doubts), 0.0))
