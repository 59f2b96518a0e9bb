"""Every invariant notices what it is there for, on a registry that was sound before."""

import pytest
from sqlalchemy import Engine, text

from registry.database.check import INVARIANTS, check
from registry.ingest import ingest
from tests.conftest import AUTHOR, MakeClip, night

pytestmark = pytest.mark.usefixtures("fake_model")

END = "UPDATE assignment SET to_operation = (SELECT max(operation_id) FROM operation) WHERE clip_id = 1"
SECOND = """
    INSERT INTO assignment (clip_id, speaker_id, reason, from_operation)
    SELECT clip_id, speaker_id, reason, from_operation FROM assignment WHERE clip_id = 1
"""
# Its ingest was undone, but the last thing that happened to it was another.
TAKEN_IN_AGAIN_AND_LOST = f"""
    INSERT INTO operation (operation_id, kind, user_name, command, summary)
        VALUES (4, 'undo', '', '', '{{}}'), (5, 'ingest', '', '', '{{}}'), (6, 'merge', '', '', '{{}}');
    UPDATE assignment SET to_operation = 4 WHERE clip_id = 1; {SECOND};
    UPDATE assignment SET from_operation = 5, to_operation = 6 WHERE clip_id = 1 AND to_operation IS NULL
"""
NOBODY = "INSERT INTO speaker (gender, operation_id) VALUES ('F', 1)"
NAMED = """
    INSERT INTO speaker_name (speaker_id, name, notes, from_operation)
    SELECT max(speaker_id), 'Maria', '', 1 FROM speaker
"""
FORGOTTEN = f"""
    {NOBODY};
    INSERT INTO operation (operation_id, kind, user_name, command, summary) VALUES (9, 'forget', '', '', '{{}}');
    INSERT INTO speaker_number (broadcaster, gender, number, speaker_id, from_operation, to_operation)
    SELECT 'andaiafm', 'F', 3, max(speaker_id), 9, 9 FROM speaker
"""
VERDICT = "INSERT INTO verdict (kind, speaker_id, subject_id, clip_id, other_id, from_operation)"
OTHER_MODEL = "INSERT INTO embedding_model (name, fingerprint, dimension) VALUES ('other', 'other', 40)"
CALIBRATED = """
    INSERT INTO calibration (model_id, other_gender_offset, other_gender_spread, stranger_variance, base_noise,
                             stranger, stranger_by_telephone, from_operation) VALUES"""
# Invariant -> ways to break it; every constraint in the way is taken away first, as a mishap would need.
CORRUPTIONS = {
    "every clip has exactly one speaker, unless its ingest was undone or it was withdrawn": [
        "DELETE FROM assignment WHERE clip_id = 1",
        END,
        TAKEN_IN_AGAIN_AND_LOST,
        f"DROP INDEX assignment_current_clip_key; {SECOND}",
    ],
    "a name stands for one clip of its group": [
        "UPDATE clip SET name = 'a' WHERE name = 'b'",
    ],
    "every clip has an embedding under the registry's model": [
        "DELETE FROM embedding WHERE audio_id = 1",
        "DELETE FROM registry",
        f"{OTHER_MODEL}; INSERT INTO model_role (model_id, role, from_operation) VALUES (2, 'deciding', 3)",
    ],
    "at most one model was chosen to decide": [
        f"""{OTHER_MODEL}; DROP INDEX model_role_deciding_key;
            INSERT INTO model_role (model_id, role, from_operation) VALUES (1, 'deciding', 3), (2, 'deciding', 3)""",
    ],
    "a model that decides, or is kept beside, is known and has one role": [
        """ALTER TABLE model_role DROP CONSTRAINT model_role_model_id_fkey;
           INSERT INTO model_role (model_id, role, from_operation) VALUES (9, 'beside', 3)""",
        f"""{OTHER_MODEL}; DROP INDEX model_role_current_key;
            INSERT INTO model_role (model_id, role, from_operation) VALUES (2, 'beside', 2), (2, 'beside', 3)""",
    ],
    "a model that was calibrated is known and has one set of constants": [
        f"ALTER TABLE calibration DROP CONSTRAINT calibration_model_id_fkey; {CALIBRATED} (9, 0, 1, 1, 1, 0, 0, 3)",
        f"""DROP INDEX calibration_current_key;
            {CALIBRATED} (1, 0, 1, 1, 1, 0, 0, 2), (1, 0, 1, 1, 1, 0, 0, 3)""",
    ],
    "every embedding has its model's dimension": [
        "UPDATE embedding SET vector = '[1,2]' WHERE audio_id = 1",
        "UPDATE embedding SET vector = array_fill(0, ARRAY[40])::vector WHERE audio_id = 1",
    ],
    "a speaker who ever had clips at a broadcaster has a number there": [
        "DELETE FROM speaker_number WHERE speaker_id = 1",
        "UPDATE speaker_number SET broadcaster = 'radiox' WHERE speaker_id = 1",
        f"{END}; DELETE FROM speaker_number WHERE speaker_id = 1",
    ],
    "numbers at a broadcaster count up from 1 without gaps": [
        "UPDATE speaker_number SET number = 9 WHERE speaker_id = 1",
        "UPDATE speaker_number SET number = number + 1 WHERE gender = 'M'",
    ],
    "a speaker with clips at a broadcaster has one number there now": [
        "UPDATE speaker_number SET to_operation = 3 WHERE speaker_id = 1",
        "UPDATE speaker_number SET is_alias = true WHERE speaker_id = 1",
        """DROP INDEX speaker_number_current_speaker_key;
           INSERT INTO speaker_number (broadcaster, gender, number, speaker_id, from_operation)
           VALUES ('andaiafm', 'F', 3, 1, 1)""",
    ],
    "an alias leads to a number": [
        """INSERT INTO speaker_number (broadcaster, gender, number, speaker_id, is_alias, from_operation)
           VALUES ('radiox', 'F', 1, 1, true, 1)""",
    ],
    "names and verdicts are about speakers that have a number": [
        f"{NOBODY}; {NAMED}",
        f"{NOBODY}; {VERDICT} SELECT 'confirmed', max(speaker_id), 0, NULL, NULL, 1 FROM speaker",
        f"{NOBODY}; {VERDICT} SELECT 'different', 1, max(speaker_id), NULL, max(speaker_id), 1 FROM speaker",
    ],
    "what people decided about a clip is so": [
        f"{VERDICT} SELECT 'rejected', speaker_id, clip_id, clip_id, NULL, 1 FROM assignment WHERE clip_id = 1",
        f"{VERDICT} SELECT 'confirmed', speaker_id, 1, 1, NULL, 1 FROM assignment WHERE clip_id = 2",
    ],
    "a number carries its speaker's gender": [
        "UPDATE speaker_number SET gender = 'M', number = 2 WHERE speaker_id = 1",
    ],
    "a clip's speaker is of the clip's gender": [
        "UPDATE assignment SET speaker_id = (SELECT speaker_id FROM speaker WHERE gender = 'M') WHERE clip_id = 1",
        "UPDATE clip_group SET gender = 'M', date = '1999-01-01' WHERE group_id = 1",
    ],
    "profiles equal the mean over their clips": [
        "DELETE FROM profile WHERE speaker_id = 1",
        "UPDATE profile SET audios = audios + 1 WHERE speaker_id = 1",
        "UPDATE profile SET duration_s = duration_s + 1 WHERE speaker_id = 1",
        "UPDATE profile SET narrowness = narrowness + 0.1 WHERE speaker_id = 1",
        "UPDATE audio SET narrowness = coalesce(narrowness, 0) + 0.1 WHERE audio_id = 1",
        "UPDATE profile SET mean = (SELECT mean FROM profile WHERE speaker_id = 2) WHERE speaker_id = 1",
        "DROP INDEX profile_model_1_hnsw; UPDATE profile SET mean = '[1,2]' WHERE speaker_id = 1",
        "DELETE FROM assignment WHERE speaker_id = 1",
        f"""{OTHER_MODEL}; INSERT INTO embedding SELECT audio_id, 2, vector FROM embedding;
            INSERT INTO profile SELECT speaker_id, 2, mean, audios + 1, duration_s, inverse_s FROM profile""",
    ],
    "what is kept of a speaker's nights is what its clips add up to": [
        "UPDATE speaker_night SET clips = clips + 1 WHERE speaker_id = 1",
        "UPDATE speaker_night SET duration_s = duration_s + 0.2 WHERE speaker_id = 1",
        "DELETE FROM speaker_night WHERE speaker_id = 1",
        "INSERT INTO speaker_night SELECT 2, max(group_id), 1, 1 FROM clip_group",
        "ALTER TABLE assignment DISABLE TRIGGER USER; DELETE FROM assignment WHERE clip_id = 1",
        "UPDATE clip SET group_id = (SELECT max(group_id) FROM clip_group) WHERE clip_id = 1",
    ],
    "what is kept of a speaker in all is what its nights add up to": [
        "UPDATE speaker_total SET clips = clips + 1 WHERE speaker_id = 1",
        "UPDATE speaker_total SET duration_s = duration_s + 0.2 WHERE speaker_id = 1",
        "UPDATE speaker_total SET nights = nights + 1 WHERE speaker_id = 1",
        "UPDATE speaker_total SET last_night = first_night WHERE speaker_id = 1",
        "DELETE FROM speaker_total WHERE speaker_id = 1",
        "UPDATE speaker_total SET broadcaster = 'radiox' WHERE speaker_id = 1",
        "DELETE FROM speaker_night WHERE speaker_id = 1",
    ],
    "every clip of a judged speaker has a probability": [
        "DELETE FROM certainty WHERE clip_id = 1",
    ],
    "everything ends after it begins": [
        "UPDATE assignment SET to_operation = from_operation WHERE clip_id = 1",
        "UPDATE speaker_number SET to_operation = from_operation WHERE speaker_id = 1",
        """INSERT INTO speaker_name (speaker_id, name, notes, from_operation, to_operation)
           VALUES (1, 'Maria', '', 2, 1)""",
        f"{VERDICT.replace(')', ', to_operation)')} VALUES ('confirmed', 1, 0, NULL, NULL, 2, 1)",
        f"""{OTHER_MODEL};
            INSERT INTO model_role (model_id, role, from_operation, to_operation) VALUES (2, 'beside', 2, 2)""",
        f"{CALIBRATED.replace('n) V', 'n, to_operation) V')} (1, 0, 1, 1, 1, 0, 0, 2, 2)",
    ],
    "what was forgotten is nowhere": [
        "INSERT INTO forgotten_audio SELECT audio_hash FROM audio WHERE audio_id = 1",
        """INSERT INTO audio (audio_hash, duration_s, sample_rate_hz, channels) VALUES ('\\x01', 1, 16000, 1);
           INSERT INTO forgotten_audio VALUES ('\\x01')""",
    ],
    "nothing leads to a speaker who was forgotten": [
        f"{FORGOTTEN}; {NAMED}",
        f"{FORGOTTEN}; UPDATE assignment SET runner_up_id = (SELECT max(speaker_id) FROM speaker)",
        f"{FORGOTTEN}; {VERDICT} SELECT 'same', 1, max(speaker_id), NULL, max(speaker_id), 1 FROM speaker",
        f"{FORGOTTEN}; UPDATE speaker_number SET to_operation = NULL WHERE to_operation = 9",
    ],
    "no bytes of what was forgotten are left in the database's files": [
        "UPDATE identity SET vacuum_owed = true",
    ],
    "every model has its vector index, valid": [
        "DROP INDEX profile_model_1_hnsw",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'profile_model_1_hnsw'::regclass",
    ],
}


@pytest.fixture
def sound(engine: Engine, make_clip: MakeClip) -> Engine:
    """A registry of two women and a man over two nights."""
    make_clip("a", 400, night(5))
    make_clip("b", 1200, night(5))
    make_clip("c", 400, night(6))
    wav = make_clip("d", 800, night(6, "M"))
    ingest(engine, [wav.parents[1]], AUTHOR)
    return engine


def test_an_empty_registry_is_sound(engine: Engine) -> None:
    assert check(engine) == []


def test_what_ingest_makes_is_sound(sound: Engine) -> None:
    assert check(sound) == []


def test_every_invariant_has_a_corruption() -> None:
    assert list(CORRUPTIONS) == list(INVARIANTS)


@pytest.mark.parametrize(
    ("invariant", "statements"),
    [(invariant, statements) for invariant, ways in CORRUPTIONS.items() for statements in ways],
)
def test_a_corruption_is_reported(sound: Engine, invariant: str, statements: str) -> None:
    with sound.begin() as connection:
        for statement in statements.split(";"):
            connection.execute(text(statement))

    violations = {violation.invariant: violation.rows for violation in check(sound)}

    assert invariant in violations
    assert violations[invariant] != ()


def test_only_the_first_rows_are_shown(sound: Engine) -> None:
    with sound.begin() as connection:
        connection.execute(text("DELETE FROM profile"))
        connection.execute(text("INSERT INTO speaker (gender, operation_id) SELECT 'F', 1 FROM generate_series(1, 9)"))
        connection.execute(
            text("""
            INSERT INTO profile (speaker_id, model_id, mean, audios, duration_s, inverse_s)
            SELECT speaker_id, 1, array_fill(1, ARRAY[40])::vector, 1, 1, 1 FROM speaker
            """)
        )

    assert [len(violation.rows) for violation in check(sound)] == [5]
