"""Read the clips of a group: sort out what is new, embed it, and keep every vector as soon as it is there."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from registry.audio import Audio, read_audio
from registry.core.records import Rejected
from registry.embedding import batches, one_ahead
from registry.ingest.model_in_use import ModelInUse
from registry.progress import Progress
from registry.remote import RemotePath, at_hand, in_order, readers
from registry.scan import Pair, SourceFile
from registry.sources import sha256_of
from registry.store import embeddings, forgetting
from registry.store.clips import Clip, HashedFile
from registry.store.embeddings import EmbeddedAudio
from registry.store.transactions import Transactions
from registry.workers import Heard, Pending, Workers

MAX_TRANSCRIPT_BYTES = 10_000_000  # an hour of speech is 0.1 MB; PostgreSQL refuses a value of 1 GB


@dataclass
class Sorted:
    """The pairs of a group against what is stored of it."""

    new: list[Pair] = field(default_factory=list)
    unchanged: list[Pair] = field(default_factory=list)
    updated: list[Clip] = field(default_factory=list)  # same audio elsewhere, or with another transcript
    rewritten: list[str] = field(default_factory=list)  # of these, the names of those with another transcript
    rejected: list[Rejected] = field(default_factory=list)


def sort_out(pairs: Iterable[Pair], known: dict[str, tuple[HashedFile, HashedFile]]) -> Sorted:
    """Tell new pairs from known ones; a known file is only read if it looks different."""
    result = Sorted()
    different: list[Pair] = []
    for pair in pairs:
        if pair.name not in known:
            result.new.append(pair)
        elif (pair.wav, pair.txt) == tuple(file.source for file in known[pair.name]):
            result.unchanged.append(pair)
        else:
            different.append(pair)
    read_again = in_order(_read_again, different, readers(pair.wav.path for pair in different))
    for pair, read in zip(different, read_again, strict=True):
        _compare(pair, read, *known[pair.name], result)
    return result


def _compare(pair: Pair, read: Clip | Rejected, known_wav: HashedFile, known_txt: HashedFile, result: Sorted) -> None:
    if isinstance(read, Rejected):
        result.rejected.append(read)
    elif read.wav.sha256 == known_wav.sha256:
        result.updated.append(read)
        result.rewritten += [] if read.txt.sha256 == known_txt.sha256 else [read.name]
    else:
        message = (
            f"not the audio ingested under this name from {known_wav.source.path}, which stays;"
            " give the new recording a name of its own"
        )
        result.rejected.append(Rejected(str(pair.wav.path), "changed", message))


def _read_again(pair: Pair) -> Clip | Rejected:
    try:
        with at_hand(pair.wav.path) as wav:
            return _read_pair(pair, wav, audio_hash="")
    except OSError as error:
        return _unreadable(pair, error)


def _read_pair(pair: Pair, wav: Path, audio_hash: str) -> Clip | Rejected:
    """Read what there is to note of a pair whose .wav is at hand."""
    if pair.txt.size > MAX_TRANSCRIPT_BYTES:
        message = f"a transcript of {pair.txt.size} bytes; is it another file?"
        return Rejected(str(pair.txt.path), "too-long", message)
    try:
        with at_hand(pair.txt.path) as txt:
            transcript = txt.read_bytes()
        wav_sha256 = sha256_of(wav)
        sizes_read = ((pair.wav, wav.stat().st_size), (pair.txt, len(transcript)))
        unsettled = [source for source, size in sizes_read if not _is_as_listed(source, size)]
    except OSError as error:
        return _unreadable(pair, error)
    if unsettled:
        message = "somebody is writing to it; ingest again once it is complete"
        return Rejected(str(unsettled[0].path), "unsettled", message)
    txt_sha256 = hashlib.sha256(transcript).hexdigest()
    files = HashedFile(pair.wav, wav_sha256), HashedFile(pair.txt, txt_sha256)
    return Clip(pair.name, audio_hash, *files, _text_of(transcript), transcript)


def _unreadable(pair: Pair, error: OSError) -> Rejected:
    path = error.filename or pair.wav.path  # nameless where reading fails, not opening
    return Rejected(str(path), "unreadable", f"{error.strerror}; make the file readable")


def _is_as_listed(source: SourceFile, size_read: int) -> bool:
    if isinstance(source.path, RemotePath):
        return size_read == source.size  # asking again costs as much as reading; one replaced in time is seen next time
    status = source.path.stat()
    return (status.st_size, status.st_mtime_ns) == (source.size, source.mtime_ns)


def _text_of(transcript: bytes) -> str:
    """Make a transcript searchable, whatever its encoding: the file itself is what gets exported."""
    try:
        text = transcript.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = transcript.decode("latin-1")
    return text.replace("\0", "").strip()


@dataclass(frozen=True)
class _Batch:
    """Clips whose audio is being embedded, as far as it was not before."""

    heard: int  # also the forgotten
    clips: list[Clip]
    asked: list[str]  # the audio hashes of what is being embedded
    pending: Pending


class _Embedding:
    """The embedding of a group's new clips, a batch begun while the one before it is not yet kept."""

    def __init__(self, transactions: Transactions, model: ModelInUse, workers: Workers) -> None:
        self._transactions = transactions
        self._model = model
        self._workers = workers
        self._asked: set[str] = set()  # audio hashes, of this run
        self.unusable: dict[str, str] = {}  # audio hash -> why the model cannot embed it; of batches kept

    def begin(self, batch: list[Heard[Clip]]) -> _Batch:
        """Ask the database which audio is forgotten or embedded already, and begin to embed the rest."""
        hashes = [heard.sound.audio_hash for heard in batch]
        model_id = self._model.foundation.model_id
        with self._transactions.begin() as connection:
            left_out = forgetting.forgotten(connection, hashes)
            there = embeddings.embedded_hashes(connection, model_id, hashes)
        known = there | left_out | self._asked
        missing = {heard.sound.audio_hash: heard for heard in batch if heard.sound.audio_hash not in known}
        self._asked |= missing.keys()
        clips = [heard.record for heard in batch if heard.sound.audio_hash not in left_out]
        return _Batch(len(batch), clips, list(missing), self._workers.embed(list(missing.values())))

    def keep(self, batch: _Batch) -> None:
        """Wait for a batch and write it."""
        results = batch.pending.results()
        ready = [result for result in results if isinstance(result, EmbeddedAudio)]
        if ready:
            with self._transactions.begin() as connection:
                embeddings.save_embeddings(connection, self._model.foundation.model_id, ready)
        causes = zip(batch.asked, results, strict=True)
        self.unusable |= {audio_hash: cause for audio_hash, cause in causes if isinstance(cause, str)}


def embed_new(
    transactions: Transactions,
    pairs: Sequence[Pair],
    model: ModelInUse,
    workers: Workers,
    rejected: list[Rejected],
    progress: Progress,
) -> list[Clip]:
    """Read new pairs and see to it that the database holds an embedding of each one's audio.

    Batch by batch, each its own transaction: a killed run keeps what it embedded, but for the batches under way.

    Returns:
        The clips that can be linked, in order. Those that cannot be used are added to `rejected`; those that
        people had forgotten are left out.
    """
    clips: list[Clip] = []
    embedding = _Embedding(transactions, model, workers)
    for batch in one_ahead(map(embedding.begin, batches(_usable(pairs, workers, rejected, progress), workers))):
        embedding.keep(batch)
        for clip in batch.clips:
            if clip.audio_hash in embedding.unusable:
                message = f"{embedding.unusable[clip.audio_hash]} Leave the clip out."
                rejected.append(Rejected(str(clip.wav.source.path), "no-embedding", message))
            else:
                clips.append(clip)
        progress.advance(batch.heard)
    return clips


def _usable(
    pairs: Iterable[Pair], workers: Workers, rejected: list[Rejected], progress: Progress
) -> Iterator[Heard[Clip]]:
    for heard in workers.hear(pairs, read_new):
        if isinstance(heard, Rejected):
            rejected.append(heard)
            progress.advance(1)
        else:
            yield heard


def read_new(pair: Pair) -> tuple[Clip, Audio] | Rejected:
    """Read a new pair: what is to be kept of it, and its audio; or say why it cannot be used."""
    try:
        with at_hand(pair.wav.path) as wav:
            return _read_new(pair, wav)
    except OSError as error:
        return _unreadable(pair, error)


def _read_new(pair: Pair, wav: Path) -> tuple[Clip, Audio] | Rejected:
    audio = read_audio(wav)
    if isinstance(audio, Rejected):
        return replace(audio, path=str(pair.wav.path))
    clip = _read_pair(pair, wav, audio.audio_hash)
    return clip if isinstance(clip, Rejected) else (clip, audio)


def find_unreadable(pairs: Sequence[Pair]) -> list[Rejected]:
    """Read new pairs only to see whether each can be used."""
    faults = in_order(_fault, pairs, readers(pair.wav.path for pair in pairs))
    return [fault for fault in faults if fault is not None]


def _fault(pair: Pair) -> Rejected | None:
    found = read_new(pair)
    return found if isinstance(found, Rejected) else None
