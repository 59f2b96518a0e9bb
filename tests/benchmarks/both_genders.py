"""A registry of both genders in memory, and what becomes of the clips of some nights in it."""

from dataclasses import dataclass
from itertools import chain, count

import numpy as np

from registry import settings
from registry.core.linking.probability_rule import ProbabilityRule
from registry.core.records import GENDERS, Integers
from tests.benchmarks.ledger import Ledger
from tests.benchmarks.memory_registry import MemoryRegistry, Union
from tests.benchmarks.nights import Nights
from tests.benchmarks.speech import Speech


class BothGenders:
    """Two registries in memory, each of which takes the other's clips for strangers."""

    def __init__(self, nights: Nights, speech: Speech, rule: ProbabilityRule) -> None:
        self.nights = nights
        self.ledger = Ledger()
        keys = count(1)
        self.of_gender = {gender: MemoryRegistry(nights, speech, rule, keys) for gender in GENDERS}
        self.pairs = list(zip(self.of_gender.values(), reversed(self.of_gender.values()), strict=True))

    def ingest(self, night: int) -> None:
        """Decide a night, gender by gender."""
        tonight = np.flatnonzero(self.nights.night == night)
        clips = {gender: tonight[self.nights.gender[tonight] == gender] for gender in GENDERS}
        for (registry, other), own, coming in zip(self.pairs, clips.values(), reversed(clips.values()), strict=True):
            if len(own):
                matched = registry.ingest(own, other.as_strangers(coming))
                self.ledger.note(registry.speaker_of(), matched)

    @property
    def is_young(self) -> bool:
        """Tell whether an ingest decides all of it afresh."""
        return sum(len(registry.audios) for registry in self.of_gender.values()) <= settings.YOUNG_AUDIOS

    def decide_afresh(self) -> None:
        """Cluster all clips anew."""
        for registry, other in self.pairs:
            registry.recluster(other.as_strangers())
        self.ledger.note(self.speaker_of(), {})

    def consolidate(self) -> None:
        """Part the speakers that are two voices, and join those that are one."""
        for registry, other in self.pairs:
            registry.consolidate(other.as_strangers())

    def speaker_of(self) -> dict[int, int]:
        """Give the key of the speaker that each clip heard so far has now."""
        return dict(chain.from_iterable(registry.speaker_of().items() for registry in self.of_gender.values()))

    @property
    def speakers(self) -> Integers:
        """Give the speaker of each clip (n,), once all are heard."""
        return np.array([speaker for _, speaker in sorted(self.speaker_of().items())])

    @property
    def unions(self) -> tuple[Union, ...]:
        """Give those of which the speakers are made."""
        return tuple(chain.from_iterable(registry.unions for registry in self.of_gender.values()))


def hear(nights: Nights, speech: Speech, rule: ProbabilityRule, *, afresh_every_night: bool = True) -> BothGenders:
    """Ingest some nights, one after the other, into a new registry, as `registry ingest` does.

    A young registry is decided afresh after every night. Who is who after the last one hangs on that of the last alone;
    how sure the matches of a night were also on those before, which take most of the time.
    """
    registry = BothGenders(nights, speech, rule)
    heard = np.unique(nights.night).tolist()
    for night in heard:
        registry.ingest(night)
        if registry.is_young and (afresh_every_night or night == heard[-1]):
            registry.decide_afresh()
    return registry


@dataclass(frozen=True)
class History:
    """What became of some nights, clip by clip in their order."""

    nightly: Integers  # (n,) the speaker that each clip has after the last night
    consolidated: Integers  # (n,) after a consolidation
    reclustered: Integers  # (n,) and after a full one
    unions: tuple[Union, ...]  # of the nights and of the consolidation


def run(nights: Nights, speech: Speech, rule: ProbabilityRule) -> History:
    """Ingest some nights one after the other; then consolidate, and then in full."""
    registry = hear(nights, speech, rule)
    nightly = registry.speakers
    registry.consolidate()
    consolidated, unions = registry.speakers, registry.unions
    registry.decide_afresh()
    registry.consolidate()
    return History(nightly, consolidated, registry.speakers, unions)
