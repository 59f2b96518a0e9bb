"""A plan shows what would change and changes nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text

from registry.corrections.merge import merge
from registry.corrections.move import move
from registry.corrections.undo import undo
from registry.export import export
from registry.ingest import ingest
from registry.ingest.planned import PlannedIngest, at_once
from tests.conftest import AUTHOR, MakeClip, night

pytestmark = pytest.mark.usefixtures("fake_model")


def planned_ingest(engine: Engine, indir: Path) -> PlannedIngest:
    return at_once(engine, lambda steps: ingest(steps, [indir], AUTHOR))


@pytest.fixture
def registry(engine: Engine, indir: Path, make_clip: MakeClip) -> Engine:
    make_clip("a", 400, night(5))
    make_clip("b", 2000, night(5))
    ingest(engine, [indir], AUTHOR)
    make_clip("c", 3200, night(6))
    return engine


def contents(engine: Engine) -> dict[str, list[str]]:
    with engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        return {t: sorted(connection.execute(text(f"SELECT {t}::text FROM {t}")).scalars()) for t in tables}


@pytest.mark.parametrize(
    "plan",
    [
        planned_ingest,
        lambda engine, _: merge(engine, ["F0001", "F0002"], AUTHOR, plan_only=True),
        lambda engine, _: move(engine, [f"{night(5)}/a"], "new", AUTHOR, plan_only=True),
        lambda engine, _: undo(engine, 1, AUTHOR, plan_only=True),
        lambda engine, indir: export(engine, indir.parent / "out", plan_only=True),
    ],
    ids=["ingest", "merge", "move", "undo", "export"],
)
def test_no_table_and_no_file_changes(registry: Engine, indir: Path, plan: Callable[[Engine, Path], object]) -> None:
    before = contents(registry)
    plan(registry, indir)

    assert contents(registry) == before
    assert not (indir.parent / "out").exists()


def test_the_plan_of_an_empty_registry_lays_no_foundation(engine: Engine, indir: Path, make_clip: MakeClip) -> None:
    make_clip("a")
    planned = planned_ingest(engine, indir)

    assert planned.report.total["new"] == 1
    assert contents(engine)["embedding_model"] == []


def test_a_plan_says_what_then_happens(registry: Engine, indir: Path) -> None:
    planned = planned_ingest(registry, indir)

    assert planned.effects.numbers == (("andaiafm/F0003", "given", ""),)
    assert planned.effects.clips == (("", "andaiafm/F0003", "new", 1),)
