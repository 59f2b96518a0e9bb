"""Who is who by every sound: the sets and pools that are tried, and what is measured of each, three seeds together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from math import isnan, nan
from statistics import fmean

import numpy as np

from registry.settings import linking_rule
from tests.benchmarks.both_genders import BothGenders, hear
from tests.benchmarks.certain import calibration, certainty, expected_precision
from tests.benchmarks.linking_table import false_joins
from tests.benchmarks.scores import bcubed, largest_mixed, one_number, precisions
from tests.benchmarks.speech import SETS, SOUNDS
from tests.benchmarks.trials import SEEDS, SHIPPED_RATE, Trial

RATES = (0.01, 0.02, 0.05)
READ, ACTED = ("librispeech", "speechocean"), ("cremad", "emodb")
MIXES = {
    "even-nights": "every second night",
    "half-speakers": "half of the people",
    "share:0.1": "a tenth of the people",
    "first-night": "the first night",
    "later-nights": "all but the first night",
}


@dataclass(frozen=True)
class Case:
    """Nights of one kind, drawn with each seed; see `Trial`."""

    corpora: tuple[str, ...]
    sound: str = ""
    which: str = "all"
    per_night: int = 0

    @property
    def pool(self) -> str:
        return "all four" if self.corpora == SETS else " + ".join(self.corpora)

    @property
    def is_mixed(self) -> bool:
        return self.which != "all"

    @property
    def heard(self) -> str:
        """Say how the clips are heard."""
        sound = f"noise, {self.sound.partition(':')[2]} dB" if self.sound.startswith("noise") else self.sound
        nights = [f"{self.per_night} clips a night"] if self.per_night else []
        return ", ".join([sound or "as it is", *([MIXES[self.which]] if self.is_mixed else []), *nights])

    @property
    def trials(self) -> list[Trial]:
        return [Trial(self.corpora, seed, self.sound, self.which, self.per_night) for seed in SEEDS]


POOLS = (*((corpus,) for corpus in SETS), *combinations(SETS, 2), SETS)
AS_IT_IS = [Case(corpora) for corpora in POOLS]
BY_SOUND = [Case((corpus,), sound) for corpus in SETS for sound in SOUNDS]
MIXED = [
    Case(corpora, "telephone", which) for corpora in (*((corpus,) for corpus in READ), READ, ACTED) for which in MIXES
]
SMALL = [Case(corpora, per_night=count) for count in (12, 36) for corpora in POOLS]
CASES = [*AS_IT_IS, *BY_SOUND, *MIXED, *SMALL]


@dataclass(frozen=True)
class Measured:
    """Means over the seeds; NaN where there is nothing of the kind."""

    f1: float  # B-cubed
    precision: float
    recall: float
    found: float  # speakers, of the true ones
    largest_mixed: float  # share of a gender's clips that the worst number holds wrongly
    one_number: float  # share of the people heard both ways with one number
    sound_precision: float  # of the clips that are not heard as they are, among all
    calibration_error: float  # of how sure each clip is in the end
    expected_precision: float  # what is expected of the precision without labels


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    case: Case
    measured: Measured
    joins: Mapping[float, tuple[int, int]]  # accepted rate -> false joins and all joins, of all seeds together


@cache
def row_of(case: Case) -> Row:
    """Let registries hear the nights of a case, with each rate; the rest is measured with the default one."""
    heard = {rate: [_hear(trial, rate) for trial in case.trials] for rate in RATES}
    each = [_measure(trial, found) for trial, found in zip(case.trials, heard[SHIPPED_RATE], strict=True)]
    means = (_mean_where_told([getattr(one, name) for one in each]) for name in Measured.__annotations__)
    joins = {rate: false_joins(union for one in found for union in one.unions) for rate, found in heard.items()}
    return Row(case, Measured(*means), joins)


def _mean_where_told(values: Sequence[float]) -> float:
    """Leave out draws without such people: in a small set a tenth may be nobody."""
    told = [value for value in values if not isnan(value)]
    return fmean(told) if told else nan


def _hear(trial: Trial, rate: float) -> BothGenders:
    """Hear nights as an ingest does, but for what hangs on the last night alone."""
    return hear(trial.nights, trial.speech, linking_rule(rate), afresh_every_night=False)


def _measure(trial: Trial, heard: BothGenders) -> Measured:
    speaker, found, has_sound = trial.nights.speaker, heard.speakers, trial.has_sound
    scores, sure = bcubed(speaker, found), certainty(trial, found, linking_rule(SHIPPED_RATE))
    is_mixed = has_sound.any() and not has_sound.all()
    return Measured(
        scores.f1,
        scores.precision,
        scores.recall,
        len(np.unique(found)) / len(np.unique(speaker)),
        largest_mixed(speaker, found, trial.nights.gender),
        one_number(speaker, found, has_sound),
        float(precisions(speaker, found)[has_sound].mean()) if is_mixed else nan,
        calibration(speaker, found, sure).expected_error,
        expected_precision(sure),
    )
