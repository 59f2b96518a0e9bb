"""Read the clips of a group: sort out what is new, embed it, and keep every vector as soon as it is there."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from registry.audio import Audio, read_audio
from registry.core.records import Rejected
from registry.embedding import batches, embed_all
from registry.ingest.model_in_use import ModelInUse
from registry.progress import Progress, Silent
from registry.scan import Pair, SourceFile
from registry.sources import sha256_of
from registry.store import embeddings, forgetting
from registry.store.clips import Clip, HashedFile
from registry.store.embeddings import EmbeddedAudio
from registry.store.transactions import Transactions

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
    for pair in pairs:
        if pair.name not in known:
            result.new.append(pair)
        elif (pair.wav, pair.txt) == tuple(file.source for file in known[pair.name]):
            result.unchanged.append(pair)
        else:
            _compare(pair, *known[pair.name], result)
    return result


def _compare(pair: Pair, known_wav: HashedFile, known_txt: HashedFile, result: Sorted) -> None:
    read = _read_pair(pair, audio_hash="")
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


def _read_pair(pair: Pair, audio_hash: str) -> Clip | Rejected:
    if pair.txt.size > MAX_TRANSCRIPT_BYTES:
        message = f"a transcript of {pair.txt.size} bytes; is it another file?"
        return Rejected(str(pair.txt.path), "too-long", message)
    try:
        transcript = pair.txt.path.read_bytes()
        wav = HashedFile(pair.wav, sha256_of(pair.wav.path))
        unsettled = [source for source in (pair.wav, pair.txt) if not _is_as_listed(source)]
    except OSError as error:
        path = error.filename or pair.wav.path  # nameless where reading fails, not opening
        return Rejected(str(path), "unreadable", f"{error.strerror}; make the file readable")
    if unsettled:
        message = "somebody is writing to it; ingest again once it is complete"
        return Rejected(str(unsettled[0].path), "unsettled", message)
    txt = HashedFile(pair.txt, hashlib.sha256(transcript).hexdigest())
    return Clip(pair.name, audio_hash, wav, txt, _text_of(transcript), transcript)


def _is_as_listed(source: SourceFile) -> bool:
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
class _Heard:
    """A new clip with its audio in memory."""

    clip: Clip
    audio: Audio


def embed_new(
    transactions: Transactions, pairs: Sequence[Pair], model: ModelInUse, rejected: list[Rejected], progress: Progress
) -> list[Clip]:
    """Read new pairs and see to it that the database holds an embedding of each one's audio.

    Batch by batch, each its own transaction: a killed run keeps what it embedded.

    Returns:
        The clips that can be linked, in order. Those that cannot be used are added to `rejected`; those that
        people had forgotten are left out.
    """
    clips: list[Clip] = []
    for heard_batch in batches(_hear(pairs, rejected, progress)):
        batch = _not_forgotten(transactions, heard_batch)
        unusable = _embed_batch(transactions, batch, model)
        for heard in batch:
            if heard.audio.audio_hash in unusable:
                message = f"{unusable[heard.audio.audio_hash]} Leave the clip out."
                rejected.append(Rejected(str(heard.clip.wav.source.path), "no-embedding", message))
            else:
                clips.append(heard.clip)
        progress.advance(len(heard_batch))
    return clips


def _not_forgotten(transactions: Transactions, batch: list[_Heard]) -> list[_Heard]:
    with transactions.begin() as connection:
        left_out = forgetting.forgotten(connection, [heard.audio.audio_hash for heard in batch])
    return [heard for heard in batch if heard.audio.audio_hash not in left_out]


def _hear(pairs: Iterable[Pair], rejected: list[Rejected], progress: Progress) -> Iterator[_Heard]:
    for pair in pairs:
        heard = _hear_one(pair)
        if isinstance(heard, Rejected):
            rejected.append(heard)
            progress.advance(1)
        else:
            yield heard


def _hear_one(pair: Pair) -> _Heard | Rejected:
    audio = read_audio(pair.wav.path)
    if isinstance(audio, Rejected):
        return audio
    clip = _read_pair(pair, audio.audio_hash)
    return clip if isinstance(clip, Rejected) else _Heard(clip, audio)


def _embed_batch(transactions: Transactions, batch: list[_Heard], model: ModelInUse) -> dict[str, str]:
    """Embed and keep what is not kept yet; say of which audio hashes the model could not embed, and why."""
    model_id = model.foundation.model_id
    by_hash = {heard.audio.audio_hash: heard for heard in batch}
    with transactions.begin() as connection:
        there = embeddings.embedded_hashes(connection, model_id, by_hash.keys())
    missing = [heard.audio for audio_hash, heard in by_hash.items() if audio_hash not in there]
    if not missing:
        return {}
    results = embed_all(missing, model.embedder)
    with transactions.begin() as connection:
        ready = [result for result in results if isinstance(result, EmbeddedAudio)]
        embeddings.save_embeddings(connection, model_id, ready)
    causes = zip(missing, results, strict=True)
    return {audio.audio_hash: cause for audio, cause in causes if isinstance(cause, str)}


def find_unreadable(pairs: Iterable[Pair]) -> list[Rejected]:
    """Read new pairs only to see whether each can be used."""
    rejected: list[Rejected] = []
    for _ in _hear(pairs, rejected, Silent()):
        pass
    return rejected
