"""The registry against labels: gather what is labelled, measure, and name the worst."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import Engine

from registry.core import measures
from registry.core.measures import Calibration, Clustering, Persistence, Probabilities, Spread, Tenures
from registry.core.records import Booleans, Integers, Rejected
from registry.database.store import addresses, evaluation
from registry.database.store.evaluation import SOUNDS, Placement, Tenure
from registry.evaluation.labelled_clips import labelled_clips
from registry.evaluation.labels import read_labels

WORST = 10  # speakers of each kind to name


@dataclass(frozen=True)
class Divided:
    """A speaker whose labelled clips fall into parts."""

    label: str
    clips: int
    parts: tuple[tuple[str, int], ...]  # label of the other side, clips; the most first


@dataclass(frozen=True)
class OfSound:
    """How well the labelled clips of one sound are filed among all that are labelled."""

    clips: int
    precision: float  # B-cubed, the mean over these clips
    recall: float
    calibration_error: float | None  # expected, see Calibration; None where none could be judged


@dataclass(frozen=True)
class Scores:
    """All that was measured."""

    clustering: Clustering
    persistence: Persistence
    calibration: Calibration  # of the certainty of clips, as it stands
    calibration_of_matches: Calibration  # of the nights' matches, as they were decided
    by_sound: dict[str, OfSound]  # "wide", "narrow", as far as they are there
    mixed: tuple[Divided, ...]  # speakers found that hold several true ones, most clips of a minority first
    split: tuple[Divided, ...]  # true speakers under several numbers, the most numbers first


@dataclass(frozen=True)
class Evaluation:
    """How the registry compares with labels."""

    clips: int  # labelled
    speakers_true: int
    speakers_found: int
    scores: Scores | None  # None where no row names a clip of the registry
    rejected: tuple[Rejected, ...]

    @property
    def exit_code(self) -> int:
        """0 if all rows were used, 1 if some were rejected."""
        return 1 if self.rejected else 0


@dataclass(frozen=True)
class Judged:
    """Labelled clips, in the order of their placements, and whether their certainty came true."""

    probability_now: Probabilities  # (n,) P(same voice) of each and the rest of its speaker, as it stands; or NaN
    is_judged: Booleans  # (n,) whether the clip has that and labels tell whose voice the rest is
    is_right: Booleans  # (n,) whether it is the clip's true voice

    def calibration(self, is_of: Booleans) -> Calibration:
        """Hold the certainty of some of the clips (n,) against what is true."""
        chosen = self.is_judged & is_of
        return measures.calibration(self.probability_now[chosen], self.is_right[chosen])


def evaluate(engine: Engine, path: Path) -> Evaluation:
    """Compare the registry, as it is, with a CSV file of clips and their true speakers; other clips do not count.

    Raises:
        LabelsUnreadable: The file is no such CSV.
    """
    labels = read_labels(path)
    with evaluation.looking(engine) as connection:
        truth, rejected = labelled_clips(connection, labels)
        filed = evaluation.placements(connection, truth)
        tenures = evaluation.tenures(connection, truth)
        speakers = addresses.describe(connection, sorted({clip.speaker_id for clip in filed}))
    names = sorted(set(truth.values()))
    code = {name: place for place, name in enumerate(names)}
    true_speaker = {clip_id: code[name] for clip_id, name in truth.items()}
    numbers = {speaker.speaker_id: speaker.label for speaker in speakers}
    scores = _scores(filed, tenures, true_speaker, names, numbers) if filed else None
    return Evaluation(len(filed), len(names), len(numbers), scores, tuple(rejected))


def _scores(
    filed: Sequence[Placement],
    tenures: Sequence[Tenure],
    true_speaker: Mapping[int, int],
    names: Sequence[str],
    numbers: Mapping[int, str],
) -> Scores:
    truth = np.array([true_speaker[clip.clip_id] for clip in filed])
    found = np.array([clip.speaker_id for clip in filed])
    mixed = sorted(measures.spreads(found, truth), key=lambda spread: -spread.astray)
    split = sorted(measures.spreads(truth, found), key=lambda spread: (-len(spread.parts), -spread.astray))
    true_names = dict(enumerate(names))
    judged = _judged(filed, truth, found)
    return Scores(
        measures.clustering(truth, found),
        _persistence(filed, truth),
        judged.calibration(judged.is_judged),
        calibration_of(tenures, true_speaker),
        _by_sound(filed, truth, found, judged),
        tuple(_divided(spread, numbers, true_names) for spread in mixed[:WORST]),
        tuple(_divided(spread, true_names, numbers) for spread in split[:WORST]),
    )


def _persistence(filed: Sequence[Placement], truth: Integers) -> Persistence:
    # A number belongs to a broadcaster and a gender: only there can a voice come back to it.
    places = [(true, clip.broadcaster, clip.gender) for true, clip in zip(truth.tolist(), filed, strict=True)]
    code = {place: at for at, place in enumerate(dict.fromkeys(places))}
    return measures.persistence(
        np.array([code[place] for place in places]),
        np.array([clip.date.toordinal() for clip in filed]),
        np.array([clip.number for clip in filed]),
    )


def _judged(filed: Sequence[Placement], truth: Integers, found: Integers) -> Judged:
    has_rest, is_right = measures.clips_right(truth, found, np.array([clip.audio_id for clip in filed]))
    probability = np.array([clip.probability_now for clip in filed], dtype=np.float64)  # NaN for None
    return Judged(probability, has_rest & ~np.isnan(probability), is_right)


def _by_sound(filed: Sequence[Placement], truth: Integers, found: Integers, judged: Judged) -> dict[str, OfSound]:
    precision, recall = measures.bcubed_of_clips(truth, found)
    by_sound: dict[str, OfSound] = {}
    for sound in SOUNDS:
        is_of = np.array([clip.sound == sound for clip in filed])
        if is_of.any():
            means = float(precision[is_of].mean()), float(recall[is_of].mean())
            held = judged.calibration(is_of)
            by_sound[sound] = OfSound(int(is_of.sum()), *means, held.expected_error if held.clips else None)
    return by_sound


def calibration_of(rows: Sequence[Tenure], true_speaker: Mapping[int, int]) -> Calibration:
    """Hold the probabilities of all matches, as they were decided, against what came true.

    Args:
        rows: Who had the labelled clips from one operation to another.
        true_speaker: Clip -> who speaks, from 0.
    """
    truth = np.array([true_speaker[row.clip_id] for row in rows])
    columns = (np.array([getattr(row, name) for row in rows]) for name in ("arrived", "speaker_id", "begins", "ends"))
    decided = np.array([at for at, row in enumerate(rows) if row.matched is not None], dtype=np.int64)
    probability = np.array([row.matched for row in rows if row.matched is not None], dtype=np.float64)
    is_judged, is_right = measures.matches_right(Tenures(truth, *columns), decided)
    return measures.calibration(probability[is_judged], is_right[is_judged])


def _divided(spread: Spread, labels: Mapping[int, str], others: Mapping[int, str]) -> Divided:
    return Divided(labels[spread.group], spread.clips, tuple((others[key], clips) for key, clips in spread.parts))
