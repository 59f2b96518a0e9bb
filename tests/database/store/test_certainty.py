"""Every clip has P(its speaker), kept up while speakers gain and lose clips, and the place where it is exported."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from registry.corrections.forget import forget_speaker
from registry.corrections.merge import merge
from registry.corrections.move import move
from registry.corrections.undo import undo
from registry.database.check import check
from registry.export import export
from registry.ingest import ingest
from tests.conftest import AUTHOR, MakeClip, night, tree

pytestmark = pytest.mark.usefixtures("fake_model", "ends_sound")


@pytest.fixture
def registry(engine: Engine, indir: Path, make_clip: MakeClip) -> Engine:
    """Two voices of several clips, and one of a single clip."""
    for name in "abcd":
        make_clip(name, 400, night(5))
    for name in "xyz":
        make_clip(name, 3000, night(5))
    make_clip("lone", 1500, night(5))
    ingest(engine, [indir], AUTHOR)
    return engine


def now(engine: Engine) -> dict[str, float]:
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT name, probability_now FROM clips ORDER BY name"))
        return {row[0]: row[1] for row in rows}


def test_every_clip_of_a_first_night_has_a_probability(registry: Engine) -> None:
    found = now(registry)

    assert sorted(found) == ["a", "b", "c", "d", "lone", "x", "y", "z"]
    assert min(found.values()) > 0.9


def test_a_clip_filed_wrong_lowers_its_own_probability_and_undo_brings_it_back(registry: Engine) -> None:
    before = now(registry)
    moved = move(registry, [f"{night(5)}/x"], "F0001", AUTHOR)
    after = now(registry)
    undo(registry, int(str(moved.operation_id)), AUTHOR)

    assert before["x"] > 0.9
    assert after["x"] < 0.1
    assert now(registry) == before


def test_a_merge_judges_all_clips_of_both(registry: Engine) -> None:
    before = now(registry)
    merge(registry, ["F0001", "F0003"], AUTHOR)
    after = now(registry)

    assert [name for name in before if after[name] < before[name]] == ["a", "b", "c", "d", "x", "y", "z"]


def test_what_was_said_then_stays(registry: Engine) -> None:
    query = text("SELECT clip_id, probability FROM clips WHERE name <> 'x' ORDER BY 1")
    with registry.connect() as connection:
        before = connection.execute(query).all()
    move(registry, [f"{night(5)}/x"], "F0001", AUTHOR)

    with registry.connect() as connection:
        assert connection.execute(query).all() == before


def test_a_speaker_that_grows_by_little_is_not_judged_whole_again(
    registry: Engine, indir: Path, make_clip: MakeClip
) -> None:
    for clip in range(30):
        make_clip(f"many{clip:02}", 400, night(6))
    ingest(registry, [indir], AUTHOR)
    sentinel = text("UPDATE certainty SET probability = 0.125 WHERE clip_id = (SELECT min(clip_id) FROM clip)")
    with registry.begin() as connection:
        connection.execute(sentinel)
    make_clip("one-more", 400, night(7))
    ingest(registry, [indir], AUTHOR)

    assert now(registry)["a"] == 0.125
    assert now(registry)["one-more"] > 0.9


def test_a_registry_of_an_earlier_version_is_judged_by_its_next_ingest(registry: Engine, indir: Path) -> None:
    before = now(registry)
    with registry.begin() as connection:
        connection.execute(text("DELETE FROM certainty"))
        connection.execute(text("DELETE FROM judgement"))
    unknown = now(registry)
    ingest(registry, [indir], AUTHOR)

    assert set(unknown.values()) == {None}
    assert now(registry) == pytest.approx(before)


def test_what_is_forgotten_has_none(registry: Engine) -> None:
    forget_speaker(registry, "F0001", AUTHOR)

    with registry.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM certainty")).scalar_one() == 4


def test_check_finds_a_clip_without(registry: Engine) -> None:
    with registry.begin() as connection:
        connection.execute(text("DELETE FROM certainty WHERE clip_id = 1"))
    found = [violation.invariant for violation in check(registry)]
    with registry.begin() as connection:
        connection.execute(text("INSERT INTO certainty VALUES (1, 0.5)"))

    assert found == ["every clip of a judged speaker has a probability"]


@pytest.mark.parametrize("after", [lambda _: None, lambda engine: merge(engine, ["F0001", "F0002"], AUTHOR)])
def test_the_view_tells_where_a_clip_is_exported(
    registry: Engine, indir: Path, make_clip: MakeClip, out: Path, after: Callable[[Engine], object]
) -> None:
    make_clip("Ä", 400, night(5))
    make_clip("m", 3000, night(5, "M"))
    make_clip("other", 400, night(6, broadcaster="radiox"))
    ingest(registry, [indir], AUTHOR)
    after(registry)
    export(registry, out)
    with registry.connect() as connection:
        rows = connection.execute(text("SELECT wav_path, exported_as FROM clips")).all()

    exported = {path: content for path, content in tree(out).items() if path.endswith(".wav")}
    assert {place: Path(path).read_bytes() for path, place in rows} == exported
