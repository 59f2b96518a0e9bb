"""A registry in memory: night by night what an ingest decides, and what its joins put together."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from registry.core.consolidation import Join, consolidate
from registry.core.likeness import bar_among
from registry.core.linking import KnownVoices, link
from registry.core.probability_rule import ProbabilityRule
from registry.core.records import Integers
from registry.core.splitting import cut_in_two, one_voice
from registry.core.vectors import unit
from registry.core.voices import Voices, clips_as_voices
from tests.benchmarks.nights import Nights
from tests.benchmarks.speech import Speech


@dataclass(frozen=True)
class Union:
    """What one step made into one speaker: stored speakers, each by whom most of it is in truth, and tonight's clips.

    Of k pieces it took k - 1 joins, in whatever order: clip to clip, cluster to stored speaker, stored to stored. Of
    these as many were false as there are voices among the pieces after the first.
    """

    night: int  # from 0; of a consolidation, the last one before it
    pieces: tuple[str, ...]  # the voice of each

    @property
    def joins(self) -> int:
        """Count the joins."""
        return len(self.pieces) - 1

    @property
    def false_joins(self) -> int:
        """Count those that put two voices together."""
        return len(set(self.pieces)) - 1


@dataclass(frozen=True)
class History:
    """What became of some nights, clip by clip in their order."""

    heard_as: np.ndarray  # (n,) the speaker that each clip got on its night
    nightly: np.ndarray  # (n,) the speaker that each clip has after the last night
    consolidated: np.ndarray  # (n,) and after a consolidation
    reclustered: np.ndarray  # (n,) and after a full one
    unions: tuple[Union, ...]  # of the nights; those of the consolidation come apart
    consolidated_unions: tuple[Union, ...]


COLUMNS = ("heard_as", "nightly", "consolidated", "reclustered")


def run(nights: Nights, speech: Speech, rule: ProbabilityRule) -> History:
    """Ingest some nights one after the other, genders apart; then consolidate, and then in full."""
    columns = {name: np.empty(len(nights), dtype="U12") for name in COLUMNS}
    unions: list[Union] = []
    later: list[Union] = []
    for gender in ("F", "M"):
        registry = MemoryRegistry(nights, speech, rule)
        of_gender = np.flatnonzero(nights.gender == gender)
        for night in range(int(nights.night.max(initial=-1)) + 1):
            tonight = of_gender[nights.night[of_gender] == night]
            registry.ingest(tonight, night)
            columns["heard_as"][tonight] = registry.speakers_of(tonight, gender)
        columns["nightly"][of_gender] = registry.speakers_of(of_gender, gender)
        nightly = len(registry.unions)
        registry.consolidate()
        columns["consolidated"][of_gender] = registry.speakers_of(of_gender, gender)
        later += registry.unions[nightly:]
        registry.recluster()
        registry.consolidate()
        columns["reclustered"][of_gender] = registry.speakers_of(of_gender, gender)
        unions += registry.unions[:nightly]
    return History(**columns, unions=tuple(unions), consolidated_unions=tuple(later))


@dataclass
class MemoryRegistry:
    """The speakers of one gender, each with its different audios. An audio's key is the first clip that carries it."""

    nights: Nights
    speech: Speech
    rule: ProbabilityRule
    audio: Integers = field(init=False)  # (n,) of each clip
    members: dict[int, list[int]] = field(default_factory=dict)  # speaker key -> audio keys
    doubtful: set[int] = field(default_factory=set)  # audio keys that build no profile
    unions: list[Union] = field(default_factory=list)
    last_key: int = 0
    night: int = 0

    def __post_init__(self) -> None:
        """Find the clips of equal sound."""
        _, first, sound = np.unique(self.speech.audio_hash[self.nights.row], return_index=True, return_inverse=True)
        self.audio = first[sound]

    def ingest(self, clips: Integers, night: int) -> None:
        """Decide the speakers of a night's clips, as `registry.ingest.link` does."""
        if len(clips) == 0:
            return
        self.night = night
        audios = list(dict.fromkeys(self.audio[clips].tolist()))
        of_audio = {audio: key for key, members in self.members.items() for audio in members}
        heard = {audio: of_audio[audio] for audio in audios if audio in of_audio}
        known = KnownVoices(sorted(self.members), self._voices(), heard)
        linking = link(audios, *self.speech.take(self.nights.row[audios]), known, self.rule)
        before = {key: self._voice(members) for key, members in self.members.items()}
        pieces = self._unite(linking.joins, before)
        for decision in linking.decisions:
            self.doubtful = self.doubtful - {*decision.audio_ids} | {*decision.doubtful_ids}
            if decision.reason == "same-audio":
                continue
            key = decision.speaker_id or self._new_key()
            self.members.setdefault(key, []).extend(decision.audio_ids)
            known_voice = [before[key]] if key in before and key not in pieces else []
            pieces[key] += [*known_voice, *self.nights.speaker[list(decision.audio_ids)].tolist()]
        self._note(pieces.values())

    def consolidate(self) -> None:
        """Part the speakers that are two voices and join those that are one, as `registry consolidate` does."""
        self._part()
        keys = sorted(self.members)
        if len(keys) > 1:
            before = {key: self._voice(members) for key, members in self.members.items()}
            self._note(self._unite(consolidate(self._voices(), keys, (), (), self.rule).joins, before).values())

    def _part(self) -> None:
        voices = self._voices()
        if not len(voices):
            return
        population, bar = bar_among(voices, self.rule)
        for key in [key for key in sorted(self.members) if len(self.members[key]) > 1]:
            audios = np.array(self.members[key])
            vectors, *sounds = self.speech.take(self.nights.row[audios])
            cut = cut_in_two(vectors)
            if one_voice(vectors, *sounds, cut, population, bar) < self.rule.parting_probability:
                self.members[key] = audios[~cut.leaves].tolist()
                self.members[self._new_key()] = audios[cut.leaves].tolist()

    def recluster(self) -> None:
        """Cluster all clips anew, as `registry consolidate --full` does; keys are of no account."""
        audios = sorted(audio for members in self.members.values() for audio in members)
        if not audios:
            return
        population, _ = bar_among(self._voices(), self.rule)
        clips = self.speech.take(self.nights.row[audios])
        nobody = KnownVoices([], self._voices().take(np.zeros(0, dtype=np.int64)), {})
        linking = link(audios, *clips, nobody, self.rule, may_join_stored=False, population=population)
        self.members = {self._new_key(): list(decision.audio_ids) for decision in linking.decisions}

    def speakers_of(self, clips: Integers, gender: str) -> list[str]:
        """Give the speaker that each of some clips has now."""
        of_audio = {audio: key for key, members in self.members.items() for audio in members}
        return [f"{gender}{of_audio[audio]:04d}" for audio in self.audio[clips].tolist()]

    def _voices(self) -> Voices:
        """Sum up the speakers in order of key, as the profiles of a registry do: means over their different audios."""
        builders = [self._builders(self.members[key]) for key in sorted(self.members)]
        rows = self.nights.row[np.array([audio for audios in builders for audio in audios], dtype=np.int64)]
        labels = np.repeat(np.arange(len(builders)), [len(audios) for audios in builders])
        vectors, *sounds = self.speech.take(rows)
        return clips_as_voices(unit(vectors), *sounds).united(labels)

    def _builders(self, audios: Sequence[int]) -> Sequence[int]:
        """Leave out the doubtful audios of a speaker, unless all are."""
        return [audio for audio in audios if audio not in self.doubtful] or audios

    def _unite(self, joins: Iterable[Join], before: dict[int, str]) -> defaultdict[int, list[str]]:
        """Join stored speakers, and give the pieces of those that stay."""
        pieces: defaultdict[int, list[str]] = defaultdict(list)
        for join in joins:
            if join.kept_id not in pieces:
                pieces[join.kept_id].append(before[join.kept_id])
            pieces[join.kept_id].append(before[join.gone_id])
            self.members[join.kept_id] += self.members.pop(join.gone_id)
        return pieces

    def _note(self, made: Iterable[Sequence[str]]) -> None:
        self.unions += [Union(self.night, tuple(pieces)) for pieces in made if len(pieces) > 1]

    def _voice(self, audios: Sequence[int]) -> str:
        """Tell whose voice most of some audios are; among equally many, the first by name."""
        names, counts = np.unique(self.nights.speaker[audios], return_counts=True)
        return str(names[counts.argmax()])

    def _new_key(self) -> int:
        self.last_key += 1
        return self.last_key
