"""How narrow a line recordings were heard over: kept with each, and as a mean with their speakers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection, Engine, text

from registry.check import check
from registry.ingest import ingest
from registry.store import agreement, certainty, embeddings, models, speakers
from registry.store.embeddings import EmbeddedAudio
from registry.store.models import Foundation
from tests.conftest import AUTHOR, MakeClip, night

DIMENSION = 8


def foundation_of(connection: Connection) -> Foundation:
    found = models.foundation(connection)
    assert found is not None
    return found


def set_narrowness(connection: Connection, narrowness: Sequence[float | None]) -> None:
    """Set that of all audios, in order of key, and let the profiles follow."""
    for audio_id, value in enumerate(narrowness, 1):
        query = text("UPDATE audio SET narrowness = :value WHERE audio_id = :audio_id")
        connection.execute(query, {"value": value, "audio_id": audio_id})
    known = connection.execute(text("SELECT speaker_id FROM profile")).scalars().all()
    speakers.refresh_profiles(connection, known)


@pytest.fixture
def registry(engine: Engine, indir: Path, make_clip: MakeClip, fake_model: object) -> Engine:
    """Two women of two recordings each; those of the first are half narrow and narrow, of the other one is unknown."""
    assert fake_model
    for name, pitch_hz in (("a", 400), ("b", 400), ("c", 1200), ("d", 1200)):
        make_clip(name, pitch_hz)
    ingest(engine, [indir], AUTHOR)
    with engine.begin() as connection:
        by_name = dict(tuple(row) for row in connection.execute(text("SELECT name, audio_id FROM clip")))
        given = {by_name["a"]: 0.5, by_name["b"]: 1.0, by_name["c"]: None, by_name["d"]: 0.25}
        set_narrowness(connection, [given[audio_id] for audio_id in sorted(given)])
    return engine


def test_it_is_stored_with_the_recording(engine: Engine) -> None:
    audios = [
        EmbeddedAudio(f"0{n}", 1, 16_000, 1, narrowness, np.ones(DIMENSION, np.float32))
        for n, narrowness in enumerate((0.25, None))
    ]
    with engine.begin() as connection:
        foundation = models.lay_foundation(connection, "campplus", "fingerprint", DIMENSION, "registry")
        embeddings.save_embeddings(connection, foundation.model_id, audios)
        kept = connection.execute(text("SELECT narrowness FROM audio ORDER BY audio_hash")).scalars().all()

    assert kept == [0.25, None]


def test_sounds_come_in_the_order_asked_for_and_what_is_unknown_is_taken_for_wide(registry: Engine) -> None:
    query = text("SELECT audio_id FROM clip ORDER BY name DESC")
    with registry.begin() as connection:
        durations_s, narrowness = embeddings.sounds(connection, connection.execute(query).scalars().all())
        none = embeddings.sounds(connection, [])

    assert durations_s.tolist() == [1, 1, 1, 1]
    assert narrowness.tolist() == [0.25, 0, 1, 0.5]
    assert [values.tolist() for values in none] == [[], []]


def test_a_speaker_has_the_mean_over_its_recordings_wherever_it_is_read(registry: Engine) -> None:
    with registry.begin() as connection:
        foundation = foundation_of(connection)
        keys, voices = speakers.all_voices(connection, foundation)
        judged = certainty.unjudged(connection, foundation, "F", keys, None)
        cohort = certainty.cohort(connection, foundation, "F", 100, voices.take(np.array([], np.int64)))
        model = models.find(connection, "campplus")
        assert model is not None
        [scope] = agreement.scopes(connection, "registry")
        _, compared = agreement.voices(connection, model, scope)
        [carried] = agreement.members(connection, model, scope, keys)

    for found in (voices, judged.speakers, cohort.voices, compared):
        assert found.narrowness.tolist() == [0.75, 0.125]
    for members in (judged.members, carried.members):
        assert sorted(zip(members.own.tolist(), members.narrowness.tolist(), strict=True)) == [
            (0, 0.5),
            (0, 1),
            (1, 0),
            (1, 0.25),
        ]
    assert check(registry) == []


def test_a_night_leaves_profiles_exact(registry: Engine, indir: Path, make_clip: MakeClip) -> None:
    make_clip("e", 400, night(7))
    ingest(registry, [indir], AUTHOR)
    with registry.begin() as connection:
        _, voices = speakers.all_voices(connection, foundation_of(connection))

    assert voices.narrowness.tolist() == [0.5, 0.125]
    assert check(registry) == []
