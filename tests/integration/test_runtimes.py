"""The default model gives the same embeddings whatever runs it, beside whatever, and in whatever order."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import platformdirs
import pytest
import soundfile as sf
from sqlalchemy import Engine, text

from registry.check import check
from registry.database import reach
from registry.embedded import EmbeddedServer
from registry.embedder import Embedder, load_embedder
from registry.errors import ModelUnavailable, RuntimeUnavailable
from registry.ingest import ingest
from registry.runtimes import choose, compiled_cache, has_openvino
from registry.runtimes.compiled_cache import Converted
from registry.runtimes.padding import STEPS, pad, padded_length
from tests.conftest import AUTHOR, CORPORA, RATE, night
from tests.integration.test_embedder import cosine, voice

LENGTHS_S = (0.1, 0.2, 0.21, 1.0, 2.5, 4.0, 10.0, 29.7, 31.0)
needs_openvino = pytest.mark.skipif(not has_openvino(), reason="openvino cannot be imported here")


@pytest.fixture(scope="module")
def by_torch() -> Embedder:
    return load_embedder(runtime="torch")


@pytest.fixture(scope="module")
def by_openvino() -> Embedder:
    return load_embedder(runtime="openvino")


@needs_openvino
@pytest.mark.parametrize("duration_s", LENGTHS_S)
def test_openvino_gives_what_torch_gives(by_torch: Embedder, by_openvino: Embedder, duration_s: float) -> None:
    clip = voice(duration_s)

    assert 1 - cosine(by_torch.embed(clip), by_openvino.embed(clip)) <= 1e-5


@needs_openvino
def test_it_is_one_model_to_the_registry_and_the_journal_tells_what_ran_it(
    by_torch: Embedder, by_openvino: Embedder
) -> None:
    assert by_torch.fingerprint == by_openvino.fingerprint
    assert by_torch.runtime.startswith("torch")
    assert by_openvino.runtime.startswith("openvino")


@needs_openvino
def test_an_embedding_does_not_depend_on_what_is_embedded_beside_it(by_openvino: Embedder) -> None:
    clips = [voice(duration_s, seed) for seed, duration_s in enumerate((1.0, 3.3, 0.4, 3.3, 7.0, 2.2))]
    alone = [by_openvino.embed(clip) for clip in clips]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(by_openvino.embed, reversed(clips)))[::-1]

    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))


@needs_openvino
def test_what_was_converted_is_kept_and_a_broken_cache_does_no_harm(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, by_openvino: Embedder
) -> None:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda _name: tmp_path)
    clip = voice(2.0)
    first = load_embedder(runtime="openvino").embed(clip)
    [kept] = (tmp_path / "models").iterdir()
    kept.write_bytes(kept.read_bytes()[:-7])
    second = load_embedder(runtime="openvino").embed(clip)

    assert np.array_equal(first, by_openvino.embed(clip))
    assert np.array_equal(second, first)
    compiled_cache.keep("key", Converted(b"graph", b"weights"))
    assert compiled_cache.load("key") == Converted(b"graph", b"weights")
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda _name: Path("/dev/null"))
    compiled_cache.keep("key", Converted(b"graph", b"weights"))
    assert compiled_cache.load("key") is None


def test_a_gpu_comes_first_and_what_is_asked_for_before_all() -> None:
    assert choose("campplus", "auto", is_campplus=True, has_gpu=True) == "torch"
    assert choose("campplus", "torch", is_campplus=True, has_gpu=False) == "torch"
    assert choose("other", "auto", is_campplus=False, has_gpu=False) == "torch"
    with pytest.raises(RuntimeUnavailable, match="OpenVINO runs campplus only"):
        choose("other", "openvino", is_campplus=False, has_gpu=False)


@needs_openvino
def test_bf16_is_a_model_of_its_own_that_agrees(by_openvino: Embedder) -> None:
    try:
        bf16 = load_embedder("campplus-bf16")
    except ModelUnavailable as error:
        pytest.skip(f"no bf16 here: {error}")
    clips = [voice(duration_s, seed) for seed, duration_s in enumerate((1.0, 2.0, 5.0, 12.0))]

    assert bf16.fingerprint != by_openvino.fingerprint
    assert bf16.runtime.endswith("bf16")
    assert min(cosine(bf16.embed(clip), by_openvino.embed(clip)) for clip in clips) >= 0.998
    with pytest.raises(RuntimeUnavailable):
        load_embedder("campplus-bf16", "torch")


@pytest.mark.parametrize("frames", [3, 19, 20, 21, 399, 400, 401, 1001, 2999])
def test_padding_says_what_is_the_clip(frames: int) -> None:
    features = np.random.default_rng(0).standard_normal((frames, 80)).astype(np.float32)
    padded = pad(features)
    length = padded_length(frames)

    assert padded.features.shape == (1, length, 80)
    assert 0 <= length - frames < STEPS[-1][1]
    assert np.array_equal(padded.features[0, :frames], features)
    assert not padded.features[0, frames:].any()
    assert padded.frames.sum() == frames
    assert padded.halved.sum() == padded.clip_frames == -(-frames // 2)


@pytest.mark.skipif(not CORPORA.exists(), reason="the labelled speech is not beside this checkout")
def test_neither_workers_nor_the_order_of_files_change_who_is_who(server: EmbeddedServer, tmp_path: Path) -> None:
    """Two nights of real speech, named in one order and in the other, with one worker, two and three."""
    sounds = sorted((CORPORA / "emodb").rglob("*.flac"))[:160:5]
    for order in ("as they are", "reversed"):
        for place, path in enumerate(sounds if order == "as they are" else sounds[::-1]):
            folder = tmp_path / order / night(5 + sounds.index(path) % 2)
            folder.mkdir(parents=True, exist_ok=True)
            audio, rate = sf.read(path, dtype="int16")
            assert rate == RATE
            sf.write(folder / f"{place:03d}.wav", audio, rate)
            (folder / f"{place:03d}.txt").write_text("x\n")
    found = {
        (order, workers): _who_is_who(server, tmp_path / order, workers)
        for order, workers in (("as they are", 1), ("as they are", 3), ("reversed", 2))
    }
    first = found["as they are", 1]

    assert found["as they are", 3] == first
    partition, embeddings = first
    other_partition, other_embeddings = found["reversed", 2]
    assert sorted(map(sorted, other_partition.values())) == sorted(map(sorted, partition.values()))
    assert other_embeddings == embeddings


def _who_is_who(server: EmbeddedServer, indir: Path, workers: int) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Ingest into a fresh registry: number -> audio hashes, and audio hash -> embedding."""
    name = f"runtimes_{indir.name.replace(' ', '_')}_{workers}"
    server.ensure_database(name)
    with reach(server.url(name), create=True) as opened:
        ingest(opened.engine, [indir], AUTHOR, workers=workers)
        assert check(opened.engine) == []
        return _state(opened.engine)


def _state(engine: Engine) -> tuple[dict[str, list[str]], dict[str, str]]:
    speakers: dict[str, list[str]] = {}
    with engine.connect() as connection:
        for number, audio_hash in connection.execute(text("SELECT number, audio_hash FROM clips ORDER BY 1, 2")):
            speakers.setdefault(number, []).append(audio_hash)
        query = text("SELECT encode(audio_hash, 'hex'), vector::text FROM embedding JOIN audio USING (audio_id)")
        return speakers, {row[0]: row[1] for row in connection.execute(query)}
