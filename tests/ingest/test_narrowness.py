"""How narrow a line recordings were heard over: kept with each, and as a mean with their speakers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, Engine, text

from registry import settings
from registry.core.linking.decisions import Linking, link
from registry.core.linking.identification import Suspects
from registry.core.records import Floats
from registry.database.check import check
from registry.database.store import clip_certainty, comparison, embeddings, models, speakers
from registry.database.store.models import Foundation
from registry.ingest import ingest
from registry.ingest.reembed import reembed
from registry.input import audio
from registry.input.narrowness import narrowness
from registry.whois import whois
from tests.conftest import AUTHOR, RATE, MakeClip, night

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


def test_it_is_stored_with_what_is_embedded(
    engine: Engine, indir: Path, make_clip: MakeClip, fake_model: object
) -> None:
    assert fake_model
    make_clip("caller", 400, rate=8_000)
    make_clip("studio", 400)
    ingest(engine, [indir], AUTHOR)
    query = "SELECT name, narrowness FROM clip JOIN audio USING (audio_id) ORDER BY name"
    with engine.begin() as connection:
        kept = [tuple(row) for row in connection.execute(text(query))]

    assert kept == [("caller", 1), ("studio", 0)]


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
        keys, voices = speakers.all_voices(connection, foundation, "F")
        judged = clip_certainty.unjudged(connection, foundation, "F", keys, None)
        cohort = clip_certainty.cohort(connection, foundation, "F", 100, voices.take(np.array([], np.int64)))
        model = models.find(connection, "campplus")
        assert model is not None
        [scope] = comparison.scopes(connection, "registry")
        _, compared = comparison.voices(connection, model, scope)
        [carried] = comparison.members(connection, model, scope, keys)

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


def test_nights_add_to_the_mean_and_leave_it_exact(registry: Engine, indir: Path, make_clip: MakeClip) -> None:
    for day in range(7, 12):
        make_clip("e", 400, night(day), seed=1000 + day, rate=8_000 if day % 2 else RATE)
        ingest(registry, [indir], AUTHOR)
    query = text("SELECT narrowness FROM profile ORDER BY speaker_id")
    with registry.begin() as connection:
        grown = connection.execute(query).scalars().all()
        speakers.refresh_profiles(connection, [1])
        whole = connection.execute(query).scalars().all()

    assert grown == pytest.approx([4.5 / 7, 0.125], rel=1e-12)
    assert whole == pytest.approx(grown, rel=1e-12)
    assert check(registry) == []


def test_whois_and_a_night_are_decided_with_it(
    registry: Engine, indir: Path, make_clip: MakeClip, two_models: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert two_models
    told: list[list[float]] = []

    class Noting(Suspects):
        def identify(self, vector: Floats, duration_s: float, narrowness: float) -> tuple[Floats, Floats]:
            told.append([duration_s, narrowness])
            return super().identify(vector, duration_s, narrowness)

    def noting_link(
        ids: list[int], vectors: Floats, durations_s: Floats, narrowness: Floats, *rest: Any, **more: Any
    ) -> Linking:
        told.append([*durations_s.tolist(), *narrowness.tolist()])
        return link(ids, vectors, durations_s, narrowness, *rest, **more)

    monkeypatch.setattr("registry.whois.Suspects", Noting)
    monkeypatch.setattr("registry.ingest.link.link", noting_link)
    caller = make_clip("caller", 400, night(7), seconds=2, rate=8_000)
    whois(registry, [caller])
    ingest(registry, [indir], AUTHOR)

    assert told == [[2, 1], [2, 1], [2, 1]]  # whois, once for each gender, and the night


MEASURED = "SELECT name, narrowness FROM clip JOIN audio USING (audio_id) ORDER BY name"
MEANS = "SELECT model_id, narrowness FROM profile ORDER BY model_id, speaker_id"


def rows(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


@pytest.fixture
def unmeasured(engine: Engine, indir: Path, make_clip: MakeClip, two_models: object) -> Engine:
    """A registry of an earlier version: a voice heard four times, three of them by telephone, and another one."""
    assert two_models
    for number in range(3):
        make_clip(f"caller{number}", 400, rate=8_000, seed=number)
    make_clip("studio", 400, seed=9)
    make_clip("z", 1200)
    ingest(engine, [indir], AUTHOR)
    with engine.begin() as connection:
        set_narrowness(connection, [None] * 5)
    return engine


def test_a_reembed_by_the_model_that_decides_measures_what_was_not(unmeasured: Engine) -> None:
    before = rows(unmeasured, "SELECT mean::text FROM profile ORDER BY speaker_id")
    done = reembed(unmeasured, "campplus", AUTHOR)
    again = reembed(unmeasured, "campplus", AUTHOR)

    assert (done.measured, done.embedded, done.clips_without, done.rejected) == (5, 0, 0, ())
    assert (done.exit_code, done.outcome.operation_id) == (0, None)
    assert rows(unmeasured, MEASURED) == [*((f"caller{number}", 1) for number in range(3)), ("studio", 0), ("z", 0)]
    assert rows(unmeasured, MEANS) == [(1, 0.75), (1, 0)]
    assert rows(unmeasured, "SELECT mean::text FROM profile ORDER BY speaker_id") == before
    assert again.measured == 0
    assert check(unmeasured) == []


def test_a_killed_one_leaves_profiles_exact_and_is_taken_up(
    unmeasured: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "EMBEDDING_BATCH_CLIPS", 1)
    left = iter(range(3))

    def interrupted(samples: Floats) -> float:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return narrowness(samples)

    with monkeypatch.context() as patch:
        patch.setattr(audio, "narrowness", interrupted)
        with pytest.raises(KeyboardInterrupt):
            reembed(unmeasured, "campplus", AUTHOR)
    known = len([row for row in rows(unmeasured, MEASURED) if row[1] is not None])
    sound = check(unmeasured)

    assert 0 < known < 4
    assert sound == []
    assert reembed(unmeasured, "campplus", AUTHOR).measured == 5 - known
    assert rows(unmeasured, MEANS) == [(1, 0.75), (1, 0)]


def test_what_cannot_be_read_is_named_and_stays_unknown(unmeasured: Engine, indir: Path) -> None:
    wav = indir / night(5) / "studio.wav"
    wav.unlink()
    done = reembed(unmeasured, "campplus", AUTHOR)

    assert (done.measured, done.exit_code, [one.path for one in done.rejected]) == (4, 1, [str(wav)])
    assert ("studio", None) in rows(unmeasured, MEASURED)
    assert check(unmeasured) == []


def test_another_model_measures_what_it_reads_and_reads_nothing_for_that_alone(unmeasured: Engine, indir: Path) -> None:
    second = reembed(unmeasured, "second", AUTHOR)
    means = rows(unmeasured, MEANS)
    with unmeasured.begin() as connection:
        set_narrowness(connection, [None] * 5)
    (indir / night(5) / "studio.wav").unlink()
    again = reembed(unmeasured, "second", AUTHOR)

    assert (second.measured, second.embedded) == (5, 5)
    assert means == [(1, 0.75), (1, 0), (2, 0.75), (2, 0)]
    assert (again.measured, again.exit_code) == (0, 0)
    assert reembed(unmeasured, "campplus", AUTHOR).measured == 4
    assert rows(unmeasured, MEANS) == means
    assert check(unmeasured) == []
