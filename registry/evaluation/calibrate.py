"""Learn from labelled clips what the embeddings of the model that decides are like."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, Engine

from registry.core import measures
from registry.core.linking.calibration import LEAST_SPEAKERS, LabelledClips, as_one_night
from registry.core.linking.calibration import calibrate as measure
from registry.core.linking.model_constants import ModelConstants
from registry.core.linking.probability_rule import ProbabilityRule
from registry.core.measures import PrecisionRecall
from registry.core.records import GENDERS, Rejected
from registry.corrections.change import Change, Outcome, change_finding
from registry.database.store import calibrations, embeddings, evaluation, models
from registry.database.store.models import Foundation
from registry.database.store.operations import Author
from registry.errors import CorrectionRefused, LabelsTooFew
from registry.evaluation.labelled_clips import labelled_clips
from registry.evaluation.labels import read_labels
from registry.settings import linking_rule


@dataclass(frozen=True)
class Stage:
    """Some constants, and how well the labelled clips alone are linked by them, as if they had come in one night."""

    constants: ModelConstants
    bcubed: PrecisionRecall


@dataclass(frozen=True)
class Measured:
    """What came of labelled clips."""

    model: str
    clips: int  # recordings, each counted once
    speakers: int
    speakers_of_several: int  # of these, those with two recordings or more
    before: Stage
    after: Stage


@dataclass(frozen=True)
class Calibrated:
    """What was measured, which rows of the labels say nothing, and the operation."""

    measured: Measured
    rejected: tuple[Rejected, ...]
    outcome: Outcome

    @property
    def exit_code(self) -> int:
        """0 if all rows were used, 1 if some were rejected."""
        return 1 if self.rejected else 0


def calibrate(engine: Engine, path: Path, author: Author, *, plan_only: bool = False) -> Calibrated:
    """Measure the constants of the model that decides on labelled clips, and keep them for it.

    They hold from the next decision on. Nothing is decided anew, but how sure it is of every clip is judged again.
    They are measured from those that ship, whatever held before, so that the same labels always give the same.

    Args:
        engine: The registry's database.
        path: A CSV file of clips and their true speakers, as for an evaluation.
        author: Who runs this, for the journal.
        plan_only: Only tell what was measured.

    Raises:
        LabelsUnreadable: The file is no such CSV.
        LabelsTooFew: Too few of its speakers have several clips in the registry.
        CorrectionRefused: The registry is empty.
    """
    labels = read_labels(path)
    with evaluation.looking(engine) as connection:
        truth, rejected = labelled_clips(connection, labels)

    def act(under_way: Change) -> tuple[Mapping[str, object], Measured]:
        foundation = models.foundation(under_way.connection)
        if foundation is None:
            raise CorrectionRefused(cause="the registry is empty")
        clips = _labelled(under_way.connection, foundation, truth)
        if clips.speakers_of_several < LEAST_SPEAKERS:
            raise LabelsTooFew(path=path, cause=_too_few(clips, rejected))
        measured = _measured(clips, foundation)
        calibrations.put(under_way.connection, foundation.model_id, measured.after.constants, under_way.operation_id)
        summary = {"model": measured.model, "clips": measured.clips, "speakers": measured.speakers}
        return summary, measured

    outcome, measured = change_finding(engine, author, "calibrate", act, plan_only)
    return Calibrated(measured, tuple(rejected), outcome)


def _labelled(connection: Connection, foundation: Foundation, truth: Mapping[int, str]) -> LabelledClips:
    """Read the recordings of labelled clips, each once; one whose clips are labelled as two speakers' says nothing."""
    genders: dict[int, str] = {}
    names: defaultdict[int, set[str]] = defaultdict(set)
    for clip in evaluation.placements(connection, truth):
        genders[clip.audio_id] = clip.gender
        names[clip.audio_id].add(truth[clip.clip_id])
    audio_ids = sorted(audio_id for audio_id, said in names.items() if len(said) == 1)
    code = {name: place for place, name in enumerate(sorted(set(truth.values())))}
    return LabelledClips(
        embeddings.vectors(connection, foundation.model_id, foundation.dimension, audio_ids),
        *embeddings.sounds(connection, audio_ids),
        np.array([genders[audio_id] == GENDERS[1] for audio_id in audio_ids], dtype=np.int64),
        np.array([code[name] for audio_id in audio_ids for name in names[audio_id]], dtype=np.int64),
    )


def _too_few(clips: LabelledClips, rejected: Sequence[Rejected]) -> str:
    found = f"{clips.speakers_of_several} speakers have two labelled recordings or more, {LEAST_SPEAKERS} are needed"
    return f"{found}; {len(rejected)} rows cannot be used, registry evaluate names them" if rejected else found


def _measured(clips: LabelledClips, foundation: Foundation) -> Measured:
    shipped = linking_rule(foundation.false_merge_rate)
    constants = measure(clips, shipped)
    stages = (_stage(clips, rule) for rule in (foundation.rule, constants.put_into(shipped)))
    return Measured(foundation.name, len(clips), clips.speakers, clips.speakers_of_several, *stages)


def _stage(clips: LabelledClips, rule: ProbabilityRule) -> Stage:
    return Stage(ModelConstants.of(rule), measures.clustering(clips.own, as_one_night(clips, rule)).bcubed)
