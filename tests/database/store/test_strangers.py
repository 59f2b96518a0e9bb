"""Strangers that are certain: recordings of the other gender, about equally many of each of its speakers."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, text

from registry.core.linking.decisions import link
from registry.core.linking.voices import Voices
from registry.core.records import EmbeddedSound, Floats, Gender
from registry.core.vectors import unit
from registry.corrections.withdraw import withdraw
from registry.database.store import embeddings, models
from registry.database.store.strangers import strangers
from registry.ingest import ingest
from tests.conftest import AUTHOR, MakeClip, night
from tests.sounds import sound

pytestmark = pytest.mark.usefixtures("fake_model")

WOMEN = {"host": (400, 9), "one": (900, 3), "other": (1500, 2)}  # pitch and clips


@pytest.fixture
def registry(engine: Engine, indir: Path, make_clip: MakeClip) -> Engine:
    """Three women of nine, three and two clips, and a man of one, of another station."""
    for name, (pitch_hz, clips) in WOMEN.items():
        for clip in range(clips):
            make_clip(f"{name}{clip}", pitch_hz, seconds=1 + clip)
    make_clip("man", 150, night(5, "M", "rivalfm"))
    ingest(engine, [indir], AUTHOR)
    return engine


def read(engine: Engine, gender: Gender, most: int = 100, coming: Sequence[str] = ()) -> Voices:
    with engine.begin() as connection:
        foundation = models.foundation(connection)
        assert foundation is not None
        return strangers(connection, foundation, gender, most, coming)


def of_whom(engine: Engine, found: Voices) -> Counter[str]:
    """Count strangers by the speaker that has the vector."""
    query = text("""SELECT vector_send(vector), regexp_replace(name, '\\d', '')
                    FROM clip JOIN embedding USING (audio_id)""")
    with engine.connect() as connection:
        stored = connection.execute(query).all()
    vectors = unit(np.array([np.frombuffer(vector, ">f4", offset=4) for vector, _ in stored], np.float32))
    nearest = (found.mean @ vectors.T).argmax(axis=1)
    return Counter(stored[row][1] for row in nearest)


def test_each_recording_of_the_other_gender_is_a_set_of_its_own(registry: Engine) -> None:
    found = read(registry, "M")

    assert of_whom(registry, found) == Counter({name: clips for name, (_, clips) in WOMEN.items()})
    assert found.size.tolist() == [1] * 14
    assert sorted((1 / found.inverse_s).round().tolist()) == sorted(
        1.0 + clip for _, clips in WOMEN.values() for clip in range(clips)
    )
    np.testing.assert_allclose(np.linalg.norm(found.mean, axis=1), 1, atol=1e-5)
    assert len(read(registry, "F")) == 1


def test_of_no_speaker_there_are_very_many(registry: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.database.store.strangers.OF_EACH", 3)
    found = of_whom(registry, read(registry, "M", most=9))

    assert found == {"host": 3, "one": 3, "other": 2}


@pytest.mark.parametrize("most", [1, 2, 4, 7])
def test_there_are_no_more_than_the_most(registry: Engine, most: int) -> None:
    assert 1 <= len(read(registry, "M", most)) <= most


def test_their_order_is_that_of_the_sounds_whatever_came_first(registry: Engine) -> None:
    with registry.begin() as connection:
        before = read(registry, "M").mean
        connection.execute(text("CLUSTER assignment USING assignment_pkey"))

    assert read(registry, "M").mean.tolist() == before.tolist()


def test_narrowness_goes_with_them_and_what_is_unknown_is_wide(registry: Engine) -> None:
    with registry.begin() as connection:
        connection.execute(text("UPDATE audio SET narrowness = NULL"))
        connection.execute(
            text("""UPDATE audio SET narrowness = 0.75
                    WHERE audio_id IN (SELECT audio_id FROM clip WHERE name LIKE 'one%')""")
        )

    assert sorted(read(registry, "M").narrowness.tolist()) == [0] * 11 + [0.75] * 3


def test_clips_that_were_taken_out_are_nobody_s(registry: Engine) -> None:
    withdraw(registry, [f"{night(5)}/host{clip}" for clip in range(9)], AUTHOR)

    assert of_whom(registry, read(registry, "M")) == {"one": 3, "other": 2}


def embed(engine: Engine, hashes: Sequence[str], pitch_band: int) -> None:
    """Embed recordings that no clip carries yet."""
    vector: Floats = np.eye(40, dtype=np.float32)[pitch_band]
    audios = [EmbeddedSound(sound(audio_hash, 2.0, narrowness=0.5), vector) for audio_hash in hashes]
    with engine.begin() as connection:
        foundation = models.foundation(connection)
        assert foundation is not None
        embeddings.save_embeddings(connection, foundation.model_id, audios)


def test_those_of_tonight_are_among_them_once(registry: Engine) -> None:
    with registry.connect() as connection:
        [stored] = connection.execute(
            text("SELECT encode(audio_hash, 'hex') FROM audio JOIN clip USING (audio_id) WHERE name = 'host0'")
        ).scalars()
    embed(registry, ["00" * 32, "ff" * 32], pitch_band=39)
    found = read(registry, "M", coming=["00" * 32, "ff" * 32, str(stored), "aa" * 32])

    assert len(found) == 16
    assert found.mean[[0, -1], 39].tolist() == [1, 1]
    assert found.narrowness[[0, -1]].tolist() == [0.5, 0.5]


def test_without_the_other_gender_there_are_none(engine: Engine, make_clip: MakeClip) -> None:
    ingest(engine, [make_clip("a").parents[1]], AUTHOR)

    assert read(engine, "F").mean.shape == (0, 40)
    assert len(read(engine, "M")) == 1


def test_a_night_s_women_are_linked_beside_its_men_and_the_other_way_round(
    engine: Engine, indir: Path, make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever group of the night comes first, and before either has speakers."""
    beside: list[int] = []

    def listening(*arguments: object, **options: object) -> object:
        beside.append(len(arguments[4].strangers))  # type: ignore[attr-defined]
        return link(*arguments, **options)  # type: ignore[arg-type]

    for clip in range(3):
        make_clip(f"woman{clip}", 400)
    for clip in range(2):
        make_clip(f"man{clip}", 150, night(5, "M"))
    monkeypatch.setattr("registry.ingest.link.link", listening)
    ingest(engine, [indir], AUTHOR)

    assert beside == [2, 3]
