"""The default model gives the same embeddings whatever runs it, beside whatever, and in whatever order."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import platformdirs
import pytest
import soundfile as sf
import torch
from sqlalchemy import Engine, text
from torchaudio.compliance.kaldi import fbank

from registry.core.records import Floats
from registry.database.check import check
from registry.database.embedded import EmbeddedServer
from registry.database.reach import reach
from registry.errors import ModelUnavailable, RuntimeUnavailable
from registry.ingest import ingest
from registry.ingest.options import IngestOptions
from registry.speech.embedder import Embedder, load_embedder
from registry.speech.runtimes import campplus_files, choose, compiled_cache, has_openvino, probe
from registry.speech.runtimes.compiled_cache import Converted
from registry.speech.runtimes.mel_features import centred_features
from registry.speech.runtimes.openvino_conversion import insist_on_agreement
from registry.speech.runtimes.packing import REACH_FRAMES, STEPS, Packing, pack
from tests.conftest import AUTHOR, CORPORA, RATE, night
from tests.speech.test_embedder import cosine, voice

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
        at_once = list(threads.map(by_openvino.embed, reversed(clips)))[::-1]
    together = by_openvino.embed_together(clips)
    reordered = by_openvino.embed_together(clips[::-1])[::-1]

    assert all(np.array_equal(one, other) for one, other in zip(alone, at_once, strict=True))
    for others in (together, reordered):
        for one, other in zip(alone, others, strict=True):
            assert isinstance(other, np.ndarray)
            assert 1 - cosine(one, other) <= 1e-6


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
    compiled_cache.keep("key", Converted("0" * 64, b"graph", b"weights"))
    assert compiled_cache.load("key") == Converted("0" * 64, b"graph", b"weights")
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda _name: Path("/dev/null"))
    compiled_cache.keep("key", Converted("0" * 64, b"graph", b"weights"))
    assert compiled_cache.load("key") is None


@needs_openvino
def test_a_cache_that_holds_another_model_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, by_openvino: Embedder
) -> None:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda _name: tmp_path)
    with monkeypatch.context() as seeing_no_lie:
        seeing_no_lie.setattr(compiled_cache, "keep", poisoned(compiled_cache.keep))
        load_embedder(runtime="openvino")
    again = load_embedder(runtime="openvino")

    assert again.fingerprint == by_openvino.fingerprint
    assert cosine(again.embed(voice(2.0)), by_openvino.embed(voice(2.0))) > 0.9999


def poisoned(keep: Callable[[str, Converted], None]) -> Callable[[str, Converted], None]:
    """Keep a model of other weights under the fingerprint."""

    def keep_poisoned(key: str, converted: Converted) -> None:
        weights = np.frombuffer(converted.weights, "f4", len(converted.weights) // 4).copy()
        are_weights = (np.abs(weights) > 1e-4) & (np.abs(weights) < 10)  # the rest are shapes
        weights[are_weights] = weights[are_weights][::-1]
        keep(key, converted._replace(weights=weights.tobytes() + converted.weights[weights.nbytes :]))

    return keep_poisoned


def to_another(folder: Path) -> None:
    os.chown(folder, 65534, 65534)


def to_all(folder: Path) -> None:
    folder.chmod(0o777)


def to_a_link(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))
    folder.symlink_to(folder.with_name("elsewhere"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders to others")
@pytest.mark.parametrize("place", ["cache/models", "cache"])
@pytest.mark.parametrize("give", [to_another, to_all, to_a_link])
def test_a_cache_that_others_may_write_is_neither_read_nor_written(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    place: str,
    give: Callable[[Path], None],
) -> None:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda _name: tmp_path / "cache")
    compiled_cache.keep("key", Converted("0" * 64, b"graph", b"weights"))
    before = compiled_cache.load("key")
    give(tmp_path / place)
    is_safe = give is to_a_link and place == "cache"  # a link above, made by this user, is this user's
    after = compiled_cache.load("key")
    compiled_cache.keep("other", Converted("0" * 64, b"graph", b"weights"))

    assert (before is not None, after is not None) == (True, is_safe)
    assert ("others may write to" in caplog.text) != is_safe
    assert len(list((tmp_path / "cache" / "models").iterdir())) == 1 + is_safe


@needs_openvino
def test_the_known_embedding_is_what_torch_makes_of_the_installed_files(by_torch: Embedder) -> None:
    assert campplus_files.digest() == probe.OF_FILES
    assert cosine(by_torch.infer(probe.sound()), probe.expected()) > 0.9999


def test_what_is_converted_otherwise_than_torch_has_it_is_refused() -> None:
    with pytest.raises(ValueError, match=r"agrees with itself by torch to .* only: --runtime torch"):
        insist_on_agreement(lambda clips: [np.arange(192, dtype=np.float32) for _ in clips])


@needs_openvino
@pytest.mark.usefixtures("by_openvino")  # which has it converted
def test_a_later_run_embeds_without_torch() -> None:
    """Importing torch takes longer than all the rest of a start, pyannote.audio three times as long."""
    code = (
        "import sys, numpy, registry.speech.embedder as e;"
        "e.load_embedder(runtime='openvino').embed(numpy.ones(16000, 'f4'));"
        "print([heavy for heavy in ('torch', 'torchaudio', 'pyannote.audio', 'lightning') if heavy in sys.modules])"
    )

    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"


@pytest.fixture
def odd_torchaudio(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine whose torchaudio is of another build than its torch."""
    (tmp_path / "torchaudio.py").write_text("raise OSError('libcudart.so.13: cannot open shared object file')")
    paths = [str(tmp_path), *sys.path]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "XDG_CACHE_HOME": str(tmp_path)}


def test_a_torchaudio_of_another_build_is_named_as_such(odd_torchaudio: dict[str, str]) -> None:
    code = "import registry.speech.embedder as e; e.load_embedder(runtime='torch')"
    failed = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, env=odd_torchaudio
    )

    assert "torch, torchaudio and pyannote.audio do not work together here: libcudart.so.13" in failed.stderr
    assert "Install torch and torchaudio of one version" in failed.stderr


@needs_openvino
def test_the_default_model_needs_no_torchaudio_also_at_first(odd_torchaudio: dict[str, str]) -> None:
    code = "import numpy, registry.speech.embedder as e; print(e.load_embedder().embed(numpy.ones(16000, 'f4')).shape)"

    assert subprocess.check_output([sys.executable, "-c", code], text=True, env=odd_torchaudio) == "(192,)\n"


@pytest.mark.parametrize("duration_s", [0.025, 0.03, 0.2, 3.0, 29.7])
@pytest.mark.parametrize("loudness", [1.0, 1e-3, 0.0])
def test_features_are_those_that_torchaudio_makes(duration_s: float, loudness: float) -> None:
    clip = loudness * voice(duration_s)
    theirs = fbank(torch.from_numpy(clip)[None], num_mel_bins=80, sample_frequency=RATE, dither=0).numpy()

    np.testing.assert_allclose(centred_features(clip), theirs - theirs.mean(axis=0), atol=2e-3)


def test_less_than_a_frame_has_no_features() -> None:
    with pytest.raises(ValueError, match="at least 400 samples"):
        centred_features(np.ones(399, np.float32))


# As automated builds are not told apart, from which some packages do not report.
LISTENING = """
import os, sys
os.environ.pop("CI", None)
asked = []
def hear(event, arguments):
    if event in ("socket.getaddrinfo", "socket.connect", "socket.gethostbyname"):
        asked.append((event, arguments))
sys.addaudithook(hear)
import numpy
from registry.speech.embedder import load_embedder
load_embedder(runtime=sys.argv[1]).embed(numpy.ones(16000, "f4"))
print(asked)
"""


@pytest.mark.parametrize("runtime", ["auto", "torch"])
def test_embedding_looks_up_no_host_and_leaves_nothing_behind(tmp_path: Path, runtime: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYANNOTE_METRICS_ENABLED"}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    said = subprocess.check_output([sys.executable, "-c", LISTENING, runtime], text=True, env=environment)

    assert said == "[]\n"
    assert [path.name for path in tmp_path.iterdir() if path.name == "intel"] == []


def test_a_gpu_comes_first_and_what_is_asked_for_before_all() -> None:
    assert choose("campplus", "auto", is_campplus=True, has_gpu=True) == "torch"
    assert choose("campplus", "torch", is_campplus=True, has_gpu=False) == "torch"
    assert choose("other", "auto", is_campplus=False, has_gpu=False) == "torch"
    with pytest.raises(RuntimeUnavailable, match="OpenVINO runs campplus and ONNX files only"):
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


FRAMES = [[3], [399], [400], [401], [2999], [20, 3, 21], [101, 700, 55, 3, 199, 200, 201, 19, 3]]


@pytest.mark.parametrize("lengths", FRAMES)
def test_a_pack_says_what_is_which_clip(lengths: list[int]) -> None:
    rng = np.random.default_rng(0)
    clips = [rng.standard_normal((frames, 80)).astype(np.float32) for frames in lengths]
    packed = pack(clips)
    halves = [-(-frames // 2) for frames in lengths]

    assert np.array_equal(packed.features[0][packed.frames == 1], np.concatenate(clips))
    assert not packed.features[0][packed.frames == 0].any()
    assert 0 <= packed.features.shape[1] - sum(lengths) < (REACH_FRAMES + 1) * (len(lengths) - 1) + STEPS[-1][1]
    assert packed.member.sum(axis=0)[: len(lengths)].tolist() == packed.clip_frames[: len(lengths)].tolist() == halves
    assert np.array_equal(packed.member.sum(axis=1), packed.halved)


@pytest.mark.parametrize("lengths", FRAMES)
def test_clips_of_a_pack_are_out_of_reach_of_one_another(lengths: list[int]) -> None:
    packed = pack([np.ones((frames, 80), np.float32) for frames in lengths])
    begins = np.flatnonzero(np.diff(packed.frames, prepend=0) == 1)
    ends = np.flatnonzero(np.diff(packed.frames, append=0) == -1) + 1

    assert len(begins) == len(lengths)
    assert (begins % 2 == 0).all()
    assert (begins[1:] - ends[:-1] >= REACH_FRAMES).all()


def test_a_gate_sees_the_mean_of_its_segment_and_of_its_clip() -> None:
    packed = pack([np.ones((frames, 80), np.float32) for frames in (301, 20)])  # halved 151 and 10
    values = np.random.default_rng(0).standard_normal(len(packed.halved)).astype(np.float32)
    seen = values @ packed.pool @ packed.spread
    first, second = values[:151], values[-(-(301 + REACH_FRAMES) // 2) :][:10]

    assert np.allclose(seen[:100], first[:100].mean() + first.mean(), atol=1e-5)
    assert np.allclose(seen[100:151], first[100:].mean() + first.mean(), atol=1e-5)
    assert np.allclose(seen[packed.member[:, 1] == 1], 2 * second.mean(), atol=1e-5)


def test_clips_are_shared_out_over_calls_with_room_for_them() -> None:
    packing = Packing(lambda clips: clips, most_samples=100, gap_samples=5)
    lengths = [30, 200, 60, 30, 95, 1, 30]
    calls = packing.share_out(lengths)

    assert sorted(clip for call in calls for clip in call) == list(range(len(lengths)))
    assert all(len(call) == 1 or sum(lengths[clip] + 5 for clip in call) <= 100 for call in calls)
    assert calls == [[1], [4], [2, 0], [3, 6, 5]]
    assert packing.share_out([]) == []


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

    partition, embeddings = first
    assert found["as they are", 3][0] == partition
    assert all(np.array_equal(found["as they are", 3][1][audio], embeddings[audio]) for audio in embeddings)
    other_partition, other_embeddings = found["reversed", 2]
    assert sorted(map(sorted, other_partition.values())) == sorted(map(sorted, partition.values()))
    assert other_embeddings.keys() == embeddings.keys()
    assert all(1 - cosine(embeddings[audio], other_embeddings[audio]) <= 1e-6 for audio in embeddings)


def _who_is_who(server: EmbeddedServer, indir: Path, workers: int) -> tuple[dict[str, list[str]], dict[str, Floats]]:
    """Ingest into a fresh registry: number -> audio hashes, and audio hash -> embedding."""
    name = f"runtimes_{indir.name.replace(' ', '_')}_{workers}"
    server.ensure_database(name)
    with reach(server.url(name), create=True) as opened:
        ingest(opened.engine, [indir], AUTHOR, IngestOptions(workers=workers))
        assert check(opened.engine) == []
        return _state(opened.engine)


def _state(engine: Engine) -> tuple[dict[str, list[str]], dict[str, Floats]]:
    speakers: dict[str, list[str]] = {}
    with engine.connect() as connection:
        for number, audio_hash in connection.execute(text("SELECT number, audio_hash FROM clips ORDER BY 1, 2")):
            speakers.setdefault(number, []).append(audio_hash)
        query = text("SELECT encode(audio_hash, 'hex'), vector::text FROM embedding JOIN audio USING (audio_id)")
        return speakers, {row[0]: np.array(json.loads(row[1]), np.float32) for row in connection.execute(query)}
