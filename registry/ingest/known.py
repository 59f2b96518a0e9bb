"""Tell what of a group is new and what is known; a known pair of files is only read if it looks different."""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from registry.core.records import Rejected
from registry.core.rejections import Fault
from registry.database.store.clips import Clip, KnownClip
from registry.ingest.read import read_audio_of, read_pair, unreadable_pair
from registry.input.remote import at_hand, in_order, readers
from registry.input.scan import Pair


@dataclass
class Sorted:
    """The pairs of a group against what is stored of it."""

    new: list[Pair] = field(default_factory=list)
    unchanged: list[Pair] = field(default_factory=list)
    updated: list[Clip] = field(default_factory=list)  # same audio elsewhere, in another file or transcribed anew
    rewritten: list[str] = field(default_factory=list)  # of these, the names of those with another transcript
    converted: list[str] = field(default_factory=list)  # of these, the names of those whose audio is in another file
    rejected: list[Rejected] = field(default_factory=list)
    changed: list[Pair] = field(default_factory=list)  # with another sound under a known name
    clashes: list[Rejected] = field(default_factory=list)  # the same, each with what to do

    @property
    def known(self) -> int:
        """Count the pairs that are there already."""
        return len(self.unchanged) + len(self.updated)

    def to_read(self, *, replacing: bool) -> list[Pair]:
        """List the pairs that may come in, in order of name: the new ones, and where they replace, the changed ones."""
        return sorted([*self.new, *(self.changed if replacing else ())], key=lambda pair: pair.name)

    def all_rejected(self) -> list[Rejected]:
        """List what cannot be used while all that is stored stays as it is."""
        return [*self.rejected, *self.clashes]


def sort_out(pairs: Iterable[Pair], known: Mapping[str, KnownClip]) -> Sorted:
    """Tell new pairs from known ones; a known file is only read if it looks different."""
    result = Sorted()
    different: list[tuple[Pair, KnownClip]] = []
    for pair in pairs:
        there = known.get(pair.name)
        if there is None:
            result.new.append(pair)
        elif (pair.wav, pair.txt) == (there.wav.source, there.txt.source):
            result.unchanged.append(pair)
        else:
            different.append((pair, there))
    read_again = in_order(_read_again, different, readers(pair.wav.path for pair, _ in different))
    for (pair, there), read in zip(different, read_again, strict=True):
        _compare(pair, read, there, result)
    return result


def _compare(pair: Pair, read: Clip | Rejected, known: KnownClip, result: Sorted) -> None:
    if isinstance(read, Rejected):
        result.rejected.append(read)
    elif read.audio_hash == known.audio_hash:
        result.updated.append(read)
        result.rewritten += [] if read.txt.sha256 == known.txt.sha256 else [read.name]
        result.converted += [] if read.wav.sha256 == known.wav.sha256 else [read.name]
    else:
        folder = str(pair.wav.path).rpartition("/")[0]
        clash = Fault.OTHER_SOUND.of(pair.wav.path, known=known.wav.source.path, folder=shlex.quote(folder))
        result.changed.append(pair)
        result.clashes.append(clash)


def _read_again(different: tuple[Pair, KnownClip]) -> Clip | Rejected:
    """Read a known pair, and listen to it only if its audio file holds other bytes than it did."""
    pair, known = different
    try:
        with at_hand(pair.wav.path) as wav:
            clip = read_pair(pair, wav, known.audio_hash)
            if isinstance(clip, Rejected) or clip.wav.sha256 == known.wav.sha256:
                return clip
            audio = read_audio_of(pair, wav)
            return audio if isinstance(audio, Rejected) else replace(clip, audio_hash=audio.sound.audio_hash)
    except OSError as error:
        return unreadable_pair(pair, error)
