"""Fixtures for all tests: a real PostgreSQL, a fresh registry for every test, a fake model, audio to feed it."""

import datetime as dt
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import hypothesis
import numpy as np
import psycopg
import pytest
import soundfile as sf
from sqlalchemy import Engine, text

from registry.core.records import Floats
from registry.corrections.change import Change, change
from registry.database.check import check
from registry.database.embedded import EmbeddedServer
from registry.database.reach import reach
from registry.database.store import corrections
from registry.database.store.operations import Author
from registry.speech.embedder import Embedder

SOURCE = Path(__file__).resolve().parents[1]
os.environ["PYTHONPATH"] = os.pathsep.join([str(SOURCE), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)  # first
os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="registry-state-")  # where it is noted what a test named
os.environ["REGISTRY_LINGER_S"] = "0"  # a test leaves no server behind

# How long an example takes says how busy the machine is, not whether the example holds.
hypothesis.settings.register_profile("unhurried", hypothesis.settings.default, deadline=None)
hypothesis.settings.load_profile("unhurried")

CORPORA = Path(__file__).resolve().parents[2] / "shared" / "corpora"
RATE = 16_000
AUTHOR = Author("tester", "pytest")


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A folder for the embedded server that its own account can reach too."""
    folder = Path(tempfile.mkdtemp(prefix="registry-tests-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server(home: Path) -> Iterator[EmbeddedServer]:
    """One server for the whole run, which need not survive a loss of power."""
    with EmbeddedServer(home) as running:
        with psycopg.connect(running.url("postgres"), autocommit=True) as connection:
            for unhurried in ("fsync = off", "full_page_writes = off", "synchronous_commit = off"):
                connection.execute(f"ALTER SYSTEM SET {unhurried}")
            connection.execute("SELECT pg_reload_conf()")
        yield running


@pytest.fixture(scope="session")
def template(server: EmbeddedServer) -> str:
    """A migrated database to copy for each test."""
    server.ensure_database("template_registry")
    with reach(server.url("template_registry"), create=True):
        pass
    return "template_registry"


@contextmanager
def new_database(server: EmbeddedServer, template: str) -> Iterator[str]:
    """Make a fresh registry and give its URL."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        yield server.url(name)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def database_url(server: EmbeddedServer, template: str) -> Iterator[str]:
    """The URL of a fresh registry."""
    with new_database(server, template) as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A fresh registry."""
    with reach(database_url) as opened:
        yield opened.engine


@pytest.fixture
def ends_sound(engine: Engine) -> Iterator[None]:
    """Let a scenario end with a sound registry."""
    yield
    assert check(engine) == []


def bands(samples: Floats, count: int, width_hz: int) -> Floats:
    """Sum up the spectrum of samples in bands from 0 Hz up, to unit length."""
    spectrum = np.abs(np.fft.rfft(samples, n=RATE))[: count * width_hz].reshape(count, width_hz).sum(axis=1)
    unit: Floats = (spectrum / np.linalg.norm(spectrum)).astype(np.float32)
    return unit


def fake_infer(samples: Floats) -> Floats:
    """Hear a voice as the pitches it is made of: equal tones are one voice, other tones are strangers."""
    return bands(samples, 40, 100)


@pytest.fixture
def fake_model(monkeypatch: pytest.MonkeyPatch) -> Embedder:
    """Stand in for the only slow and foreign part, the model."""
    embedder = Embedder("campplus", "fake-fingerprint", 40, 1, fake_infer)
    monkeypatch.setattr("registry.ingest.model_in_use.load_embedder", lambda *_: embedder)
    return embedder


def second_infer(samples: Floats) -> Floats:
    """Hear the same voices in another space: the same tones, summed up in other bands."""
    return bands(samples, 48, 83)


LOADERS = ("registry.ingest.model_in_use", "registry.whois", "registry.ingest.reembed")


@pytest.fixture
def two_models(fake_model: Embedder, monkeypatch: pytest.MonkeyPatch) -> dict[str, Embedder]:
    """Stand in for two models, by name; a test may put others in their places."""
    models = {"campplus": fake_model, "second": Embedder("second", "second-fingerprint", 48, 1, second_infer)}
    for module in LOADERS:
        monkeypatch.setattr(f"{module}.load_embedder", lambda name="campplus", _=None: models[name])
    return models


def voice(pitch_hz: float, seconds: float = 1.0, seed: int = 0, rate: int = RATE) -> Floats:
    """Make a clip of a fake voice: a tone with a little noise, different for every seed."""
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).standard_normal(len(time))
    return (0.3 * np.sin(2 * np.pi * pitch_hz * time) + 0.003 * noise).astype(np.float32)


MakeClip = Callable[..., Path]


@pytest.fixture
def indir(tmp_path: Path) -> Path:
    """An empty input folder."""
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where to export to; not there yet."""
    return tmp_path / "out"


@pytest.fixture
def make_clip(indir: Path) -> MakeClip:
    """Write one pair into a group of the input folder, and give the path of its .wav."""

    def write(
        name: str,
        pitch_hz: float = 400.0,
        group: str = "andaiafm_F20201105",
        *,
        seed: int | None = None,
        seconds: float = 1.0,
        rate: int = RATE,
        text: str = "bom dia",
    ) -> Path:
        folder = indir / group
        folder.mkdir(exist_ok=True, parents=True)
        audio = voice(pitch_hz, seconds, seed if seed is not None else sum(map(ord, name + group)), rate)
        sf.write(folder / f"{name}.wav", audio, rate, subtype="PCM_16")
        (folder / f"{name}.txt").write_text(text + "\n", encoding="utf-8")
        return folder / f"{name}.wav"

    return write


def night(day: int, gender: str = "F", broadcaster: str = "andaiafm") -> str:
    """Name a group of a November night."""
    return f"{broadcaster}_{gender}{dt.date(2020, 11, day):%Y%m%d}"


def tree(folder: Path) -> dict[str, bytes]:
    """Read every file below a folder, hidden ones too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def mistake(engine: Engine, names: list[str], number: str | None) -> None:
    """Give clips to a wrong speaker, or to a new one, as no person said."""

    def act(under_way: Change) -> Mapping[str, object]:
        connection, operation_id = under_way.connection, under_way.operation_id
        values = {"names": names, "number": number, "operation": operation_id}
        clip_ids = connection.execute(text("SELECT clip_id FROM clips WHERE name = ANY(:names)"), values).scalars()
        found = "SELECT speaker_id FROM speakers WHERE number = :number"
        made = "INSERT INTO speaker (gender, operation_id) VALUES ('F', :operation) RETURNING speaker_id"
        speaker_id = connection.execute(text(found if number else made), values).scalar_one()
        corrections.reassign(connection, list(clip_ids), speaker_id, "matched", operation_id)
        return {}

    change(engine, AUTHOR, "ingest", act)


@pytest.fixture
def embedded(fake_model: Embedder, monkeypatch: pytest.MonkeyPatch) -> list[Floats]:
    """List what the fake model was asked to embed."""
    asked: list[Floats] = []

    def infer(samples: Floats) -> Floats:
        asked.append(samples)
        return fake_infer(samples)

    listening = replace(fake_model, infer=infer)
    monkeypatch.setattr("registry.ingest.model_in_use.load_embedder", lambda *_: listening)
    return asked


pytest_plugins = [
    "tests.fix_disks",
    "tests.fix_hostile",
    "tests.fix_places",
    "tests.fix_program",
    "tests.fix_s3",
    "tests.fix_server",
]
