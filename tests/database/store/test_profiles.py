"""What may build a profile is stricter than what gets a speaker; who has little evidence is provisional."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from sqlalchemy import Engine, text

from registry.corrections.merge import merge
from registry.corrections.move import move
from registry.corrections.rename import rename
from registry.corrections.undo import undo
from registry.database.check import check
from registry.ingest import ingest
from tests.conftest import AUTHOR, RATE, MakeClip, night, voice

pytestmark = pytest.mark.usefixtures("fake_model")


def values(engine: Engine, query: str) -> list[object]:
    with engine.connect() as connection:
        return list(connection.execute(text(query)).scalars())


def test_a_clip_under_a_second_has_a_speaker_but_builds_no_profile(engine: Engine, make_clip: MakeClip) -> None:
    for number in range(3):
        make_clip(f"long{number}", 400, seconds=3)
    indir = make_clip("short", 400, seconds=0.6).parents[1]
    ingest(engine, [indir], AUTHOR)

    assert values(engine, "SELECT DISTINCT number FROM clips") == ["F0001"]
    assert values(engine, "SELECT audios FROM profile") == [3]
    assert check(engine) == []


def test_where_all_are_short_they_build_what_there_is(engine: Engine, make_clip: MakeClip) -> None:
    make_clip("a", 400, seconds=0.6)
    ingest(engine, [make_clip("b", 400, seconds=0.6).parents[1]], AUTHOR)

    assert values(engine, "SELECT audios FROM profile") == [2]
    assert check(engine) == []


def test_a_merge_keeps_what_was_doubtful_and_a_person_s_word_makes_it_certain(
    engine: Engine, make_clip: MakeClip
) -> None:
    for number in range(3):
        make_clip(f"a{number}", 400, seconds=3)
        make_clip(f"b{number}", 3000, seconds=3)
    indir = make_clip("short", 400, seconds=0.6).parents[1]
    ingest(engine, [indir], AUTHOR)
    merged = merge(engine, ["F0001", "F0002"], AUTHOR).operation_id
    together = values(engine, "SELECT audios FROM profile")
    undo(engine, int(str(merged)), AUTHOR)
    is_first = values(engine, "SELECT number FROM clips WHERE name = 'short'") == ["F0001"]
    move(engine, [f"{night(5)}/short"], "F0002" if is_first else "F0001", AUTHOR)

    assert together == [6]
    assert sorted(map(str, values(engine, "SELECT audios FROM profile"))) == ["3", "4"]
    assert check(engine) == []


def test_a_speaker_with_little_evidence_is_provisional_until_a_person_names_it(
    engine: Engine, indir: Path, make_clip: MakeClip
) -> None:
    make_clip("guest", 3000, seconds=2)
    for number in range(3):
        make_clip(f"host{number}", 400, seconds=3)
    ingest(engine, [indir], AUTHOR)
    query = "SELECT number FROM speakers WHERE is_provisional"
    guest = values(engine, "SELECT number FROM clips WHERE name = 'guest'")
    provisional = values(engine, query)
    rename(engine, str(guest[0]), "Eva", AUTHOR)

    assert provisional == guest
    assert values(engine, query) == []


def test_a_later_night_absorbs_a_provisional_speaker_and_its_number_leads_on(
    engine: Engine, indir: Path, make_clip: MakeClip
) -> None:
    """Two clips too unlike to be one voice by themselves, and then many between them."""

    def between(share: float) -> np.ndarray:
        parts = (np.sqrt(1 - share) * voice(400, 3, seed=1), np.sqrt(share) * voice(1500, 3, seed=2))
        return np.asarray(sum(parts), dtype=np.float32)

    for name, share in (("one", 0.03), ("other", 0.97)):
        sf.write(make_clip(name), between(share), RATE, subtype="PCM_16")
    ingest(engine, [indir], AUTHOR)
    apart = values(engine, "SELECT number FROM clips ORDER BY name")
    for number in range(12):
        group = night(6)
        sf.write(make_clip(f"mid{number:02}", group=group), between(0.3 + number / 30), RATE, subtype="PCM_16")
    ingest(engine, [indir], AUTHOR)

    assert apart == ["F0001", "F0002"]
    assert set(values(engine, "SELECT number FROM clips")) == {"F0001"}
    assert values(engine, "SELECT alias || ' ' || number FROM aliases") == ["F0002 F0001"]
    for operation_id in (3, 2):  # the deciding afresh, and the night before it
        undo(engine, operation_id, AUTHOR)
    assert values(engine, "SELECT number FROM clips ORDER BY name") == apart
    assert check(engine) == []
