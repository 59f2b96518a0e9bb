"""How well the registry does on labelled speech of one's own: lay out nights, ingest them one by one, measure."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from math import isnan, nan
from pathlib import Path
from statistics import fmean

import numpy as np
from sqlalchemy import Engine

from registry.core import measures
from registry.core.records import Rejected
from registry.database.store import evaluation, identity, nights
from registry.database.store.evaluation import Placement
from registry.database.store.operations import Author
from registry.errors import SpeechUnfit
from registry.evaluation import estimate, evaluate
from registry.evaluation.labelled_clips import labelled_clips
from registry.evaluation.labelled_speech import LaidOut
from registry.evaluation.labels import read_labels
from registry.ingest import ingest
from registry.ingest.options import NO_OPTIONS, IngestOptions
from registry.progress import Progress


@dataclass(frozen=True)
class BenchmarkScores:
    """What a registry made of nights whose speakers are known; NaN where nothing can be told."""

    clips: float
    speakers: float
    f1: float  # B-cubed, as are precision and recall
    precision: float
    expected_precision: float  # what `registry evaluate` expects of the precision without labels
    recall: float
    found: float  # speakers, of the true ones
    largest_mixed: float  # share of a gender's clips that its worst speaker holds and that are not of its main voice
    calibration_error: float  # how far, on average, the certainty of a clip is from what is true


@contextmanager
def alone(engine: Engine, name: str) -> Iterator[None]:
    """Keep an empty registry for one benchmark.

    Raises:
        SpeechUnfit: Another benchmark is at work in it, or was.
    """
    with engine.connect() as connection:
        if not nights.begin_alone(connection) or identity.holds_clips(connection):
            raise SpeechUnfit(path=name, cause="another benchmark is at work in the registry of this name")
        yield


def run(
    engine: Engine,
    laid_out: LaidOut,
    author: Author,
    progress: Progress,
    options: IngestOptions = NO_OPTIONS,
) -> tuple[BenchmarkScores, list[Rejected]]:
    """Ingest nights one after the other into an empty registry, and compare it with the labels.

    Args:
        engine: The registry's database.
        laid_out: The nights and their labels.
        author: Who runs this, for the journal.
        progress: Told how far each night is.
        options: What is asked of the ingests.

    Returns:
        The scores, and what the ingests rejected.

    Raises:
        SpeechUnfit: No clip could be taken in.
    """
    rejected: list[Rejected] = []
    for night in laid_out.nights:
        rejected += ingest(engine, [night], author, options, progress).rejected
    scores = evaluate(engine, laid_out.labels).scores
    if scores is None:
        why = f"; {rejected[0].path}: {rejected[0].message}" if rejected else ""
        cause = f"no clip of it could be taken in{why}"
        raise SpeechUnfit(path=laid_out.labels.parent, cause=cause)
    filed, truth = _filed(engine, laid_out.labels)
    expected = estimate(engine).expected_precision
    bcubed = scores.clustering.bcubed
    measured = BenchmarkScores(
        clips=len(filed),
        speakers=len(set(truth.values())),
        f1=bcubed.f1,
        precision=bcubed.precision,
        expected_precision=nan if expected is None else expected,
        recall=bcubed.recall,
        found=len({clip.speaker_id for clip in filed}) / len(set(truth.values())),
        largest_mixed=_largest_mixed(filed, truth),
        calibration_error=scores.calibration.expected_error if scores.calibration.clips else nan,
    )
    return measured, rejected


def mean(draws: Sequence[BenchmarkScores]) -> BenchmarkScores:
    """Give the mean of several draws, over those where there is something to tell."""
    columns = ([getattr(draw, field.name) for draw in draws] for field in fields(BenchmarkScores))
    return BenchmarkScores(*(_mean_where_told(values) for values in columns))


def _mean_where_told(values: Sequence[float]) -> float:
    told = [value for value in values if not isnan(value)]
    return fmean(told) if told else nan


def _filed(engine: Engine, labels: Path) -> tuple[list[Placement], dict[int, str]]:
    rows = read_labels(labels)
    with evaluation.looking(engine) as connection:
        truth, _ = labelled_clips(connection, rows)
        return evaluation.placements(connection, truth), truth


def _largest_mixed(filed: Sequence[Placement], truth: Mapping[int, str]) -> float:
    voice = np.unique([truth[clip.clip_id] for clip in filed], return_inverse=True)[1]
    found = np.array([clip.speaker_id for clip in filed])
    return measures.largest_mixed(found, voice, np.array([clip.gender for clip in filed]))
