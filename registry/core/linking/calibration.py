"""What a model's embeddings are like, measured on clips whose true speakers are known.

Everything is measured within a gender, beside the other gender's clips, as when it is decided who is who. What few
speakers say is not taken at its word: it is averaged with what ships.
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

LEAST_SPEAKERS = 4  # with several clips each: of fewer nothing should be measured
SHIPPED_SPEAKERS = 5.0  # speakers whose word weighs as much as what ships
MOST_CLIPS = 2000  # of a gender, whose pairs are looked at: 16 MB for each value of a pair
LEAST_FACTOR = 1e-4  # of a variance, where embeddings are made up and do not vary at all
FACTORS = ("stranger_variance", "base_noise")  # are averaged on a log scale


@dataclass(frozen=True)
class LabelledClips:
    """Some recordings with their true speakers."""

    vectors: Floats  # (n, dim) embeddings, of any length but zero
    durations_s: Floats  # (n,) more than 0
    narrowness: Floats  # (n,) 0 studio, 1 telephone
    gender: Integers  # (n,) 0 or 1
    speaker: Integers  # (n,) from 0; one that is labelled under both genders counts as two

    def __len__(self) -> int:
        """Count the recordings."""
        return len(self.speaker)

    @cached_property
    def own(self) -> Integers:
        """Number the speakers of both genders from 0 without gaps (n,)."""
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
        """Give the clips of a gender as sets of their own, and their speakers, from 0 without gaps."""
        rows = np.flatnonzero(self.gender == gender)
        clips = clips_as_voices(unit(self.vectors[rows]), self.durations_s[rows], self.narrowness[rows])
        return clips, from_zero(self.own[rows])


def calibrate(clips: LabelledClips, shipped: ProbabilityRule) -> ModelConstants:
    """Measure the constants of the model that embedded some clips.

    Each is measured by a rule that holds those measured before. What one gender says of the other stays as it ships
    where not both have two speakers or more.

    Args:
        clips: The clips, of `LEAST_SPEAKERS` with several each, so that some gender has two speakers.
        shipped: The rule as it ships.
    """
    sides = _sides(clips, shipped)
    told = _strangers_by_sound(sides, shipped)
    for name, measure in MEASURES.items():
        measured = replace(ModelConstants.of(shipped), **{known: one.value for known, one in told.items()})
        found = measure(sides, measured.put_into(shipped))
        told |= {name: found} if found is not None else {}
    return replace(
        ModelConstants.of(shipped),
        **{name: one.beside(getattr(shipped, name), on_log_scale=name in FACTORS) for name, one in told.items()},
    )


def as_one_night(clips: LabelledClips, rule: ProbabilityRule) -> Integers:
    """Link the clips alone, as if they had come in one night: give speakers found, from 0 (n,)."""
    found = np.zeros(len(clips), dtype=np.int64)
    nobody = np.zeros(0, dtype=np.int64)
    for gender in (0, 1):
        rows = np.flatnonzero(clips.gender == gender)
        others = clips.of_gender(1 - gender)[0]
        known = KnownVoices([], others.take(nobody), _at_equal_steps(others, rule.most_strangers), {})
        sounds = clips.durations_s[rows], clips.narrowness[rows]
        decisions = link(range(len(rows)), clips.vectors[rows], *sounds, known, rule).decisions
        for number, decision in enumerate(decisions):
            found[rows[list(decision.audio_ids)]] = 2 * number + gender
    return from_zero(found)


@dataclass(frozen=True)
class _Side:
    """The clips of a gender beside those of the other."""

    clips: Voices  # (n,), n > 0
    speaker: Integers  # (n,) from 0 without gaps
    strangers: Voices  # clips of the other gender; none where these are of a single speaker
    speakers_facing: int  # of both genders: twice those of the one that has fewer; 0 without strangers

    @property
    def speakers(self) -> int:
        return int(self.speaker.max()) + 1

    @cached_property
    def of_speakers(self) -> Integers:
        """Count each speaker's clips."""
        return np.bincount(self.speaker)

    @cached_property
    def some(self) -> Integers:
        """Give the rows of the clips whose pairs are looked at (s,)."""
        return np.arange(0, len(self.clips), -(-len(self.clips) // MOST_CLIPS))

    @cached_property
    def are_two(self) -> Booleans:
        """Tell which pairs of those are of two speakers (s, s)."""
        some = self.speaker[self.some]
        two: Booleans = some[:, None] != some
        return two

    @property
    def pairs(self) -> int:
        return int(self.are_two.sum())

    def of_two(self, values: Floats) -> float:
        """Average a value of each of those pairs (s, s) over those of two speakers."""
        return float(values.mean(where=self.are_two, dtype=np.float64))

    def bar(self, rule: ProbabilityRule) -> Bar:
        """Learn the bar from the true speakers."""
        return bar_among(self.clips.united(self.speaker), self.strangers, rule)

    def sets(self, bar: Bar) -> Sets:
        """See the clips whose pairs are looked at as a bar does (s,)."""
        return bar.sets(self.clips.take(self.some))

    def heard(self, *, narrow: bool) -> "_Side | None":
        """Give the clips of a sound, if they are of two speakers or more."""
        rows = np.flatnonzero((self.clips.narrowness >= NARROW) == narrow)
        speaker = from_zero(self.speaker[rows])
        is_enough = len(np.unique(speaker)) > 1
        return replace(self, clips=self.clips.take(rows), speaker=speaker) if is_enough else None


@dataclass(frozen=True)
class _Told:
    """A value, and how many speakers it was measured of."""

    value: float
    speakers: int

    def beside(self, shipped: float, *, on_log_scale: bool) -> float:
        """Average it with what ships."""
        weights = [self.speakers, SHIPPED_SPEAKERS]
        if on_log_scale:
            return float(np.exp(np.average(np.log([self.value, shipped]), weights=weights)))
        return float(np.average([self.value, shipped], weights=weights))


def _sides(clips: LabelledClips, rule: ProbabilityRule) -> list[_Side]:
    genders = [clips.of_gender(gender) for gender in (0, 1)]
    fewer = min(len(np.unique(speaker)) for _, speaker in genders)
    facing = 2 * fewer if fewer > 1 else 0
    return [
        _Side(own, speaker, _at_equal_steps(other, rule.most_strangers if facing else 0), facing)
        for (own, speaker), (other, _) in (genders, genders[::-1])
        if len(own)
    ]


def _strangers_by_sound(sides: Sequence[_Side], shipped: ProbabilityRule) -> dict[str, _Told]:
    """Measure strangers' mean cosine by studio and by telephone.

    Of a sound in which no gender has two speakers it is inferred: it keeps its place between the other's and 1.
    """
    wide, narrow = (_stranger(sides, narrow=narrow) for narrow in (False, True))
    place = (shipped.stranger_by_telephone - shipped.stranger) / (1 - shipped.stranger)
    if wide is not None and narrow is None:
        narrow = replace(wide, value=wide.value + place * (1 - wide.value))
    elif narrow is not None and wide is None:
        least = min(narrow.value, 0.0)  # strangers are never less alike than by chance
        wide = replace(narrow, value=max(least, (narrow.value - place) / (1 - place)))
    told = {"stranger": wide, "stranger_by_telephone": narrow}
    return {name: one for name, one in told.items() if one is not None}


def _stranger(sides: Sequence[_Side], *, narrow: bool) -> _Told | None:
    heard = [side for side in (one.heard(narrow=narrow) for one in sides) if side is not None]
    if not heard:
        return None
    means = [side.of_two(_cosines(side.clips.take(side.some))) for side in heard]
    return _Told(_average(means, [side.pairs for side in heard]), sum(side.speakers for side in heard))


def _other_gender_spread(sides: Sequence[_Side], rule: ProbabilityRule) -> _Told | None:
    """Measure how far a clip's cosines with the other gender's deviate from their mean."""

    def square(side: _Side) -> float:
        bar = side.bar(rule)
        cosines = side.sets(bar).voices.mean @ bar.population.strangers.T
        return float(cosines.var(axis=1, dtype=np.float64).mean())

    facing = [side for side in sides if side.speakers_facing]
    if not facing:
        return None
    mean = _average([square(side) for side in facing], [side.pairs for side in facing])
    return _Told(float(np.sqrt(mean)), facing[0].speakers_facing)


def _other_gender_offset(sides: Sequence[_Side], rule: ProbabilityRule) -> _Told | None:
    """Measure how far the levels that the other gender tells are from the truth."""

    def missing(side: _Side) -> float:
        return side.of_two(_above_level(side.sets(side.bar(rule))))

    facing = [side for side in sides if side.speakers_facing]
    if not facing:
        return None
    mean = _average([missing(side) for side in facing], [side.pairs for side in facing])
    return _Told(rule.other_gender_offset + mean, facing[0].speakers_facing)


def _stranger_variance(sides: Sequence[_Side], rule: ProbabilityRule) -> _Told:
    """Measure how far strangers' cosines vary around their level, against what is expected of each pair."""
    several = [side for side in sides if side.speakers > 1]
    weights = [side.pairs for side in several]
    bars = [side.bar(rule) for side in several]
    sets = [side.sets(bar) for side, bar in zip(several, bars, strict=True)]
    found = [side.of_two(_above_level(some) ** 2) for side, some in zip(several, sets, strict=True)]
    expected = [side.of_two(bar.variances(some, some)) for side, bar, some in zip(several, bars, sets, strict=True)]
    factor = max(_average(found, weights) / _average(expected, weights), LEAST_FACTOR)
    return _Told(factor * rule.stranger_variance, sum(side.speakers for side in several))


def _base_noise(sides: Sequence[_Side], rule: ProbabilityRule) -> _Told | None:
    """Measure the noise of a very long clip, as the population's is learned."""
    several = [side for side in sides if side.of_speakers.max() > 1]
    if not several:
        return None
    logs = [float(np.log(side.bar(rule).population.base_noise)) for side in several]
    mean = _average(logs, [len(side.clips) - side.speakers for side in several])
    return _Told(float(np.exp(mean)), sum(int((side.of_speakers > 1).sum()) for side in several))


# In an order in which each needs only those before it: levels follow the spread, and variance and noise the levels.
MEASURES: Mapping[str, Callable[[Sequence[_Side], ProbabilityRule], _Told | None]] = {
    "other_gender_spread": _other_gender_spread,
    "other_gender_offset": _other_gender_offset,
    "stranger_variance": _stranger_variance,
    "base_noise": _base_noise,
}


def _above_level(sets: Sets) -> Floats:
    """Give how far the cosine of each pair of sets (s, s) is above strangers' level."""
    half = sets.level / np.float32(2)
    return _cosines(sets.voices) - (half[:, None] + half)


def _cosines(clips: Voices) -> Floats:
    cosines: Floats = clips.mean @ clips.mean.T
    return cosines


def _at_equal_steps(voices: Voices, most: int) -> Voices:
    """Give so many of some sets at the most."""
    step = -(-len(voices) // most) if most else 1
    return voices.take(np.arange(0, len(voices) if most else 0, max(1, step)))


def _average(values: Sequence[float], weights: Sequence[int]) -> float:
    return float(np.average(values, weights=weights))
