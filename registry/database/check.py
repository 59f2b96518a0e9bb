"""Invariants of a registry, as queries that must return no rows."""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from registry.database import views
from registry.database.store.forgetting import FORGOTTEN
from registry.database.store.speakers import PROFILES
from registry.database.store.tables import columns_naming, speaker, speaker_number
from registry.database.store.totals import NIGHTS, TOTALS

SHOWN_ROWS = 5  # of a broken invariant; enough to find the fault by
ROUNDING = 1e-5  # of a profile's mean kept in single precision
SHORTER_S = 0.001  # than any clip; sums of seconds are exact, in any order
# Vectors of two dimensions, two models that decide, a function lost: what is so wrong that a query about it fails.
BEYOND_COMPARE = (psycopg.DataError, psycopg.errors.CardinalityViolation, psycopg.errors.UndefinedFunction)
VIEWS = "the views and functions are there, as this version makes them"

# Every column that names a speaker; of numbers those that stand, for a retired one keeps its row.
LEADING_TO_SPEAKERS = " UNION ALL ".join(
    f"SELECT '{column.table.name}' AS what, {column.name} AS speaker_id FROM {column.table.name}"  # noqa: S608
    + (" WHERE to_operation IS NULL" if column.table is speaker_number else "")
    for column in columns_naming(speaker)
)

INVARIANTS = {
    "every clip has exactly one speaker, unless its ingest was undone or it was withdrawn": """
        SELECT c.clip_id, count(now.assignment_id) AS speakers
        FROM clip c LEFT JOIN assignment now ON now.clip_id = c.clip_id AND now.to_operation IS NULL
        GROUP BY c.clip_id
        HAVING count(now.assignment_id) > 1 OR count(now.assignment_id) = 0 AND coalesce((
            SELECT o.kind FROM assignment last JOIN operation o ON o.operation_id = last.to_operation
            WHERE last.clip_id = c.clip_id ORDER BY last.to_operation DESC LIMIT 1), '')
            NOT IN ('undo', 'withdraw', 'replace')
    """,
    "a name stands for one clip of its group": """
        SELECT c.group_id, c.name, count(DISTINCT c.clip_id) AS clips
        FROM clip c JOIN assignment a ON a.clip_id = c.clip_id AND a.to_operation IS NULL
        GROUP BY c.group_id, c.name HAVING count(DISTINCT c.clip_id) > 1
    """,
    "every clip has an embedding under the registry's model": """
        SELECT c.clip_id FROM clip c JOIN assignment a ON a.clip_id = c.clip_id AND a.to_operation IS NULL
        WHERE NOT EXISTS (SELECT FROM embedding e WHERE e.audio_id = c.audio_id AND e.model_id = deciding_model())
    """,
    "at most one model was chosen to decide": """
        SELECT min(model_id), max(model_id) FROM model_role WHERE to_operation IS NULL AND role = 'deciding'
        HAVING count(*) > 1
    """,
    "a model that decides, or is kept beside, is known and has one role": """
        SELECT r.model_id, count(*) FROM model_role r LEFT JOIN embedding_model m USING (model_id)
        WHERE r.to_operation IS NULL GROUP BY r.model_id HAVING count(*) > 1 OR count(m.model_id) = 0
    """,
    "a model that was calibrated is known and has one set of constants": """
        SELECT c.model_id, count(*) FROM calibration c LEFT JOIN embedding_model m USING (model_id)
        WHERE c.to_operation IS NULL GROUP BY c.model_id HAVING count(*) > 1 OR count(m.model_id) = 0
    """,
    "every embedding has its model's dimension": """
        SELECT e.audio_id, e.model_id, vector_dims(e.vector) FROM embedding e JOIN embedding_model m USING (model_id)
        WHERE vector_dims(e.vector) <> m.dimension OR vector_norm(e.vector) = 0
    """,
    "a speaker who ever had clips at a broadcaster has a number there": """
        SELECT DISTINCT a.speaker_id, g.broadcaster
        FROM assignment a JOIN clip c USING (clip_id) JOIN clip_group g USING (group_id)
        LEFT JOIN speaker_number n ON n.speaker_id = a.speaker_id AND n.broadcaster = g.broadcaster
        WHERE n.number IS NULL
    """,
    "numbers at a broadcaster count up from 1 without gaps": """
        SELECT broadcaster, gender, max(number), count(DISTINCT number) FROM speaker_number
        GROUP BY broadcaster, gender HAVING max(number) <> count(DISTINCT number) OR min(number) <> 1
    """,
    "a speaker with clips at a broadcaster has one number there now": """
        SELECT a.speaker_id, g.broadcaster
        FROM assignment a JOIN clip c USING (clip_id) JOIN clip_group g USING (group_id)
        LEFT JOIN speaker_number n ON n.speaker_id = a.speaker_id AND n.broadcaster = g.broadcaster
            AND n.to_operation IS NULL AND NOT n.is_alias
        WHERE a.to_operation IS NULL
        GROUP BY a.speaker_id, g.broadcaster HAVING count(DISTINCT n.number) <> 1
    """,
    "an alias leads to a number": """
        SELECT alias.broadcaster, alias.gender, alias.number FROM speaker_number alias
        WHERE alias.is_alias AND alias.to_operation IS NULL AND NOT EXISTS (
            SELECT FROM speaker_number n WHERE n.speaker_id = alias.speaker_id AND n.broadcaster = alias.broadcaster
            AND n.to_operation IS NULL AND NOT n.is_alias)
    """,
    "names and verdicts are about speakers that have a number": """
        SELECT said.what, said.speaker_id
        FROM (SELECT 'name' AS what, speaker_id FROM speaker_name WHERE to_operation IS NULL
              UNION ALL SELECT kind, speaker_id FROM verdict WHERE to_operation IS NULL
              UNION ALL SELECT kind, other_id FROM verdict WHERE to_operation IS NULL AND kind = 'different') said
        WHERE NOT EXISTS (
            SELECT FROM speaker_number n
            WHERE n.speaker_id = said.speaker_id AND n.to_operation IS NULL AND NOT n.is_alias)
    """,
    "what people decided about a clip is so": """
        SELECT v.verdict_id, v.kind, v.clip_id, v.speaker_id, a.speaker_id AS now
        FROM verdict v JOIN assignment a ON a.clip_id = v.clip_id AND a.to_operation IS NULL
        WHERE v.to_operation IS NULL AND (v.kind = 'confirmed') <> (a.speaker_id = v.speaker_id)
    """,
    "a number carries its speaker's gender": """
        SELECT n.broadcaster, n.gender, n.number FROM speaker_number n JOIN speaker s USING (speaker_id)
        WHERE n.gender <> s.gender
    """,
    "a clip's speaker is of the clip's gender": """
        SELECT c.clip_id, a.speaker_id
        FROM assignment a JOIN clip c USING (clip_id) JOIN clip_group g USING (group_id)
        JOIN speaker s USING (speaker_id)
        WHERE a.to_operation IS NULL AND s.gender <> g.gender
    """,
    "profiles equal the mean over their clips": f"""
        SELECT coalesce(p.speaker_id, r.speaker_id) AS speaker_id, p.audios, r.audios AS recomputed
        FROM profile p FULL JOIN ({PROFILES.format(condition="")}) r USING (speaker_id, model_id)
        WHERE (p.audios IS DISTINCT FROM r.audios OR p.mean <-> r.mean > {ROUNDING}
               OR abs(p.duration_s / r.duration_s - 1) > {ROUNDING}
               OR abs(p.narrowness - r.narrowness) > {ROUNDING})
          AND (p.speaker_id IS NOT NULL OR r.model_id = deciding_model())
    """,  # noqa: S608 - constants of ours; under another model profiles are completed when its reembed ends
    "what is kept of a speaker's nights is what its clips add up to": f"""
        SELECT speaker_id, group_id, kept.clips, r.clips AS recounted
        FROM speaker_night kept FULL JOIN ({NIGHTS}) r USING (speaker_id, group_id)
        WHERE kept.clips IS DISTINCT FROM r.clips OR abs(kept.duration_s - r.duration_s) > {SHORTER_S}
    """,  # noqa: S608 - constants of ours
    "what is kept of a speaker in all is what its nights add up to": f"""
        SELECT speaker_id, broadcaster, kept.clips, r.clips AS recounted, kept.nights, r.nights
        FROM speaker_total kept FULL JOIN ({TOTALS}) r USING (speaker_id, broadcaster)
        WHERE (kept.clips, kept.nights, kept.first_night, kept.last_night)
              IS DISTINCT FROM (r.clips, r.nights, r.first_night, r.last_night)
           OR abs(kept.duration_s - r.duration_s) > {SHORTER_S}
    """,  # noqa: S608 - constants of ours
    "every clip of a judged speaker has a probability": """
        SELECT a.clip_id, a.speaker_id FROM assignment a JOIN judgement j USING (speaker_id)
        WHERE a.to_operation IS NULL AND NOT EXISTS (SELECT FROM certainty WHERE certainty.clip_id = a.clip_id)
    """,
    "everything ends after it begins": """
        SELECT 'assignment' AS row_of, assignment_id AS key FROM assignment WHERE to_operation <= from_operation
        UNION ALL SELECT 'speaker_number', holding_id
        FROM speaker_number n JOIN operation o ON o.operation_id = n.to_operation
        WHERE n.to_operation <= n.from_operation AND o.kind <> 'forget'
        UNION ALL SELECT 'speaker_name', naming_id FROM speaker_name WHERE to_operation <= from_operation
        UNION ALL SELECT 'verdict', verdict_id FROM verdict WHERE to_operation <= from_operation
        UNION ALL SELECT 'model_role', role_id FROM model_role WHERE to_operation <= from_operation
        UNION ALL SELECT 'calibration', calibration_id FROM calibration WHERE to_operation <= from_operation
    """,
    "what was forgotten is nowhere": """
        SELECT a.audio_id, c.clip_id, e.model_id FROM forgotten_audio f JOIN audio a USING (audio_hash)
        LEFT JOIN clip c USING (audio_id) LEFT JOIN embedding e USING (audio_id)
    """,
    "nothing leads to a speaker who was forgotten": f"""
        SELECT DISTINCT n.broadcaster || '/' || number_label(n.gender, n.number) AS forget, leads.what
        FROM ({FORGOTTEN}) gone JOIN ({LEADING_TO_SPEAKERS}) leads USING (speaker_id)
        JOIN speaker_number n USING (speaker_id)
    """,  # noqa: S608 - constants of ours
    "no bytes of what was forgotten are left in the database's files": """
        SELECT 'registry database vacuum' AS takes_them_out FROM identity WHERE vacuum_owed
    """,
    "every model has its vector index, valid": """
        SELECT m.model_id
        FROM embedding_model m
        WHERE NOT EXISTS (
            SELECT FROM pg_index i
            WHERE i.indexrelid = to_regclass(format('profile_model_%s_hnsw', m.model_id)) AND i.indisvalid)
    """,
}
ALL = (VIEWS, *INVARIANTS)


@dataclass(frozen=True)
class Violation:
    """A broken invariant, with the first rows that break it."""

    invariant: str
    rows: tuple[tuple[object, ...], ...]


def check(engine: Engine) -> list[Violation]:
    """Run every invariant; an empty list is a sound registry."""
    return list(_violations(engine))


def _violations(engine: Engine) -> Iterator[Violation]:
    with engine.connect() as connection:
        if not views.are_ours(connection):
            yield Violation(VIEWS, (("registry database upgrade puts them in place",),))
        for invariant, query in INVARIANTS.items():
            if rows := _breaking_rows(connection, query):
                yield Violation(invariant, rows)


def _breaking_rows(connection: Connection, query: str) -> tuple[tuple[object, ...], ...]:
    """Give the first rows that break an invariant; values that cannot even be compared do too."""
    try:
        with connection.begin_nested():
            return tuple(tuple(row) for row in connection.execute(text(query)).fetchmany(SHOWN_ROWS))
    except DBAPIError as error:
        if not isinstance(error.orig, BEYOND_COMPARE):
            raise
        return ((str(error.orig),),)
