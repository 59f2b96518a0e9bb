"""What is tried and measured of every rule: each set, all of them pooled, and the same in noise, three seeds each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from statistics import fmean

import numpy as np

from registry.core.linking.probability_rule import ProbabilityRule
from registry.core.records import Booleans, Floats, Integers
from registry.core.vectors import unit
from registry.settings import linking_rule
from tests.benchmarks.both_genders import History, run
from tests.benchmarks.conditions import is_heard_so
from tests.benchmarks.nights import Nights, lay_out
from tests.benchmarks.rivals import Rival, clipped
from tests.benchmarks.scores import Scores, score
from tests.benchmarks.speech import SETS, Speech, speech_of

SEEDS = (1, 2, 3)
SHIPPED_RATE = ProbabilityRule().false_merge_rate
NOISE = "noise:15"
CUTS = np.round(np.arange(0.10, 0.81, 0.02), 2)  # cosines tried for each rule that has a cut


@dataclass(frozen=True)
class Trial:
    """Some nights of some corpora."""

    corpora: tuple[str, ...]
    seed: int
    sound: str = ""  # how clips are heard, see `speech.SOUNDS`; as they are without
    which: str = "all"  # of the clips, see `conditions.is_heard_so`
    per_night: int = 0  # clips; ten uneven nights without
    order: int = 0  # in which the nights are heard: 0 as laid out, else the seed of another

    @property
    def nights(self) -> Nights:
        nights = lay_out(self.corpora, self.seed, self.per_night)
        return nights.shuffled(self.order) if self.order else nights

    @property
    def speech(self) -> Speech:
        """Give its clips, in their order."""
        heard = speech_of(self.corpora, self.sound).at(self.nights.row)
        if self.which == "all":
            return heard
        return speech_of(self.corpora).at(self.nights.row).where(self.has_sound, heard)

    @property
    def has_sound(self) -> Booleans:
        """Tell the clips (n,) that are not heard as they are."""
        if not self.sound:
            return np.zeros(len(self.nights), dtype=np.bool_)
        return is_heard_so(self.nights.speaker, self.nights.night, self.which, self.seed)


Finder = Callable[[Trial], np.ndarray]  # gives a label for each clip of the nights

EACH = [Trial((corpus,), seed) for corpus in SETS for seed in SEEDS]
EACH_IN_NOISE = [Trial((corpus,), seed, NOISE) for corpus in SETS for seed in SEEDS]
POOLED = [Trial(SETS, seed) for seed in SEEDS]
POOLED_IN_NOISE = [Trial(SETS, seed, NOISE) for seed in SEEDS]


@dataclass(frozen=True)
class Line:
    """What a rule scored: means over the seeds."""

    rule: str
    f1: dict[str, float]  # of each set
    worst_f1: float  # of all sets and seeds
    persistence: float  # mean of the sets
    pooled: Scores
    noisy_f1: float  # mean of the sets
    is_tuned: bool  # to these sets, or on other embeddings than were published

    @property
    def mean_f1(self) -> float:
        return fmean(self.f1.values())


@cache
def history(trial: Trial, rate: float = SHIPPED_RATE) -> History:
    """Let the registry hear the nights of a trial, at an accepted rate of false merges."""
    return run(trial.nights, trial.speech, linking_rule(rate))


def measure(rule: str, find: Finder, *, is_tuned: bool = False) -> Line:
    """Score what a rule finds in every trial."""
    scores = {trial: scored(trial, find) for trial in (*EACH, *POOLED, *EACH_IN_NOISE)}
    return Line(
        rule,
        {corpus: fmean(scores[trial].f1 for trial in EACH if trial.corpora == (corpus,)) for corpus in SETS},
        min(scores[trial].f1 for trial in EACH),
        fmean(scores[trial].persistence for trial in EACH),
        _mean_of([scores[trial] for trial in POOLED]),
        fmean(scores[trial].f1 for trial in EACH_IN_NOISE),
        is_tuned,
    )


def in_other_orders(trial: Trial) -> list[Trial]:
    """Hear the nights of a trial in three other orders, drawn at random."""
    return [replace(trial, order=order) for order in (1, 2, 3)]


def scored(trial: Trial, find: Finder) -> Scores:
    """Score what a rule finds in one trial."""
    return score(trial.nights.speaker, find(trial), trial.nights.night)


def _mean_of(scores: Sequence[Scores]) -> Scores:
    return Scores(**{name: fmean(vars(one)[name] for one in scores) for name in Scores.__annotations__})


def as_published(rival: Rival) -> Finder:
    """Apply a rule to clipped embeddings with the cut that was published for them."""
    return lambda trial: _found(rival, trial, unit(clipped(trial.speech.vectors)), rival.cut or 0)


def on_signed(rival: Rival, cut: float = 0) -> Finder:
    """Apply a rule to embeddings as the registry has them."""
    return lambda trial: _found(rival, trial, unit(trial.speech.vectors), cut)


def tuned(rival: Rival) -> float:
    """Find the cut that gives a rule the best mean F1 over the clean sets, signed embeddings."""

    def mean_f1(cut: float) -> float:
        find = on_signed(rival, cut)
        return fmean(scored(trial, find).f1 for trial in EACH)

    return float(max(CUTS, key=mean_f1))


def _found(rival: Rival, trial: Trial, units: Floats, cut: float) -> np.ndarray:
    """Apply a rule to each gender apart."""
    labels = np.empty(len(units), dtype="U12")
    for gender in ("F", "M"):
        rows: Integers = np.flatnonzero(trial.nights.gender == gender)
        if len(rows):
            labels[rows] = [f"{gender}{label:04d}" for label in rival.rule(units[rows], trial.nights.night[rows], cut)]
    return labels
