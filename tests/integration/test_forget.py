"""What is forgotten is nowhere any more, and stays so."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text

from registry.check import check
from registry.corrections.forget import forget_older_than, forget_speaker
from registry.corrections.move import confirm
from registry.corrections.rename import rename
from registry.corrections.undo import undo
from registry.errors import UndoRefused, UnknownSpeaker
from registry.export import export
from registry.ingest import ingest
from registry.store.operations import Author
from tests.conftest import AUTHOR, MakeClip, night, tree

pytestmark = pytest.mark.usefixtures("fake_model")


@pytest.fixture
def registry(engine: Engine, indir: Path, make_clip: MakeClip) -> Engine:
    """Two speakers on two nights: Maria is F0001."""
    for day in (5, 6):
        make_clip("maria", 400, night(day), text="sou a Maria")
        make_clip("eva", 2000, night(day), text="sou a Eva")
    ingest(engine, [indir], AUTHOR)
    label = number_of(engine, "maria")
    rename(engine, label, "Maria Silva", AUTHOR, notes="das notícias")
    return engine


def number_of(engine: Engine, name: str) -> str:
    with engine.connect() as connection:
        query = text("SELECT DISTINCT number FROM clips WHERE name = :name")
        return str(connection.execute(query, {"name": name}).scalar_one())


def everything_written(engine: Engine) -> Iterator[str]:
    with engine.connect() as connection:
        for table in inspect(connection).get_table_names():
            yield from (str(row) for row in connection.execute(text(f"SELECT {table}::text FROM {table}")).scalars())


def test_no_table_holds_a_trace_of_a_forgotten_person(registry: Engine) -> None:
    label = number_of(registry, "maria")
    forget_speaker(registry, label, AUTHOR)

    written = "\n".join(everything_written(registry))

    assert all(trace not in written for trace in ("Maria", "maria", "notícias"))
    assert "sou a Eva" in written
    assert check(registry) == []


def test_the_number_stays_retired(registry: Engine, indir: Path, make_clip: MakeClip) -> None:
    label = number_of(registry, "maria")
    forget_speaker(registry, label, AUTHOR)
    make_clip("joana", 3200, night(7))
    ingest(registry, [indir], AUTHOR)

    assert number_of(registry, "joana") == "F0003"
    with pytest.raises(UnknownSpeaker):
        forget_speaker(registry, label, AUTHOR)


def test_the_same_folder_does_not_bring_the_person_back(registry: Engine, indir: Path, tmp_path: Path) -> None:
    export(registry, tmp_path / "out")
    forget_speaker(registry, number_of(registry, "maria"), AUTHOR)

    report = ingest(registry, [indir], AUTHOR)
    export(registry, tmp_path / "out")

    assert (report.exit_code, report.total["forgotten"], report.total["new"]) == (0, 2, 0)
    assert not any(b"Maria" in content for content in tree(tmp_path / "out").values())
    assert check(registry) == []


def test_it_cannot_be_undone(registry: Engine) -> None:
    outcome = forget_speaker(registry, number_of(registry, "maria"), AUTHOR)

    with pytest.raises(UndoRefused, match="what it erased is gone"):
        undo(registry, int(str(outcome.operation_id)), AUTHOR)


def test_earlier_operations_can_still_be_undone(registry: Engine) -> None:
    forget_speaker(registry, number_of(registry, "maria"), AUTHOR)
    undo(registry, 1, AUTHOR, with_later=True)

    assert check(registry) == []


def test_the_paths_in_command_lines_are_hidden(registry: Engine, indir: Path) -> None:
    path = str(indir / night(5) / "maria.wav")
    confirm(registry, [path], Author("tester", f"registry confirm {path}"))
    forget_speaker(registry, number_of(registry, "maria"), AUTHOR)

    assert "maria" not in "\n".join(everything_written(registry))


def test_a_plan_forgets_nobody(registry: Engine) -> None:
    before = sorted(everything_written(registry))
    outcome = forget_speaker(registry, number_of(registry, "maria"), AUTHOR, plan_only=True)

    assert outcome.summary["clips"] == 2
    assert sorted(everything_written(registry)) == before


def test_old_nights_are_forgotten_and_younger_ones_stay(registry: Engine) -> None:
    forget_older_than(registry, dt.date(2020, 11, 6), AUTHOR)

    with registry.connect() as connection:
        dates = connection.execute(text("SELECT DISTINCT date FROM clips")).scalars().all()
    assert dates == [dt.date(2020, 11, 6)]
    assert check(registry) == []
