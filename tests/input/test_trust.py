"""A row of the database is data: it chooses neither what is run here nor from where anything is fetched."""

import os
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import pytest
from sqlalchemy import Engine, text

from registry.errors import ModelUnnamed, SettingUnreadable
from registry.export import export
from registry.files import private_files
from registry.ingest import ingest
from registry.ingest.options import IngestOptions
from registry.ingest.reembed import reembed
from registry.input import trust
from registry.input.remote import RemotePath, to_path
from registry.speech.embedder import Embedder
from registry.whois import whois
from tests.conftest import AUTHOR, MakeClip, fake_infer, night
from tests.fix_hostile import Program

EVIL = "memory://evil/a.wav"


@pytest.fixture(autouse=True)
def nobody_named_anything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(trust, "named_here", {"models": set(), "sources": set()})


@pytest.fixture
def asked_for(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """List the URLs of which anything was asked."""
    asked: list[str] = []

    def ask(url: str, *_: object, **__: object) -> object:
        asked.append(url)
        raise FileNotFoundError(url)

    monkeypatch.setattr("registry.input.remote._ask", ask)
    return asked


def update(engine: Engine, statement: str, value: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement), {"value": value})


ACTS: dict[str, Callable[[Engine, Path], object]] = {
    "ingest": lambda engine, indir: ingest(engine, [indir], AUTHOR),
    "whois": lambda engine, indir: whois(engine, [indir / night(5) / "a.wav"]),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_model_that_only_the_database_names_is_not_run(
    engine: Engine, indir: Path, make_clip: MakeClip, tmp_path: Path, act: Callable[[Engine, Path], object]
) -> None:
    made, checkpoint = tmp_path / "made", tmp_path / "evil.ckpt"
    checkpoint.write_bytes(pickle.dumps(Program(made)))
    make_clip("a")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            "registry.ingest.model_in_use.load_embedder", lambda *_: Embedder("campplus", "fake", 40, 1, fake_infer)
        )
        ingest(engine, [indir], AUTHOR)
    update(engine, "UPDATE embedding_model SET name = :value", str(checkpoint))
    make_clip("b", 800)

    with pytest.raises(ModelUnnamed, match=f"--model {checkpoint}, or REGISTRY_MODELS={checkpoint}"):
        act(engine, indir)
    assert not made.exists()


@pytest.mark.usefixtures("fake_model")
def test_a_model_that_a_person_named_once_is_loaded_from_then_on(
    engine: Engine, indir: Path, make_clip: MakeClip, two_models: dict[str, Embedder]
) -> None:
    make_clip("a")
    ingest(engine, [indir], AUTHOR, IngestOptions(model="second"))
    trust.named_here["models"].clear()  # as in another process
    make_clip("b")

    assert ingest(engine, [indir], AUTHOR).total["new"] == 1
    assert two_models["second"].name == "second"


def test_a_model_may_be_named_by_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_MODELS", "owner/model '/data/my models/a.ckpt'")

    assert trust.insist_on_model("/data/my models/a.ckpt") == "/data/my models/a.ckpt"
    with pytest.raises(ModelUnnamed):
        trust.insist_on_model("owner/other")


@pytest.mark.parametrize("word", ["~/m.ckpt", "./m.ckpt", "m.ckpt"])
def test_the_setting_takes_a_path_as_the_option_does(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.ckpt").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("REGISTRY_MODELS", f"~nobody-of-this-name/m.ckpt {word}")

    assert trust.is_program_trusted(str(tmp_path / "m.ckpt"))


@pytest.mark.parametrize("setting", ["REGISTRY_MODELS", "REGISTRY_SOURCES"])
def test_a_setting_that_is_no_list_of_words_is_named(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(setting, "it's")

    with pytest.raises(SettingUnreadable, match=f"{setting} in the environment cannot be read: No closing quotation"):
        trust.insist_on_model("owner/model") if setting == "REGISTRY_MODELS" else trust.insist_on_source("s3://ours")


@pytest.mark.usefixtures("two_models")
def test_nothing_is_fetched_from_a_url_that_only_the_database_names(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, asked_for: list[str]
) -> None:
    make_clip("a")
    ingest(engine, [indir], AUTHOR)
    update(engine, "UPDATE clip SET wav_path = :value", EVIL)
    reembedded, exported = reembed(engine, "second", AUTHOR), export(engine, out)
    again = ingest(engine, [indir], AUTHOR)

    assert asked_for == []
    assert "nobody of this machine named this URL: put it" in reembedded.rejected[0].message
    assert "REGISTRY_SOURCES" in exported.rejected[0].message
    assert again.total["rejected"] == 0


def test_a_source_is_named_by_an_ingest_or_by_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    trust.name_sources([to_path("s3://ours/nights"), Path("/nights")])
    trust.named_here["sources"].clear()
    monkeypatch.setenv("REGISTRY_SOURCES", "s3://archive")

    assert type(trust.stored_path("s3://ours/nights/a.wav")) is RemotePath
    assert type(trust.stored_path("s3://archive/2020/a.wav")) is RemotePath
    assert trust.stored_path("/nights/a.wav") == Path("/nights/a.wav")


def test_what_two_processes_name_at_once_is_all_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, are_both_to_write = private_files.write, Barrier(2, timeout=0.5)

    def write_beside_another(path: Path, content: bytes) -> None:
        with suppress(BrokenBarrierError):
            are_both_to_write.wait()
        write(path, content)

    monkeypatch.setattr(private_files, "write", write_beside_another)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(trust.name_sources, ([to_path("s3://one")], [to_path("s3://two")])))

    assert (tmp_path / "state" / "speaker-registry" / "sources").read_text() == "s3://one\ns3://two\n"


@pytest.mark.parametrize(
    "url",
    [
        "s3://ours/nights-of-others/a.wav",
        "s3://ours/a.wav",
        "s3://ours/nights/../../others/a.wav",
        "s3://ours/nights/a.wav::http://others/a.wav",
        "http://ours/nights/a.wav",
    ],
)
def test_what_is_beside_a_named_source_is_not_named(url: str) -> None:
    trust.name_sources([to_path("s3://ours/nights/")])
    stored = trust.stored_path(url)

    assert isinstance(stored, trust.UnnamedPath)
    with pytest.raises(PermissionError, match="REGISTRY_SOURCES"):
        stored.stat()
    with pytest.raises(PermissionError, match="REGISTRY_SOURCES"):
        stored.fetch(Path("/dev/null"))
    with pytest.raises(PermissionError, match="REGISTRY_SOURCES"):
        stored.iterdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
def test_what_another_wrote_down_was_not_named(tmp_path: Path) -> None:
    trust.name_model("owner/model")
    trust.named_here["models"].clear()
    os.chown(tmp_path / "state" / "speaker-registry" / "models", 65534, 65534)

    with pytest.raises(ModelUnnamed):
        trust.insist_on_model("owner/model")
