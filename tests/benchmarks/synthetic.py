"""A registry of any size, made by COPY: years of nights of made-up voices, consistent in every table.

A vector is the voice's direction and noise: the cosine of two clips is 0.6 on average for one voice, 0.1 for two.
"""

import datetime as dt
import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, Engine, text

from registry.core.records import Floats, Gender, Group, Integers
from registry.database.store.models import Foundation, lay_foundation
from registry.database.store.speakers import PROFILES
from registry.database.store.totals import NIGHTS, TOTALS

DIMENSION = 192
ONE_VOICE, STRANGERS = 0.6, 0.1  # mean cosines
CLIPS_OF_A_SPEAKER = 20
CLIPS_OF_A_GROUP = 250
HOST_SHARE = 0.044  # of the clips of every night at a station, for each gender: over 10,000 of a million
GUEST_SHARE = 0.1  # of the clips at a station are of people who belong to the other one
BROADCASTERS = ("andaiafm", "radiox")
GENDERS: tuple[Gender, Gender] = ("F", "M")
PLACES = len(BROADCASTERS) * len(GENDERS)
FIRST_NIGHT = dt.date(2000, 1, 1)
BLOCK = 20_000  # vectors made and sent together: 15 MB
FILE_TIME_NS = 1_600_000_000_000_000_000
WAV_HEAD = (
    b"RIFF\x2c\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"  # PCM, mono
    b"\x80>\x00\x00\x00}\x00\x00\x02\x00\x10\x00data\x08\x00\x00\x00"  # 16 kHz, 16 bit, 8 bytes to come
)
COPY_HEAD, COPY_END = b"PGCOPY\n\xff\r\n\x00" + bytes(8), b"\xff\xff"


@dataclass(frozen=True)
class History:
    """Who is heard in which clip; speaker s has the key s + 1, clip c the key c + 1, a group likewise."""

    speaker: Integers  # (n,)
    group: Integers  # (n,) rising
    duration_s: Floats  # (n,)


def write_history(clips: int, seed: int = 1) -> History:
    """Draw who is heard when. Speaker s belongs to the place s % PLACES; the first of each place is its host."""
    rng = np.random.default_rng(seed)
    group = np.arange(clips) // CLIPS_OF_A_GROUP
    place = group % PLACES
    speakers = max(PLACES, clips // CLIPS_OF_A_SPEAKER)
    speaker = np.empty(clips, dtype=np.int64)
    for here in range(PLACES):
        own = np.flatnonzero(place == here)
        speaker[own] = here + PLACES * _ranks(len(own), len(range(here, speakers, PLACES)), rng)
    once = np.bincount(speaker, minlength=speakers) == 1
    is_guest = (rng.random(clips) < GUEST_SHARE) & (speaker >= PLACES) & ~once[speaker]
    is_guest[np.unique(speaker, return_index=True)[1]] = False  # at home first
    elsewhere = speaker + np.where(speaker % PLACES < len(GENDERS), 1, -1) * len(GENDERS)
    speaker = np.where(is_guest & (elsewhere < speakers), elsewhere, speaker)
    return History(speaker, group, (1 + rng.lognormal(1.2, 0.6, clips)).astype(np.float32))


def _ranks(clips: int, speakers: int, rng: np.random.Generator) -> Integers:
    """Draw a rank among a place's speakers for each clip: the host's 0 often, every other at least once."""
    if speakers < 2 or clips < 2 * speakers:
        return np.arange(clips) % speakers
    weights = rng.lognormal(0, 1, speakers - 1)
    ranks = 1 + rng.choice(speakers - 1, clips, p=weights / weights.sum())
    ranks[rng.permutation(clips)[: speakers - 1]] = np.arange(1, speakers)
    hosted = np.flatnonzero(np.arange(clips) % CLIPS_OF_A_GROUP >= (1 - HOST_SHARE) * CLIPS_OF_A_GROUP)
    _, first = np.unique(ranks, return_index=True)
    ranks[np.setdiff1d(hosted, first)] = 0
    return ranks


def group_of(number: int) -> Group:
    """Name the group with an index: the places in turn, a night after the other."""
    place = number % PLACES
    night = FIRST_NIGHT + dt.timedelta(days=number // PLACES)
    return Group(night, BROADCASTERS[place // len(GENDERS)], GENDERS[place % len(GENDERS)])


def voices(count: int, seed: int = 1) -> Floats:
    """Draw the directions (count, DIMENSION) of voices, unit length."""
    common = _units(1, np.random.default_rng(0))
    alike = STRANGERS / ONE_VOICE
    drawn = np.sqrt(alike) * common + np.sqrt(1 - alike) * _units(count, np.random.default_rng(seed))
    units: Floats = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    return units


def spoken(directions: Floats, rng: np.random.Generator, one_voice: float = ONE_VOICE) -> Floats:
    """Make one clip's vector of each direction (n, DIMENSION), unit length but for chance."""
    noise = _units(len(directions), rng)
    vectors: Floats = (np.sqrt(one_voice) * directions + np.sqrt(1 - one_voice) * noise).astype(np.float32)
    return vectors


def _units(count: int, rng: np.random.Generator) -> Floats:
    drawn = rng.standard_normal((count, DIMENSION), dtype=np.float32)
    units: Floats = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return units


def fill(engine: Engine, clips: int, folder: Path, seed: int = 1) -> Foundation:
    """Fill an empty registry; its files would lie below a folder, see `write_files`."""
    history = write_history(clips, seed)
    with engine.begin() as connection:
        for setting in SETTINGS:
            connection.exec_driver_sql(setting)
        foundation = lay_foundation(connection, "campplus", "synthetic", DIMENSION, "registry")
        indexes = _drop_vector_indexes(connection)
        _copy_history(connection, history)
        _run(connection, TABLES, folder)
        _copy_embeddings(connection, history, foundation.model_id, seed)
        _run(connection, DERIVED)
        for statement in (*indexes, *AFTERWARDS):
            connection.exec_driver_sql(statement)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
    return foundation


DERIVED = (
    "INSERT INTO profile (speaker_id, model_id, mean, audios, duration_s, inverse_s, narrowness) "
    + PROFILES.format(condition=""),
    "INSERT INTO judgement (speaker_id, audios) SELECT speaker_id, audios FROM profile",  # as nights leave it
    "INSERT INTO certainty (clip_id, probability) SELECT clip_id, 0.9 FROM clip ORDER BY clip_id",
    f"INSERT INTO speaker_night {NIGHTS}",
    f"INSERT INTO speaker_total {TOTALS}",
)
SETTINGS = (
    "SET LOCAL maintenance_work_mem = '1500MB'",
    "SET LOCAL max_parallel_maintenance_workers = 2",
    "SET LOCAL work_mem = '256MB'",
    "SET LOCAL synchronous_commit = off",
    "SET LOCAL session_replication_role = replica",  # no look-up of every foreign key; `registry check` says the same
)
# Each speaker's number counts from 1 at a broadcaster in the order of first hearing.
TABLES = (
    """INSERT INTO operation (operation_id, kind, user_name, command, summary)
       SELECT DISTINCT group_id, 'ingest', 'synthetic', 'registry ingest', '{}'::jsonb FROM history""",
    """INSERT INTO clip_group (group_id, broadcaster, gender, date) OVERRIDING SYSTEM VALUE
       SELECT group_id, (CAST(:broadcasters AS text[]))[(group_id - 1) % 4 / 2 + 1],
              (ARRAY['F', 'M'])[(group_id - 1) % 2 + 1], CAST(:first_night AS date) + ((group_id - 1) / 4)::int
       FROM (SELECT DISTINCT group_id FROM history) made""",
    """INSERT INTO audio (audio_id, audio_hash, duration_s, sample_rate_hz, channels) OVERRIDING SYSTEM VALUE
       SELECT clip_id, sha256('audio' || int8send(clip_id)), duration_s, 16000, 1 FROM history ORDER BY clip_id""",
    """INSERT INTO clip (clip_id, group_id, name, audio_id, transcript, wav_path, wav_size, wav_mtime_ns, wav_sha256,
                         txt_path, txt_size, txt_mtime_ns, txt_sha256, txt_content, operation_id)
       OVERRIDING SYSTEM VALUE
       SELECT clip_id, group_id, name, clip_id, transcript, stem || '.wav', 52, :time_ns,
              sha256(CAST(:wav_head AS bytea) || int8send(clip_id)), stem || '.txt', length(content), :time_ns,
              sha256(content), content, group_id
       FROM history JOIN clip_group g USING (group_id)
       CROSS JOIN LATERAL (SELECT 'mclip-' || lpad(clip_id::text, 8, '0') AS name,
                                  'bom dia, aqui fala a voz da noite ' || clip_id AS transcript) named
       CROSS JOIN LATERAL (SELECT :folder || '/' || broadcaster || '_' || gender || to_char(date, 'YYYYMMDD')
                                  || '/' || name AS stem, convert_to(transcript || E'\n', 'UTF8') AS content) placed
       ORDER BY clip_id""",
    """INSERT INTO speaker (speaker_id, gender, operation_id) OVERRIDING SYSTEM VALUE
       SELECT speaker_id, (ARRAY['F', 'M'])[(speaker_id - 1) % 2 + 1], min(group_id)
       FROM history GROUP BY speaker_id ORDER BY speaker_id""",
    """INSERT INTO speaker_number (broadcaster, gender, number, speaker_id, from_operation)
       SELECT broadcaster, gender, row_number() OVER (PARTITION BY broadcaster, gender ORDER BY min(clip_id)),
              speaker_id, min(group_id)
       FROM history JOIN clip_group USING (group_id) GROUP BY broadcaster, gender, speaker_id
       ORDER BY min(clip_id)""",
    """INSERT INTO assignment (clip_id, speaker_id, reason, score, probability, from_operation)
       SELECT clip_id, speaker_id, CASE WHEN group_id = operation_id THEN 'new' ELSE 'matched' END,
              CASE WHEN group_id <> operation_id THEN 0.75 END, CASE WHEN group_id <> operation_id THEN 0.99 END,
              group_id
       FROM history JOIN speaker USING (speaker_id) ORDER BY clip_id""",
)
SEQUENCES = {"audio": "audio_id", "clip_group": "group_id", "clip": "clip_id", "speaker": "speaker_id"}
AFTERWARDS = tuple(
    f"SELECT setval(pg_get_serial_sequence('{table}', '{key}'), (SELECT max({key}) FROM {table}))"
    for table, key in SEQUENCES.items()
)


def _run(connection: Connection, statements: Iterable[str], folder: Path = Path("/")) -> None:
    values = {
        "broadcasters": list(BROADCASTERS),
        "first_night": FIRST_NIGHT,
        "time_ns": FILE_TIME_NS,
        "wav_head": WAV_HEAD,
        "folder": str(folder),
    }
    for statement in statements:
        query = text(statement)
        connection.execute(query, {name: values[name] for name in query.compile().params})


def _drop_vector_indexes(connection: Connection) -> list[str]:
    """Drop the vector indexes and give what makes them again."""
    query = """
        SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND indexdef LIKE '%USING hnsw%'
    """
    found = connection.exec_driver_sql(query.replace("%", "%%")).all()
    for name, _ in found:
        connection.exec_driver_sql(f"DROP INDEX {name}")
    return [statement for _, statement in found]


def _copy_history(connection: Connection, history: History) -> None:
    kinds = {"clip_id": "int8", "speaker_id": "int8", "group_id": "int8", "duration_s": "float4"}
    declared = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE history ({declared}) ON COMMIT DROP")
    rows = _rows(len(history.speaker), (("clip_id", ">i8"), ("speaker_id", ">i8"), ("group_id", ">i8"), ("s", ">f4")))
    rows["clip_id"] = np.arange(len(rows)) + 1
    rows["speaker_id"], rows["group_id"], rows["s"] = history.speaker + 1, history.group + 1, history.duration_s
    _send(connection, "history", [rows.tobytes()])
    connection.exec_driver_sql("ANALYZE history")


def _copy_embeddings(connection: Connection, history: History, model_id: int, seed: int) -> None:
    directions = voices(int(history.speaker.max()) + 1, seed)

    def blocks() -> Iterator[bytes]:
        rng = np.random.default_rng([seed, 1])
        for start in range(0, len(history.speaker), BLOCK):
            heard = history.speaker[start : start + BLOCK]
            vector = (("dimension", ">i2"), ("unused", ">i2"), ("vector", ">f4", (DIMENSION,)))
            rows = _rows(len(heard), (("audio_id", ">i8"), ("model_id", ">i2"), ("sent", list(vector))))
            rows["audio_id"] = np.arange(start, start + len(heard)) + 1
            rows["model_id"] = model_id
            rows["sent"]["dimension"] = DIMENSION
            rows["sent"]["vector"] = spoken(directions[heard], rng)
            yield rows.tobytes()

    _send(connection, "embedding (audio_id, model_id, vector)", blocks())


def _rows(count: int, columns: tuple[tuple[str, object], ...]) -> np.ndarray:
    """Lay out rows of binary COPY: how many columns, and before each how many bytes."""
    fields: list[tuple[str, object]] = [("columns", ">i2")]
    for name, kind in columns:
        fields += [(f"bytes of {name}", ">i4"), (name, kind)]
    rows = np.zeros(count, dtype=fields)
    rows["columns"] = len(columns)
    for name, _ in columns:
        rows[f"bytes of {name}"] = rows.dtype[name].itemsize
    return rows


def _send(connection: Connection, target: str, blocks: Iterable[bytes]) -> None:
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor().copy(f"COPY {target} FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(COPY_HEAD)
        for block in blocks:
            copy.write(block)
        copy.write(COPY_END)


def write_files(engine: Engine, groups: Iterable[int]) -> None:
    """Write the files of the clips of some groups where the registry says that they are."""
    query = text("SELECT clip_id, wav_path, txt_path, txt_content FROM clip WHERE group_id = ANY(:groups)")
    with engine.connect() as connection:
        rows = connection.execute(query, {"groups": list(groups)}).all()
    for folder in {Path(row.wav_path).parent for row in rows}:
        folder.mkdir(parents=True, exist_ok=True)
    for row in rows:
        for path, content in ((row.wav_path, wav_bytes(row.clip_id)), (row.txt_path, row.txt_content)):
            Path(path).write_bytes(content)
            os.utime(path, ns=(FILE_TIME_NS, FILE_TIME_NS))


def wav_bytes(clip_id: int) -> bytes:
    """Give the file of a clip: four samples that no other has."""
    return WAV_HEAD + clip_id.to_bytes(8, "big")


def hash_of(word: str) -> str:
    """Make up a SHA-256, hex."""
    return hashlib.sha256(word.encode()).hexdigest()
