"""How sure each clip is to be its speaker's once all nights are heard, as the registry keeps it for every clip."""

import numpy as np

from registry.core import measures
from registry.core.linking.certainty import Cohort, Members, certainties
from registry.core.linking.probability_rule import ProbabilityRule
from registry.core.linking.voices import clips_as_voices
from registry.core.measures import Calibration
from registry.core.records import Floats, Integers
from registry.core.vectors import unit
from tests.benchmarks.scores import codes
from tests.benchmarks.trials import Trial


def certainty(trial: Trial, found: Integers, rule: ProbabilityRule) -> Floats:
    """Give P(same voice) of each clip and the rest of its speaker found (n,); NaN for one that is alone.

    Every clip builds its speaker's profile here; of the other gender's clips as many are strangers as in the registry.
    """
    speech, gender = trial.speech, trial.nights.gender
    clips = clips_as_voices(unit(speech.vectors), speech.durations_s, speech.narrowness)
    sure = np.full(len(found), np.nan, np.float32)
    for own in np.unique(gender):
        rows, others = np.flatnonzero(gender == own), np.flatnonzero(gender != own)
        strangers = clips.take(others[:: max(1, -(-len(others) // rule.most_strangers))])
        speaker = codes(found[rows])
        voices = clips.take(rows).united(speaker)
        sounds = (speech.vectors[rows], speech.durations_s[rows], speech.narrowness[rows])
        members = Members(*sounds, speaker, np.ones(len(rows), dtype=np.bool_))
        sure[rows] = certainties(members, voices, Cohort(voices, 1.0, strangers), rule)
    return sure


def calibration(truth: np.ndarray, found: Integers, sure: Floats) -> Calibration:
    """Hold certainties (n,) against what is true, as `registry evaluate` does."""
    is_judged, is_right = measures.clips_right(codes(truth), codes(found), np.arange(len(found)))
    return measures.calibration(sure[is_judged].astype(np.float64), is_right[is_judged])


def expected_precision(sure: Floats) -> float:
    """Give the precision that certainties (n,) let expect: a clip that is alone is with none that is wrong."""
    return 1 - float(np.nansum(1 - sure)) / len(sure)
