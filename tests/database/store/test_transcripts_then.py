"""A transcript that was replaced is still exported as it was then."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from registry.corrections.forget import forget_speaker
from registry.database.check import check
from registry.export import export
from registry.export.files import LinkMode
from registry.ingest import ingest
from tests.conftest import AUTHOR, MakeClip, tree


def transcripts(folder: Path) -> list[bytes]:
    return [content for path, content in sorted(tree(folder).items()) if path.endswith(".txt")]


@pytest.mark.usefixtures("fake_model")
@pytest.mark.parametrize("mode", ["copy", "hardlink", "symlink"])
def test_each_as_of_has_its_own_transcript(
    engine: Engine, indir: Path, make_clip: MakeClip, tmp_path: Path, mode: LinkMode
) -> None:
    wav = make_clip("a")
    ingest(engine, [indir], AUTHOR)
    for content in (b"boa tarde\n", "boa n\xe3o-utf8\n".encode("latin-1")):
        wav.with_suffix(".txt").write_bytes(content)
        ingest(engine, [indir], AUTHOR)
    for operation_id in (1, 2, 3):
        export(engine, tmp_path / f"{operation_id}", mode=mode, as_of=operation_id)
        export(engine, tmp_path / f"{operation_id}", mode=mode, as_of=operation_id)

    assert [transcripts(tmp_path / name) for name in "123"] == [
        [b"bom dia\n"],
        [b"boa tarde\n"],
        ["boa n\xe3o-utf8\n".encode("latin-1")],
    ]
    forget_speaker(engine, "F0001", AUTHOR)
    assert check(engine) == []
