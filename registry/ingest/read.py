"""Read the new clips of a group, embed them, and keep every vector as soon as it is there."""

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from registry.core.records import EmbeddedSound, Rejected
from registry.core.rejections import Fault
from registry.database.store import embeddings, forgetting, operations
from registry.database.store.clips import Clip, HashedFile
from registry.database.store.transactions import Transactions
from registry.ingest.model_in_use import ModelInUse
from registry.input.audio import SETTLED_S, Audio, fault_of_size, read_audio
from registry.input.remote import NS, RemotePath, at_hand, in_order, readers
from registry.input.scan import Pair, SourceFile, unreadable
from registry.input.sources import sha256_of
from registry.input.transcript import text_of
from registry.progress import Progress
from registry.speech.batches import batches, one_ahead
from registry.speech.workers import Heard, Pending, Workers

MAX_TRANSCRIPT_BYTES = 10_000_000  # an hour of speech is 0.1 MB; PostgreSQL refuses a value of 1 GB


def read_pair(pair: Pair, wav: Path, audio_hash: str) -> Clip | Rejected:
    """Read what there is to note of a pair whose .wav is at hand."""
    if pair.txt.size > MAX_TRANSCRIPT_BYTES:
        return Fault.LONG_TRANSCRIPT.of(pair.txt.path, size_bytes=pair.txt.size)
    too_large = fault_of_size(pair.wav.path, pair.wav.size)
    if too_large:
        return too_large
    try:
        if wav.stat().st_size != pair.wav.size:
            return Fault.UNSETTLED.of(pair.wav.path)
        with at_hand(pair.txt.path) as txt:
            transcript = _first_bytes(txt, pair.txt.size + 1)
        wav_sha256 = sha256_of(wav)
        sizes_read = ((pair.wav, wav.stat().st_size), (pair.txt, len(transcript)))
        unsettled = [source for source, size in sizes_read if not _is_as_listed(source, size)]
    except OSError as error:
        return unreadable_pair(pair, error)
    if unsettled:
        return Fault.UNSETTLED.of(unsettled[0].path)
    txt_sha256 = hashlib.sha256(transcript).hexdigest()
    files = HashedFile(pair.wav, wav_sha256), HashedFile(pair.txt, txt_sha256)
    return Clip(pair.name, audio_hash, *files, text_of(transcript), transcript)


def _first_bytes(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        return file.read(most)


def unreadable_pair(pair: Pair, error: OSError) -> Rejected:
    """Say of which file of a pair reading failed."""
    is_of_txt = error.filename == str(pair.txt.path)  # nameless where reading fails, not opening
    return unreadable((pair.txt if is_of_txt else pair.wav).path, error)


def _is_as_listed(source: SourceFile, size_read: int) -> bool:
    if isinstance(source.path, RemotePath):
        return size_read == source.size  # asking again costs as much as reading; one replaced in time is seen next time
    status = source.path.stat()
    return (status.st_size, status.st_mtime_ns) == (source.size, source.mtime_ns)


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

    def keep(self, batch: _Batch, progress: Progress) -> None:
        """Wait for a batch and write it."""
        progress.advance(batch.heard - len(batch.asked))
        results = batch.pending.results(progress.advance)
        ready = [result for result in results if isinstance(result, EmbeddedSound)]
        if ready:
            with self._transactions.begin() as connection:
                operations.lock_registry(connection)  # nobody forgets meanwhile
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
        embedding.keep(batch, progress)
        for clip in batch.clips:
            if clip.audio_hash in embedding.unusable:
                cause = embedding.unusable[clip.audio_hash]
                rejected.append(Fault.NO_EMBEDDING_OF_CLIP.of(clip.wav.source.path, cause=cause))
            else:
                clips.append(clip)
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
        return unreadable_pair(pair, error)


def _read_new(pair: Pair, wav: Path) -> tuple[Clip, Audio] | Rejected:
    audio = read_audio_of(pair, wav)
    if isinstance(audio, Rejected):
        return audio
    clip = read_pair(pair, wav, audio.sound.audio_hash)
    return clip if isinstance(clip, Rejected) else (clip, audio)


def read_audio_of(pair: Pair, wav: Path) -> Audio | Rejected:
    """Decode a pair's audio; of one that cannot be used, look whether somebody is writing to it."""
    audio = read_audio(wav, pair.wav.path.suffix, is_settled=_is_settled(pair.wav))
    if not isinstance(audio, Rejected):
        return audio
    if not _is_as_listed(pair.wav, wav.stat().st_size):
        return Fault.UNSETTLED.of(pair.wav.path)
    return replace(audio, path=str(pair.wav.path))


def _is_settled(source: SourceFile) -> bool:
    """Tell whether a file has not changed for a while; one from the future was written by a clock that is wrong."""
    return abs(time.time_ns() - source.mtime_ns) >= SETTLED_S * NS


def read_only(pairs: Sequence[Pair]) -> list[tuple[Pair, str] | Rejected]:
    """Read new pairs only to see whether each can be used; of those that can, give the audio's hash too."""
    return list(in_order(_hash_or_fault, pairs, readers(pair.wav.path for pair in pairs)))


def _hash_or_fault(pair: Pair) -> tuple[Pair, str] | Rejected:
    found = read_new(pair)
    return found if isinstance(found, Rejected) else (pair, found[0].audio_hash)
