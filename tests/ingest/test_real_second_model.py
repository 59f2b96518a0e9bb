"""From the real default model over to a real checkpoint of somebody's own, and back."""

from pathlib import Path

import pytest
import soundfile as sf
from sqlalchemy import Engine, text

from registry.corrections.switch_model import switch_model
from registry.corrections.undo import undo
from registry.database.check import check
from registry.errors import UndoRefused
from registry.export import export
from registry.ingest import ingest
from registry.ingest.reembed import reembed
from tests.conftest import AUTHOR, night, tree
from tests.speech.test_embedder import SECOND, no_telemetry, voice, wespeaker  # noqa: F401 - two are fixtures


def lay_night(indir: Path, day: int) -> None:
    folder = indir / night(day)
    folder.mkdir()
    for seed in range(3):
        sf.write(folder / f"{seed}.wav", voice(2.0 + day / 10, seed), SECOND, subtype="PCM_16")
        (folder / f"{seed}.txt").write_text("bom dia\n")


def dimensions(engine: Engine) -> dict[int, int]:
    query = text("SELECT vector_dims(vector), count(*) FROM embedding GROUP BY 1")
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def test_campplus_and_a_wespeaker_checkpoint(
    engine: Engine,
    indir: Path,
    tmp_path: Path,
    wespeaker: Path,  # noqa: F811 - a fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(wespeaker.parent)
    lay_night(indir, 5)
    ingest(engine, [indir], AUTHOR)
    export(engine, tmp_path / "before")
    filled = reembed(engine, "./wespeaker.ckpt", AUTHOR)
    assert (filled.model, filled.embedded, filled.rejected) == (str(wespeaker), 3, ())
    switched = switch_model(engine, "wespeaker.ckpt", AUTHOR)
    export(engine, tmp_path / "after")
    assert tree(tmp_path / "after") == tree(tmp_path / "before")
    assert sum(one.clips + one.alone for one in switched.report.genders) == 3
    assert check(engine) == []

    lay_night(indir, 6)
    ingest(engine, [indir], AUTHOR)
    assert dimensions(engine) == {192: 3, 256: 6}
    operation_id = int(str(switched.outcome.operation_id))
    with pytest.raises(UndoRefused, match="3 clips have no embedding under campplus"):
        undo(engine, operation_id, AUTHOR)
    assert reembed(engine, "campplus", AUTHOR).embedded == 3
    undo(engine, operation_id, AUTHOR)
    assert dimensions(engine) == {192: 6, 256: 6}
    assert check(engine) == []
