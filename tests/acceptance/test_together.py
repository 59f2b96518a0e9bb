"""People who work at the same time: one waits for the other, and nothing is lost or half done."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from registry.corrections.merge import merge
from registry.corrections.move import move
from registry.corrections.rename import rename
from registry.corrections.undo import undo
from registry.database.check import check
from registry.database.reach import reach
from registry.errors import CorrectionRefused, RegistryError
from registry.ingest import ingest
from tests.conftest import AUTHOR, MakeClip, night

pytestmark = pytest.mark.usefixtures("fake_model")
VOICES = 6


@pytest.fixture
def registry(engine: Engine, indir: Path, make_clip: MakeClip) -> Engine:
    for number in range(VOICES):
        make_clip(f"c{number}", 500 * (number + 1), night(5))
    ingest(engine, [indir], AUTHOR)
    return engine


def at_once(database_url: str, *verbs: Callable[[Engine], object]) -> list[RegistryError | None]:
    """Run each verb in a thread with a database connection of its own; give what it was refused with."""

    def run(verb: Callable[[Engine], object]) -> RegistryError | None:
        with reach(database_url) as opened:
            try:
                verb(opened.engine)
            except RegistryError as error:
                return error
        return None

    with ThreadPoolExecutor(len(verbs)) as threads:
        return list(threads.map(run, verbs))


def operations(engine: Engine) -> Iterator[int]:
    with engine.connect() as connection:
        yield from connection.execute(text("SELECT operation_id FROM operation ORDER BY 1")).scalars()


def test_corrections_of_different_speakers_all_happen(registry: Engine, database_url: str) -> None:
    refused = at_once(
        database_url,
        lambda engine: merge(engine, ["F0001", "F0002"], AUTHOR),
        lambda engine: merge(engine, ["F0003", "F0004"], AUTHOR),
        lambda engine: rename(engine, "F0005", "Ana", AUTHOR),
        lambda engine: move(engine, [f"{night(5)}/c5"], "F0005", AUTHOR),
    )

    assert refused == [None] * 4
    assert list(operations(registry)) == [1, 2, 3, 4, 5]
    assert check(registry) == []


def test_the_second_of_two_equal_merges_is_told(registry: Engine, database_url: str) -> None:
    refused = at_once(database_url, *[lambda engine: merge(engine, ["F0001", "F0002"], AUTHOR)] * 2)

    assert sorted(map(type, refused), key=str) == sorted([type(None), CorrectionRefused], key=str)
    assert check(registry) == []


def test_corrections_and_undo_during_ingests(
    registry: Engine, database_url: str, indir: Path, make_clip: MakeClip
) -> None:
    merge(registry, ["F0005", "F0006"], AUTHOR)
    for day in (6, 7, 8):
        for number in range(VOICES):
            make_clip(f"c{number}", 500 * (number + 1), night(day), seed=day)
    refused = at_once(
        database_url,
        lambda engine: ingest(engine, [indir], AUTHOR),
        lambda engine: ingest(engine, [indir], AUTHOR),
        lambda engine: merge(engine, ["F0001", "F0002"], AUTHOR),
        lambda engine: undo(engine, 2, AUTHOR),
    )

    assert refused[:3] == [None] * 3
    assert check(registry) == []
    with registry.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM clips")).scalar_one() == 4 * VOICES


def test_many_ingests_of_different_broadcasters_at_once_end_as_one_after_the_other(
    engine: Engine, database_url: str, tmp_path: Path, indir: Path, make_clip: MakeClip
) -> None:
    stations = [f"station{number}" for number in range(5)]
    for station in stations:
        for day in (5, 6):
            for number in range(VOICES):
                make_clip(f"c{number}", 500 * (number + 1), night(day, broadcaster=station))
        (tmp_path / station).mkdir()
        for group in indir.glob(f"{station}_*"):
            group.rename(tmp_path / station / group.name)
    refused = at_once(
        database_url, *[partial(ingest, indirs=[tmp_path / station], author=AUTHOR) for station in stations]
    )

    assert refused == [None] * len(stations)
    assert check(engine) == []
    with engine.connect() as connection:
        voices = "SELECT count(DISTINCT speaker_id) FROM clips GROUP BY name"  # one voice is one speaker everywhere
        assert list(connection.execute(text(voices)).scalars()) == [1] * VOICES
        counted = "SELECT broadcaster, count(*), count(DISTINCT number) FROM clips GROUP BY 1 ORDER BY 1"
        rows = [tuple(row) for row in connection.execute(text(counted))]
        assert rows == [(station, 2 * VOICES, VOICES) for station in stations]
