"""What is forgotten leaves no bytes in the data folder of the embedded server."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psycopg
import pytest
from sqlalchemy import Engine, text

from registry.corrections.forget import forget_speaker
from registry.corrections.merge import merge
from registry.corrections.rename import rename
from registry.database.embedded import EmbeddedServer
from registry.database.reach import reach
from registry.database.store.operations import Author
from registry.ingest import ingest
from tests.conftest import AUTHOR, MakeClip, night

pytestmark = pytest.mark.usefixtures("fake_model")
WRITTEN = ("Zuleika", "Quixadá", "rua das flores", "Hermengarda", "sou-a-zuleika", "zuleika-conta")


@pytest.fixture
def server() -> Iterator[EmbeddedServer]:
    with tempfile.TemporaryDirectory(prefix="registry-forget-") as folder:
        Path(folder).chmod(0o711)
        with EmbeddedServer(Path(folder) / "home") as running:
            yield running
        running.stop()


def held(server: EmbeddedServer, traces: dict[str, bytes]) -> set[tuple[str, str]]:
    """Look for bytes in every file of the server: which was found, and in which file."""
    files = [path for path in server.home.rglob("*") if path.is_file()]
    return {
        (name, str(path.relative_to(server.home)))
        for path in files
        for name, trace in traces.items()
        if trace in path.read_bytes()
    }


def vectors_of(engine: Engine, number: str) -> dict[str, bytes]:
    """Give some bytes of each vector of a speaker, as PostgreSQL keeps them."""
    query = text("""
        SELECT clip_id, vector_send(vector) FROM clips JOIN clip USING (clip_id) JOIN embedding USING (audio_id)
        WHERE number = :number
    """)
    with engine.connect() as connection:
        sent = connection.execute(query, {"number": number}).all()
    numbers = {clip_id: np.frombuffer(bytes(vector)[4:], ">f4") for clip_id, vector in sent}
    return {f"vector {clip_id}": vector.astype("<f4").tobytes()[:48] for clip_id, vector in numbers.items()}


def test_no_file_of_the_server_holds_what_was_forgotten(
    server: EmbeddedServer, indir: Path, make_clip: MakeClip
) -> None:
    """Transcripts, names, notes, paths, command lines and vectors, in tables, indexes, statistics and logs."""
    for day in (5, 6):
        make_clip("sou-a-zuleika", 400, night(day), text="Quixadá")
        make_clip("zz-hermengarda", 2000, night(day), text="Quixadá, diz a Hermengarda")
        for person in range(3):
            make_clip(f"other{person}", 700 * (person + 5), night(day), text="bom dia")
    server.ensure_database("voices")
    with reach(server.url("voices"), create=True) as opened:
        engine = opened.engine
        ingest(engine, [indir], AUTHOR)
        with engine.connect() as connection:
            query = text("SELECT DISTINCT name, number FROM clips ORDER BY name")
            label = dict(tuple(row) for row in connection.execute(query))
        one, other = label["sou-a-zuleika"], label["zz-hermengarda"]
        rename(engine, one, "Zuleika", Author("tester", "registry rename Zuleika"), notes="rua das flores")
        rename(engine, other, "Hermengarda", Author("tester", "registry rename Hermengarda"))
        with engine.begin() as connection:
            connection.execute(text("ANALYZE"))
        with psycopg.connect(server.url("voices"), autocommit=True) as connection, pytest.raises(psycopg.Error):
            connection.execute("SELECT 'zuleika-conta' || clip_id FROM nowhere")
        merge(engine, [one, other], Author("tester", "registry merge Zuleika Hermengarda"))
        traces = {word: word.encode() for word in WRITTEN} | vectors_of(engine, one)
        assert {name for name, _ in held(server, traces)} >= traces.keys() - {"zuleika-conta"}

        forget_speaker(engine, min(one, other), AUTHOR)

        assert held(server, traces) == set()
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM clips")).scalar_one() == 6
