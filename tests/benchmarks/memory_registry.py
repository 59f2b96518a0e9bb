"""A registry of one gender in memory: what an ingest decides of a night, and what its joins put together."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from registry.core.linking.consolidation import Join, consolidate
from registry.core.linking.decisions import KnownVoices, link
from registry.core.linking.likeness import bar_among
from registry.core.linking.probability_rule import ProbabilityRule
from registry.core.linking.reclustering import succeed
from registry.core.linking.splitting import cut_in_two, one_voice
from registry.core.linking.voices import Voices, clips_as_voices
from registry.core.records import Integers
from registry.core.vectors import unit
from registry.database.store.strangers import OF_EACH, READ
from tests.benchmarks.nights import Nights
from tests.benchmarks.speech import Speech


@dataclass(frozen=True)
class Union:
    """What one step made into one speaker: stored speakers, each by whom most of it is in truth, and clips.

    Of k pieces it took k - 1 joins, in whatever order: clip to clip, cluster to stored speaker, stored to stored. Of
    these as many were false as there are voices among the pieces after the first.
    """

    pieces: tuple[str, ...]  # the voice of each

    @property
    def joins(self) -> int:
        """Count the joins."""
        return len(self.pieces) - 1

    @property
    def false_joins(self) -> int:
        """Count those that put two voices together."""
        return len(set(self.pieces)) - 1


@dataclass
class MemoryRegistry:
    """The speakers of one gender, each with its different audios. An audio's key is the first clip that carries it."""

    nights: Nights
    speech: Speech  # of their clips, in their order
    rule: ProbabilityRule
    keys: Iterator[int]  # for speakers to come
    audio: Integers = field(init=False)  # (n,) of each clip
    clips: list[int] = field(default_factory=list)  # heard so far
    members: dict[int, list[int]] = field(default_factory=dict)  # speaker key -> audio keys
    doubtful: set[int] = field(default_factory=set)  # audio keys that build no profile
    unions: list[Union] = field(default_factory=list)  # of which the speakers are made

    def __post_init__(self) -> None:
        """Find the clips of equal sound."""
        _, first, sound = np.unique(self.speech.audio_hash, return_index=True, return_inverse=True)
        self.audio = first[sound]

    @property
    def audios(self) -> list[int]:
        """List the different audios heard so far, in order of their first clips."""
        return sorted(chain.from_iterable(self.members.values()))

    def ingest(self, clips: Integers, strangers: Voices) -> dict[int, float]:
        """Decide the speakers of a night's clips, as `registry.ingest.link` does.

        Args:
            clips: The night's clips of the gender.
            strangers: Clips of the other gender.

        Returns:
            Clips that were matched with a stored speaker -> P(same voice).
        """
        self.clips += clips.tolist()
        audios = list(dict.fromkeys(self.audio[clips].tolist()))
        of_audio = self._speaker_of_audio()
        heard = {audio: of_audio[audio] for audio in audios if audio in of_audio}
        known = KnownVoices(sorted(self.members), self._voices(), strangers, heard)
        linking = link(audios, *self.speech.take(audios), known, self.rule)
        before = {key: self._voice(members) for key, members in self.members.items()}
        pieces = self._unite(linking.joins, before)
        matched: dict[int, float] = {}
        for decision in linking.decisions:
            self.doubtful = self.doubtful - {*decision.audio_ids} | {*decision.doubtful_ids}
            if decision.reason == "same-audio":
                continue
            key = decision.speaker_id or next(self.keys)
            self.members.setdefault(key, []).extend(decision.audio_ids)
            known_voice = [before[key]] if key in before and key not in pieces else []
            pieces[key] += [*known_voice, *self.nights.speaker[list(decision.audio_ids)].tolist()]
            if decision.probability is not None:
                matched |= dict.fromkeys(decision.audio_ids, decision.probability)
        self._note(pieces.values())
        return {clip: matched[self.audio[clip]] for clip in clips.tolist() if self.audio[clip] in matched}

    def recluster(self, strangers: Voices) -> None:
        """Cluster all clips anew, as `registry.corrections.recluster` does; the speakers live on in what comes out."""
        audios = self.audios
        nobody = KnownVoices([], self._as_voices([]), strangers, {})
        linking = link(audios, *self.speech.take(audios), nobody, self.rule, may_join_stored=False)
        clusters = sorted(decision.audio_ids for decision in linking.decisions)
        clips_of_audio = defaultdict(list)
        for clip in self.clips:
            clips_of_audio[self.audio[clip]].append(clip)
        clips = [[clip for audio in cluster for clip in clips_of_audio[audio]] for cluster in clusters]
        succession = succeed(clips, [None] * len(clips), self.speaker_of())
        keys = [next(self.keys) if key is None else key for key in succession.speaker_ids]
        self.members = {key: list(cluster) for key, cluster in zip(keys, clusters, strict=True)}
        self.unions = []
        self._note(self.nights.speaker[list(cluster)].tolist() for cluster in clusters)

    def consolidate(self, strangers: Voices) -> None:
        """Part the speakers that are two voices and join those that are one, as `registry consolidate` does."""
        self._part(strangers)
        keys = sorted(self.members)
        if len(keys) > 1:
            before = {key: self._voice(members) for key, members in self.members.items()}
            found = consolidate(self._voices(), strangers, keys, (), (), self.rule)
            self._note(self._unite(found.joins, before).values())

    def _part(self, strangers: Voices) -> None:
        bar = bar_among(self._voices(), strangers, self.rule)
        for key in [key for key in sorted(self.members) if len(self.members[key]) > 1]:
            audios = np.array(self.members[key])
            vectors, durations_s, narrowness = self.speech.take(audios)
            cut = cut_in_two(vectors)
            if one_voice(vectors, durations_s, narrowness, cut, bar) < self.rule.parting_probability:
                self.members[key] = audios[~cut.leaves].tolist()
                self.members[next(self.keys)] = audios[cut.leaves].tolist()

    def as_strangers(self, coming: Iterable[int] = ()) -> Voices:
        """Give audios for the other gender to be compared with, as `registry.database.store.strangers` does.

        They are some of each speaker, and clips that have none yet; of more than are wanted, those at even steps in
        order of their hashes.
        """
        most = self.rule.most_strangers
        of_each = max(1, min(OF_EACH, READ * most // max(1, len(self.members))))
        chosen = {int(self.audio[clip]) for clip in coming}
        for audios in self.members.values():
            chosen.update(self._by_hash(audios)[:of_each])
        return self._as_voices(self._by_hash(chosen)[:: max(1, -(-len(chosen) // most))])

    def speaker_of(self) -> dict[int, int]:
        """Give the key of the speaker that each clip heard so far has now."""
        of_audio = self._speaker_of_audio()
        return {clip: of_audio[self.audio[clip]] for clip in self.clips}

    def _speaker_of_audio(self) -> dict[int, int]:
        return {audio: key for key, audios in self.members.items() for audio in audios}

    def _by_hash(self, audios: Collection[int]) -> list[int]:
        return sorted(audios, key=lambda audio: self.speech.audio_hash[audio])

    def _voices(self) -> Voices:
        """Sum up the speakers in order of key, as the profiles of a registry do: means over their different audios."""
        builders = [self._builders(self.members[key]) for key in sorted(self.members)]
        labels = np.repeat(np.arange(len(builders)), [len(audios) for audios in builders])
        return self._as_voices(list(chain.from_iterable(builders))).united(labels)

    def _as_voices(self, audios: Sequence[int]) -> Voices:
        """See each of some audios as a set of its own."""
        vectors, *sounds = self.speech.take(audios)
        return clips_as_voices(unit(vectors), *sounds)

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
        self.unions += [Union(tuple(pieces)) for pieces in made if len(pieces) > 1]

    def _voice(self, audios: Sequence[int]) -> str:
        """Tell whose voice most of some audios are; among equally many, the first by name."""
        names, counts = np.unique(self.nights.speaker[audios], return_counts=True)
        return str(names[counts.argmax()])
