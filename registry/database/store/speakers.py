"""Speakers: their numbers, the clips assigned to them, and their profiles."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, text

from registry.core.linking.decisions import Decision, KnownVoices
from registry.core.linking.voices import Voices
from registry.core.records import Group
from registry.database.store.arrays import copy_rows, to_matrix, transposed
from registry.database.store.models import Foundation
from registry.database.store.withdrawal import last_speakers

# The columns of a profile `p` that `as_voices` reads.
VOICE = "p.audios, p.inverse_s, p.narrowness, vector_send(p.mean)"
# Keeps the speakers `s` that a voice of a group may be: all speakers of the group's gender, or only the speakers with a
# number at the group's broadcaster.
IN_SCOPE = """
    s.gender = :gender AND (:scope = 'registry' OR EXISTS (
        SELECT FROM speaker_number n
        WHERE n.speaker_id = s.speaker_id AND n.broadcaster = :broadcaster AND n.to_operation IS NULL))
"""


def known_voices(
    connection: Connection, foundation: Foundation, group: Group, audio_ids: Sequence[int], strangers: Voices
) -> KnownVoices:
    """Gather what the recordings of a group are compared with: profiles, recordings heard before, people's decisions.

    Args:
        connection: Where all is read.
        foundation: What the registry is built on.
        group: The group.
        audio_ids: Keys of the group's recordings.
        strangers: Clips of the other gender.
    """
    asked = {
        "gender": group.gender,
        "broadcaster": group.broadcaster,
        "scope": foundation.scope,
        "model_id": foundation.model_id,
        "audio_ids": list(audio_ids),
    }
    profiles = connection.execute(
        text(f"""
        SELECT s.speaker_id, {VOICE}
        FROM speaker s JOIN profile p USING (speaker_id)
        WHERE p.model_id = :model_id AND {IN_SCOPE}
        ORDER BY s.speaker_id
        """),  # noqa: S608 - a constant of this module
        asked,
    ).all()
    heard = connection.execute(
        text(f"""
        SELECT c.audio_id, min(a.speaker_id)
        FROM clip c JOIN assignment a ON a.clip_id = c.clip_id AND a.to_operation IS NULL
        JOIN speaker s USING (speaker_id)
        WHERE c.audio_id = ANY(CAST(:audio_ids AS bigint[])) AND {IN_SCOPE} AND NOT EXISTS (
            SELECT FROM verdict v JOIN clip same_audio ON same_audio.clip_id = v.clip_id
            WHERE v.kind = 'rejected' AND v.speaker_id = a.speaker_id AND v.to_operation IS NULL
            AND same_audio.audio_id = c.audio_id)
        GROUP BY c.audio_id
        """),  # noqa: S608 - a constant of this module
        asked,
    ).all()
    return KnownVoices(
        [row[0] for row in profiles],
        as_voices([row[1:] for row in profiles], foundation.dimension),
        strangers,
        _in_scope(connection, last_speakers(connection, audio_ids), asked) | {row[0]: row[1] for row in heard},
        speakers_apart(connection),
        confirmed_speakers(connection),
    )


def _in_scope(connection: Connection, of_audio: Mapping[int, int], asked: Mapping[str, object]) -> dict[int, int]:
    """Keep the entries, recording -> speaker, whose speaker is in scope; `asked` has the values for IN_SCOPE."""
    among = "SELECT s.speaker_id FROM speaker s WHERE s.speaker_id = ANY(CAST(:found AS bigint[])) AND"
    query = text(f"{among} {IN_SCOPE}")
    found = set(connection.execute(query, {**asked, "found": list(of_audio.values())}).scalars())
    return {audio_id: speaker_id for audio_id, speaker_id in of_audio.items() if speaker_id in found}


def speakers_apart(connection: Connection) -> list[tuple[int, int]]:
    """List the pairs of speakers that are two voices because of what a person decided.

    A person said that the two are different, or that a clip of one is not the other, or gave them different names.
    """
    query = text("""
        SELECT speaker_id, other_id FROM verdict WHERE kind = 'different' AND to_operation IS NULL
        UNION
        SELECT v.speaker_id, a.speaker_id FROM verdict v
        JOIN assignment a ON a.clip_id = v.clip_id AND a.to_operation IS NULL
        WHERE v.kind = 'rejected' AND v.to_operation IS NULL AND a.speaker_id <> v.speaker_id
        UNION
        SELECT one.speaker_id, other.speaker_id FROM speaker_name one JOIN speaker_name other
            ON one.speaker_id < other.speaker_id AND one.name <> other.name AND one.name <> '' AND other.name <> ''
        WHERE one.to_operation IS NULL AND other.to_operation IS NULL
    """)
    return [(row[0], row[1]) for row in connection.execute(query)]


def confirmed_speakers(connection: Connection) -> list[int]:
    """List the speakers that a person confirmed as a whole, in order of key."""
    query = text("""
        SELECT DISTINCT speaker_id FROM verdict
        WHERE kind = 'confirmed' AND clip_id IS NULL AND to_operation IS NULL ORDER BY 1
    """)
    return list(connection.execute(query).scalars())


def add_speakers(connection: Connection, gender: str, count: int, operation_id: int) -> list[int]:
    """Make `count` new speakers of a gender, and give their keys, rising."""
    query = text("""
        INSERT INTO speaker (gender, operation_id)
        SELECT :gender, :operation_id FROM generate_series(1, :count) RETURNING speaker_id
    """)
    added = connection.execute(query, {"gender": gender, "operation_id": operation_id, "count": count})
    return sorted(added.scalars())


def numbers_held(connection: Connection, group: Group, speaker_ids: Collection[int]) -> tuple[dict[int, int], int]:
    """Give the numbers at the broadcaster of a group.

    Returns:
        Speaker -> number, for each of the speakers that has a number there.
        The highest number ever given there to the group's gender, 0 if none was.
    """
    place = {"broadcaster": group.broadcaster, "gender": group.gender}
    held = connection.execute(
        text("""
        SELECT speaker_id, number FROM speaker_number
        WHERE broadcaster = :broadcaster AND speaker_id = ANY(CAST(:speaker_ids AS bigint[]))
          AND to_operation IS NULL AND NOT is_alias
        """),
        {**place, "speaker_ids": list(speaker_ids)},
    )
    last = connection.execute(
        text("""
        SELECT coalesce(max(number), 0) FROM speaker_number
        WHERE broadcaster = :broadcaster AND gender = :gender
        """),
        place,
    )
    return {row[0]: row[1] for row in held}, int(last.scalar_one())


def add_numbers(connection: Connection, group: Group, numbers: Mapping[int, int], operation_id: int) -> None:
    """Give speakers their numbers at the broadcaster of a group: speaker -> number."""
    query = text("""
        INSERT INTO speaker_number (broadcaster, gender, number, speaker_id, from_operation)
        SELECT :broadcaster, :gender, number, speaker_id, :operation_id
        FROM unnest(CAST(:speaker_ids AS bigint[]), CAST(:numbers AS int[])) AS given (speaker_id, number)
    """)
    connection.execute(
        query,
        {
            "broadcaster": group.broadcaster,
            "gender": group.gender,
            "operation_id": operation_id,
            "speaker_ids": list(numbers.keys()),
            "numbers": list(numbers.values()),
        },
    )


def assign(
    connection: Connection,
    decisions: Iterable[tuple[Decision, int]],
    clips_of_audio: Mapping[int, Sequence[int]],
    operation_id: int,
) -> None:
    """Assign clips to speakers.

    Args:
        connection: In a transaction.
        decisions: Decisions, each with the key of its speaker, also where the decision is for a new speaker.
        clips_of_audio: Recording -> keys of the clips that carry it.
        operation_id: The operation that decided.
    """
    columns = {
        "clip_id": "int8",
        "speaker_id": "int8",
        "reason": "text",
        "score": "float4",
        "probability": "float4",
        "runner_up_id": "int8",
        "runner_up_score": "float4",
        "runner_up_probability": "float4",
        "builds_profile": "bool",
    }
    rows = (
        (
            clip_id,
            speaker_id,
            decision.reason,
            decision.score,
            decision.probability,
            decision.runner_up_id,
            decision.runner_up_score,
            decision.runner_up_probability,
            audio_id not in decision.doubtful_ids,
        )
        for decision, speaker_id in decisions
        for audio_id in decision.audio_ids
        for clip_id in clips_of_audio[audio_id]
    )
    copy_rows(connection, "incoming_assignment", columns, rows)
    connection.execute(
        text("""
        INSERT INTO assignment (clip_id, speaker_id, reason, score, probability,
                                runner_up_id, runner_up_score, runner_up_probability, builds_profile, from_operation)
        SELECT clip_id, speaker_id, reason, score, probability,
               runner_up_id, runner_up_score, runner_up_probability, builds_profile, :operation_id
        FROM incoming_assignment ORDER BY clip_id
        """),
        {"operation_id": operation_id},
    )


# The profiles of speakers, under every model, from the recordings of their clips. A recording counts once however many
# clips carry it, such as an advert that was heard a hundred times. Recordings are added up in the order of their audio
# hashes, so that the same clips give the same bits in any registry. Clips that must not build a profile count only
# where their speaker has no others. The condition chooses among the assignments `a`.
PROFILES = """
    SELECT speaker_id, model_id, avg(l2_normalize(vector) ORDER BY audio_hash) AS mean,
           count(*)::int AS audios, sum(CAST(duration_s AS float8) ORDER BY audio_hash) AS duration_s,
           avg(1 / duration_s ORDER BY audio_hash) AS inverse_s,
           avg(coalesce(narrowness, 0) ORDER BY audio_hash) AS narrowness
    FROM (SELECT a.speaker_id, c.audio_id, bool_or(a.builds_profile) AS builds,
                 bool_or(bool_or(a.builds_profile)) OVER (PARTITION BY a.speaker_id) AS any_builds
          FROM assignment a JOIN clip c USING (clip_id)
          WHERE a.to_operation IS NULL {condition} GROUP BY a.speaker_id, c.audio_id) member
    JOIN audio USING (audio_id) JOIN embedding USING (audio_id)
    WHERE builds OR NOT any_builds
    GROUP BY speaker_id, model_id
"""


def refresh_profiles(connection: Connection, speaker_ids: Collection[int]) -> None:
    """Recompute the profiles of some speakers from their clips, under every model. No clips, no profile.

    The speakers are marked as never judged.
    """
    members = PROFILES.format(condition="AND a.speaker_id = ANY(CAST(:speaker_ids AS bigint[]))")
    values = {"speaker_ids": list(speaker_ids)}
    for table in ("profile", "judgement"):
        connection.execute(
            text(f"DELETE FROM {table} WHERE speaker_id = ANY(CAST(:speaker_ids AS bigint[]))"),  # noqa: S608
            values,
        )
    connection.execute(
        text(f"INSERT INTO profile (speaker_id, model_id, mean, audios, duration_s, inverse_s, narrowness) {members}"),
        values,
    )


# The speakers whose profiles the operation :operation_id lets grow without being recomputed.
# opened: the recordings of the clips that the operation assigned, by speaker.
# came: the same, with whether the recording was part of the speaker before, and if so whether it built the profile.
# grown: the speakers from whom the operation took no clip, who had a clip that builds the profile before, and none of
#        whose recordings begins to build the profile only now.
CAME = """
    WITH opened AS (
        SELECT a.speaker_id, c.audio_id, bool_or(a.builds_profile) AS builds
        FROM assignment a JOIN clip c USING (clip_id)
        WHERE a.from_operation = :operation_id AND a.to_operation IS NULL GROUP BY a.speaker_id, c.audio_id),
    came AS (
        SELECT opened.*, (
            SELECT bool_or(a.builds_profile) FROM clip c JOIN assignment a USING (clip_id)
            WHERE c.audio_id = opened.audio_id AND a.speaker_id = opened.speaker_id
              AND a.to_operation IS NULL AND a.from_operation <> :operation_id) AS built
        FROM opened),
    grown AS (
        SELECT speaker_id FROM came
        GROUP BY speaker_id HAVING NOT bool_or(builds AND NOT coalesce(built, true))
           AND (SELECT a.builds_profile FROM assignment a
                WHERE a.speaker_id = came.speaker_id AND a.to_operation IS NULL AND a.builds_profile
                  AND a.from_operation <> :operation_id LIMIT 1)
           AND NOT EXISTS (
               SELECT FROM assignment a WHERE a.to_operation = :operation_id AND a.speaker_id = came.speaker_id))
"""
# The state of pgvector's own avg() of vectors, in double precision: how many vectors, and their sum.
SUMS = "ARRAY[CAST({row}.audios AS float8)] || ARRAY(SELECT x * {row}.audios FROM unnest({row}.mean::real[]) x)"


def grow_profiles(connection: Connection, operation_id: int) -> set[int]:
    """Add the recordings that an operation assigned to the profiles of speakers from whom it took nothing.

    The cost does not depend on how many clips the speakers had before. Sums are kept in double precision, so that a
    profile stays the mean over its clips after any number of nights.

    Returns:
        The speakers whose profiles are up to date now.
    """
    values = {"operation_id": operation_id}
    grown = set(connection.execute(text(f"{CAME} SELECT speaker_id FROM grown"), values).scalars())  # noqa: S608 - a constant
    connection.execute(
        text(f"""
        {CAME}, more AS (
            SELECT speaker_id, model_id, avg(l2_normalize(vector) ORDER BY audio_hash) AS mean,
                   count(*)::int AS audios, sum(CAST(duration_s AS float8) ORDER BY audio_hash) AS duration_s,
                   sum(1 / CAST(duration_s AS float8) ORDER BY audio_hash) AS inverse_s,
                   sum(CAST(coalesce(narrowness, 0) AS float8) ORDER BY audio_hash) AS narrowness
            FROM grown JOIN came USING (speaker_id) JOIN audio USING (audio_id) JOIN embedding USING (audio_id)
            WHERE builds AND built IS NULL GROUP BY speaker_id, model_id),
        whole AS (
            SELECT p.speaker_id, p.model_id, p.audios + more.audios AS audios,
                   p.duration_s + more.duration_s AS duration_s,
                   (p.inverse_s * p.audios + more.inverse_s) / (p.audios + more.audios) AS inverse_s,
                   (p.narrowness * p.audios + more.narrowness) / (p.audios + more.audios) AS narrowness,
                   vector_combine(coalesce(p.sums, {SUMS.format(row="p")}), {SUMS.format(row="more")}) AS sums
            FROM more JOIN profile p USING (speaker_id, model_id))
        UPDATE profile p SET sums = whole.sums, mean = vector_avg(whole.sums), audios = whole.audios,
                             duration_s = whole.duration_s, inverse_s = whole.inverse_s, narrowness = whole.narrowness
        FROM whole WHERE p.speaker_id = whole.speaker_id AND p.model_id = whole.model_id
        """),  # noqa: S608 - constants of this module
        values,
    )
    return grown


def all_voices(connection: Connection, foundation: Foundation, gender: str) -> tuple[list[int], Voices]:
    """Give all speakers of a gender: their keys (s,), rising, and their profiles under the deciding model (s)."""
    query = text(f"""
        SELECT p.speaker_id, {VOICE} FROM profile p JOIN speaker s USING (speaker_id)
        WHERE p.model_id = :model_id AND s.gender = :gender ORDER BY p.speaker_id
    """)  # noqa: S608 - a constant of this module
    rows = connection.execute(query, {"model_id": foundation.model_id, "gender": gender}).all()
    return [row[0] for row in rows], as_voices([row[1:] for row in rows], foundation.dimension)


def as_voices(rows: Sequence[Sequence[Any]], dimension: int) -> Voices:
    """Make a set of each profile (k), from rows (k) of the columns VOICE."""
    sizes, inverse_s, narrowness, means = transposed(rows, 4)
    return Voices(
        to_matrix(means, dimension),
        np.array(sizes, dtype=np.int64),
        np.array(inverse_s, dtype=np.float32),
        np.array(narrowness, dtype=np.float32),
    )
