"""What people corrected still stands after ten more nights."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from registry.corrections.consolidate import consolidate
from registry.corrections.merge import different, merge
from registry.corrections.move import confirm, move, reject
from registry.corrections.rename import rename
from registry.corrections.split import split
from registry.corrections.switch_model import switch_model
from registry.database.check import check
from registry.ingest import ingest
from registry.ingest.reembed import reembed
from tests.conftest import AUTHOR, MakeClip, night

PITCHES_HZ = (400, 700, 1000, 1500, 2000, 2600, 3300, 3900)


def numbers(engine: Engine) -> dict[str, str]:
    """Tell the number of each clip of the first two nights."""
    query = text("SELECT date || '/' || name, number FROM clips WHERE date < '2020-11-07' ORDER BY 1")
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


@pytest.mark.usefixtures("two_models")
def test_after_ten_more_nights_consolidations_and_a_new_model(engine: Engine, indir: Path, make_clip: MakeClip) -> None:
    for day in range(5, 7):
        for number, pitch_hz in enumerate(PITCHES_HZ):
            make_clip(f"c{number}", pitch_hz, night(day))
    ingest(engine, [indir], AUTHOR)
    merge(engine, ["F0001", "F0002"], AUTHOR)  # two pitches that nothing automatic would take for one voice
    split(engine, "F0003", [f"{night(6)}/c2"], AUTHOR)  # one pitch that anything automatic would
    different(engine, "F0004", "F0005", AUTHOR)
    move(engine, [f"{night(6)}/c5"], "F0008", AUTHOR)
    reject(engine, f"{night(6)}/c6", "F0007", AUTHOR)
    rename(engine, "F0008", "Ana", AUTHOR)
    for speaker in ("F0001", "F0004", "F0005", "F0008", f"{night(5)}/c6"):
        confirm(engine, [speaker], AUTHOR)
    corrected = numbers(engine)

    for day in range(7, 17):
        for number, pitch_hz in enumerate(PITCHES_HZ):
            make_clip(f"c{number}", pitch_hz, night(day), seed=100 * day + number)
        ingest(engine, [indir], AUTHOR)
        if day in (9, 13):
            consolidate(engine, AUTHOR)
            consolidate(engine, AUTHOR, full=True)
        if day == 11:
            reembed(engine, "second", AUTHOR)
            switch_model(engine, "second", AUTHOR)

    assert numbers(engine) == corrected
    assert corrected["2020-11-05/c0"] == corrected["2020-11-05/c1"] == "F0001"
    assert corrected["2020-11-05/c2"] != corrected["2020-11-06/c2"]
    with engine.connect() as connection:
        assert connection.execute(text("SELECT number FROM speakers WHERE name = 'Ana'")).scalar_one() == "F0008"
    assert check(engine) == []
