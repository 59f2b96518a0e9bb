"""Calibration: measuring the constants of an embedding model on clips whose true speakers are known.

Every constant is measured within a gender, beside clips of the other gender, just as the rule uses it. The value
measured is averaged with the value that ships, and weighs more the more speakers it was measured on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from registry.core.linking.decisions import KnownVoices, link
from registry.core.linking.likeness import Bar, Sets, bar_among
from registry.core.linking.model_constants import ModelConstants
from registry.core.linking.probability_rule import ProbabilityRule
from registry.core.linking.voices import NARROW, Voices, clips_as_voices
from registry.core.measures import from_zero
from registry.core.records import Booleans, Floats, Integers
from registry.core.vectors import unit

LEAST_SPEAKERS = 4  # speakers with two clips or more: on fewer nothing should be measured
SHIPPED_SPEAKERS = 5.0  # speakers that weigh as much as the value that ships
MOST_CLIPS = 2000  # clips of a gender whose pairs are compared: 16 MB for each value of a pair
LEAST_FACTOR = 1e-4  # least factor of a variance, for made-up embeddings that do not vary at all
FACTORS = ("stranger_variance", "base_noise")  # constants that are averaged on a log scale


@dataclass(frozen=True)
class LabelledClips:
    """Some recordings with their true speakers."""

    vectors: Floats  # (n, dim) embeddings, of any length but zero
    durations_s: Floats  # (n,) durations in seconds, more than 0
    narrowness: Floats  # (n,) 0 studio, 1 telephone
    gender: Integers  # (n,) 0 or 1
    speaker: Integers  # (n,) true speakers, from 0; a speaker that is labelled under both genders counts as two

    def __len__(self) -> int:
        """Count the recordings."""
        return len(self.speaker)

    @cached_property
    def own(self) -> Integers:
        """The true speakers (n,), numbered from 0 without gaps through both genders."""
        return from_zero(2 * self.speaker + self.gender)

    @property
    def speakers(self) -> int:
        """Count the speakers."""
        return len(np.unique(self.own))

    @property
    def speakers_of_several(self) -> int:
        """Count the speakers with two clips or more."""
        return int((np.bincount(self.own) > 1).sum())

    def of_gender(self, gender: int) -> tuple[Voices, Integers]:
        """Give the clips of a gender, each as a set of its own (g), and their speakers (g,), from 0 without gaps."""
        rows = np.flatnonzero(self.gender == gender)
        clips = clips_as_voices(unit(self.vectors[rows]), self.durations_s[rows], self.narrowness[rows])
        return clips, from_zero(self.own[rows])


def calibrate(clips: LabelledClips, shipped: ProbabilityRule) -> ModelConstants:
    """Measure the constants of the model that embedded some clips.

    The constants are measured one after the other, each by a rule that holds the values measured before it. The two
    constants about the other gender keep the values that ship where one gender has fewer than two speakers.

    Args:
        clips: The clips. `LEAST_SPEAKERS` speakers have two clips or more, so that some gender has two speakers.
        shipped: The rule as it ships.
    """
    sides = _sides(clips, shipped)
    measured = _strangers_by_sound(sides, shipped)
    for name, measure in MEASURES.items():
        so_far = replace(ModelConstants.of(shipped), **{known: one.value for known, one in measured.items()})
        found = measure(sides, so_far.put_into(shipped))
        if found is not None:
            measured[name] = found
    return replace(
        ModelConstants.of(shipped),
        **{name: one.beside(getattr(shipped, name), on_log_scale=name in FACTORS) for name, one in measured.items()},
    )


def as_one_night(clips: LabelledClips, rule: ProbabilityRule) -> Integers:
    """Give the speakers (n,), from 0, that the rule finds if the clips come in one night and nothing else is known."""
    found = np.zeros(len(clips), dtype=np.int64)
    nobody = np.zeros(0, dtype=np.int64)
    for gender in (0, 1):
        rows = np.flatnonzero(clips.gender == gender)
        others = clips.of_gender(1 - gender)[0]
        known = KnownVoices([], others.take(nobody), _at_equal_steps(others, rule.most_strangers), {})
        linking = link(
            range(len(rows)), clips.vectors[rows], clips.durations_s[rows], clips.narrowness[rows], known, rule
        )
        for number, decision in enumerate(linking.decisions):
            found[rows[list(decision.audio_ids)]] = 2 * number + gender
    return from_zero(found)


@dataclass(frozen=True)
class _Side:
    """The clips of a gender beside clips of the other gender."""

    clips: Voices  # (n) each clip as a set of its own; n > 0
    speaker: Integers  # (n,) true speakers, from 0 without gaps
    strangers: Voices  # (m) clips of the other gender; none where one of the genders has a single speaker
    speakers_facing: int  # twice the speakers of the gender that has fewer; 0 where there are no strangers

    @property
    def speakers(self) -> int:
        return int(self.speaker.max()) + 1

    @cached_property
    def of_speakers(self) -> Integers:
        """The number of clips of each speaker (s,)."""
        return np.bincount(self.speaker)

    @cached_property
    def some(self) -> Integers:
        """The rows of the clips whose pairs are compared (p,): all clips, or `MOST_CLIPS` at equal steps."""
        return np.arange(0, len(self.clips), -(-len(self.clips) // MOST_CLIPS))

    @cached_property
    def are_two(self) -> Booleans:
        """Whether each pair of these clips is of two speakers (p, p)."""
        some = self.speaker[self.some]
        two: Booleans = some[:, None] != some
        return two

    @property
    def pairs(self) -> int:
        """The number of pairs that are of two speakers."""
        return int(self.are_two.sum())

    def of_two(self, values: Floats) -> float:
        """Average a value of all pairs (p, p) over the pairs that are of two speakers."""
        return float(values.mean(where=self.are_two, dtype=np.float64))

    def bar(self, rule: ProbabilityRule) -> Bar:
        """Learn the bar from the true speakers."""
        return bar_among(self.clips.united(self.speaker), self.strangers, rule)

    def sets(self, bar: Bar) -> Sets:
        """Prepare the clips whose pairs are compared (p) by a bar."""
        return bar.sets(self.clips.take(self.some))

    def heard(self, *, narrow: bool) -> "_Side | None":
        """Give the clips heard by telephone, or all other clips, if they are of two speakers or more."""
        rows = np.flatnonzero((self.clips.narrowness >= NARROW) == narrow)
        speaker = from_zero(self.speaker[rows])
        is_enough = len(np.unique(speaker)) > 1
        return replace(self, clips=self.clips.take(rows), speaker=speaker) if is_enough else None


@dataclass(frozen=True)
class _Measured:
    """A value of a constant, and how many speakers it was measured on."""

    value: float
    speakers: int

    def beside(self, shipped: float, *, on_log_scale: bool) -> float:
        """Average the value with the value that ships, weighted by speakers."""
        weights = [self.speakers, SHIPPED_SPEAKERS]
        if on_log_scale:
            return float(np.exp(np.average(np.log([self.value, shipped]), weights=weights)))
        return float(np.average([self.value, shipped], weights=weights))


def _sides(clips: LabelledClips, rule: ProbabilityRule) -> list[_Side]:
    """Put the clips of each gender that has any beside clips of the other gender."""
    genders = [clips.of_gender(gender) for gender in (0, 1)]
    fewer = min(len(np.unique(speaker)) for _, speaker in genders)
    facing = 2 * fewer if fewer > 1 else 0
    return [
        _Side(own, speaker, _at_equal_steps(other, rule.most_strangers if facing else 0), facing)
        for (own, speaker), (other, _) in (genders, genders[::-1])
        if len(own)
    ]


def _strangers_by_sound(sides: Sequence[_Side], shipped: ProbabilityRule) -> dict[str, _Measured]:
    """Measure the mean cosine of two speakers' clips in a studio and by telephone.

    Where no gender has two speakers on one of the two sounds, its value is inferred from the value on the other sound:
    the value by telephone divides the distance from the value in a studio to 1 in the ratio that ships.
    """
    wide, narrow = (_stranger(sides, narrow=narrow) for narrow in (False, True))
    place = (shipped.stranger_by_telephone - shipped.stranger) / (1 - shipped.stranger)
    if wide is not None and narrow is None:
        narrow = replace(wide, value=wide.value + place * (1 - wide.value))
    elif narrow is not None and wide is None:
        least = min(narrow.value, 0.0)  # strangers are never less alike than by chance, which is 0
        wide = replace(narrow, value=max(least, (narrow.value - place) / (1 - place)))
    measured = {"stranger": wide, "stranger_by_telephone": narrow}
    return {name: one for name, one in measured.items() if one is not None}


def _stranger(sides: Sequence[_Side], *, narrow: bool) -> _Measured | None:
    """Measure the mean cosine of two speakers' clips on one of the two sounds; None if no gender has two speakers."""
    heard = [side for side in (one.heard(narrow=narrow) for one in sides) if side is not None]
    if not heard:
        return None
    means = [side.of_two(_cosines(side.clips.take(side.some))) for side in heard]
    return _Measured(_average(means, [side.pairs for side in heard]), sum(side.speakers for side in heard))


def _other_gender_spread(sides: Sequence[_Side], rule: ProbabilityRule) -> _Measured | None:
    """Measure the standard deviation of a clip's cosines with clips of the other gender."""

    def square(side: _Side) -> float:
        bar = side.bar(rule)
        cosines = side.sets(bar).voices.mean @ bar.population.strangers.T
        return float(cosines.var(axis=1, dtype=np.float64).mean())

    facing = [side for side in sides if side.speakers_facing]
    if not facing:
        return None
    mean = _average([square(side) for side in facing], [side.pairs for side in facing])
    return _Measured(float(np.sqrt(mean)), facing[0].speakers_facing)


def _other_gender_offset(sides: Sequence[_Side], rule: ProbabilityRule) -> _Measured | None:
    """Measure how far the cosines of two speakers are above the levels that the other gender tells."""

    def missing(side: _Side) -> float:
        return side.of_two(_above_level(side.sets(side.bar(rule))))

    facing = [side for side in sides if side.speakers_facing]
    if not facing:
        return None
    mean = _average([missing(side) for side in facing], [side.pairs for side in facing])
    return _Measured(rule.other_gender_offset + mean, facing[0].speakers_facing)


def _stranger_variance(sides: Sequence[_Side], rule: ProbabilityRule) -> _Measured:
    """Measure the variance of two speakers' cosines around their level, against the variance that the rule expects."""
    several = [side for side in sides if side.speakers > 1]
    weights = [side.pairs for side in several]
    bars = [side.bar(rule) for side in several]
    sets = [side.sets(bar) for side, bar in zip(several, bars, strict=True)]
    found = [side.of_two(_above_level(some) ** 2) for side, some in zip(several, sets, strict=True)]
    expected = [side.of_two(bar.variances(some, some)) for side, bar, some in zip(several, bars, sets, strict=True)]
    factor = max(_average(found, weights) / _average(expected, weights), LEAST_FACTOR)
    return _Measured(factor * rule.stranger_variance, sum(side.speakers for side in several))


def _base_noise(sides: Sequence[_Side], rule: ProbabilityRule) -> _Measured | None:
    """Measure the noise-to-voice power of a very long clip, as a population's base noise is learned."""
    several = [side for side in sides if side.of_speakers.max() > 1]
    if not several:
        return None
    logs = [float(np.log(side.bar(rule).population.base_noise)) for side in several]
    mean = _average(logs, [len(side.clips) - side.speakers for side in several])
    return _Measured(float(np.exp(mean)), sum(int((side.of_speakers > 1).sum()) for side in several))


# In this order, because the levels depend on the spread, and the variance and the noise depend on the levels.
MEASURES: Mapping[str, Callable[[Sequence[_Side], ProbabilityRule], _Measured | None]] = {
    "other_gender_spread": _other_gender_spread,
    "other_gender_offset": _other_gender_offset,
    "stranger_variance": _stranger_variance,
    "base_noise": _base_noise,
}


def _above_level(sets: Sets) -> Floats:
    """Give how far the cosine of each pair of sets is above their level (p, p)."""
    half = sets.level / np.float32(2)
    return _cosines(sets.voices) - (half[:, None] + half)


def _cosines(clips: Voices) -> Floats:
    """Give the cosine of each pair of clips (p, p)."""
    cosines: Floats = clips.mean @ clips.mean.T
    return cosines


def _at_equal_steps(voices: Voices, most: int) -> Voices:
    """Give at most `most` of some sets, at equal steps."""
    step = -(-len(voices) // most) if most else 1
    return voices.take(np.arange(0, len(voices) if most else 0, max(1, step)))


def _average(values: Sequence[float], weights: Sequence[int]) -> float:
    return float(np.average(values, weights=weights))
