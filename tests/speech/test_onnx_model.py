"""An ONNX file embeds as the model in it does; what it cannot be, or could do, is refused."""

import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile as sf
import torch
from onnx import TensorProto, helper
from sqlalchemy import Engine, text
from torchaudio.compliance.kaldi import get_mel_banks

from registry.corrections.switch_model import switch_model
from registry.database.check import check
from registry.database.embedded import EmbeddedServer
from registry.database.reach import reach
from registry.errors import ModelMismatch, ModelUnavailable, ModelUnnamed, RuntimeUnavailable
from registry.ingest import ingest
from registry.ingest.options import IngestOptions
from registry.ingest.reembed import reembed
from registry.input import trust
from registry.input.conversation import sample_folder
from registry.speech.embedder import Embedder, load_embedder
from registry.speech.runtimes import campplus_network, has_openvino
from registry.speech.runtimes.extraction import Extraction, Features
from registry.whois import whois
from tests.conftest import AUTHOR, RATE, new_database, night
from tests.onnx_graphs import Ports, elsewhere, graph
from tests.speech.test_embedder import cosine, no_telemetry, voice, wespeaker  # noqa: F401 - two are fixtures

pytestmark = pytest.mark.skipif(not has_openvino(), reason="openvino cannot be imported here")
STATED = {  # as sherpa-onnx has it in models of 3D-Speaker
    "framework": "3d-speaker",
    "language": "English",
    "sample_rate": "16000",
    "output_dim": "192",
    "normalize_samples": "1",
    "feature_normalize_type": "global-mean",
}


class OnSamples(torch.nn.Module):
    """CAM++ with its features inside the graph: all before the power spectrum is one convolution."""

    kernels: torch.Tensor
    mel: torch.Tensor

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network
        emphasis = np.eye(400) - 0.97 * np.eye(400, k=-1)
        emphasis[0, 0] = 1 - 0.97
        shaped = (np.hanning(400) ** 0.85)[:, None] * (emphasis @ (np.eye(400) - 1 / 400))
        turns = 2 * np.pi * np.outer(np.arange(256), np.arange(400)) / 512
        kernels = np.concatenate([np.cos(turns) @ shaped, np.sin(turns) @ shaped])
        self.register_buffer("kernels", torch.from_numpy(kernels[:, None]).float())
        self.register_buffer("mel", get_mel_banks(80, 512, 16000, 20, 0, 100, -500, 1.0)[0])

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        spectrum = torch.nn.functional.conv1d(samples[:, None], self.kernels, stride=160)
        power = spectrum[:, :256] ** 2 + spectrum[:, 256:] ** 2
        bands = torch.log(torch.clamp(self.mel @ power, min=torch.finfo(torch.float32).eps)).transpose(1, 2)
        embedding: torch.Tensor = self.network(bands - bands.mean(dim=1, keepdim=True))
        return embedding


class Second(torch.nn.Module):
    """The second of what a network gives."""

    kernels: torch.Tensor
    mel: torch.Tensor

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        embedding: torch.Tensor = self.network(features)[1]
        return embedding


def export(module: torch.nn.Module, example: torch.Tensor, path: Path, names: tuple[str, str] = ("x", "y")) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that this exporter is the old one; the new one needs another package
        torch.onnx.export(
            module,
            (example,),
            str(path),
            dynamo=False,
            input_names=[names[0]],
            output_names=[names[1]],
            dynamic_axes={names[0]: {0: "N", 1: "T"}, names[1]: {0: "N"}},
        )
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("onnx")


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    network = campplus_network.build().eval()
    network.load_state_dict(campplus_network.weights(), strict=True)
    return network


@pytest.fixture(scope="module")
def bare(folder: Path, network: torch.nn.Module) -> Path:
    """CAM++ as an exporter leaves it that says nothing: features in."""
    return export(network, torch.zeros(1, 333, 80), folder / "bare.onnx")


@pytest.fixture(scope="module")
def described(folder: Path, bare: Path) -> Path:
    """CAM++ as sherpa-onnx publishes it."""
    model = onnx.load(bare)
    helper.set_model_props(model, STATED)
    onnx.save(model, folder / "campplus.onnx")
    return folder / "campplus.onnx"


@pytest.fixture(scope="module")
def on_samples(folder: Path, network: torch.nn.Module) -> Path:
    """CAM++ with all that comes before it inside."""
    return export(OnSamples(network).eval(), torch.zeros(1, 48_000), folder / "samples.onnx")


@pytest.fixture(scope="module")
def campplus() -> Embedder:
    return load_embedder()


@pytest.fixture
def beside(bare: Path) -> Iterator[Callable[[str], Path]]:
    """Write the file beside the model that says nothing, and give the model's path."""
    path = bare.with_name("bare.onnx.toml")

    def write(content: str) -> Path:
        path.write_text(content, encoding="utf-8")
        return bare

    yield write
    path.unlink(missing_ok=True)


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[onnx.ModelProto], str]:
    def save(model: onnx.ModelProto) -> str:
        (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
        return str(tmp_path / "model.onnx")

    return save


@pytest.mark.parametrize("which", ["described", "on_samples"])
def test_campplus_in_onnx_embeds_as_campplus_does(
    campplus: Embedder, request: pytest.FixtureRequest, which: str
) -> None:
    loaded = load_embedder(str(request.getfixturevalue(which)))
    clips = [voice(duration_s) for duration_s in (0.02, 0.1, 0.5, 1.0, 1.99, 2.01, 7.3, 31.0)]

    assert (loaded.dimension, loaded.minimum_samples) == (192, campplus.minimum_samples)
    assert min(cosine(loaded.embed(clip), campplus.embed(clip)) for clip in clips) >= 1 - 1e-5


def test_wespeaker_in_onnx_embeds_as_it_does_in_pyannote(
    wespeaker: Path,  # noqa: F811 - a fixture
    tmp_path: Path,
) -> None:
    """By the names that WeSpeaker's exporter gives, without a word about features."""
    from pyannote.audio import Model

    in_pyannote = load_embedder(str(wespeaker))
    network = Second(Model.from_pretrained(wespeaker).resnet).eval()
    path = export(network, torch.zeros(1, 200, 80), tmp_path / "wespeaker.onnx", ("feats", "embs"))
    in_onnx = load_embedder(str(path))
    clips = [voice(duration_s) for duration_s in (0.5, 1.7, 6.0)]

    assert min(cosine(in_onnx.embed(clip), in_pyannote.embed(clip)) for clip in clips) >= 1 - 1e-5


def test_it_is_recorded_by_its_path_and_loads_as_it_did(described: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(described.parent)
    loaded = load_embedder("./campplus.onnx", "openvino")

    assert loaded.name == str(described)
    assert loaded.runtime.startswith("openvino")
    assert loaded.fingerprint == load_embedder(str(described)).fingerprint


def test_what_the_file_beside_states_comes_first_and_is_part_of_the_fingerprint(
    campplus: Embedder, beside: Callable[[str], Path]
) -> None:
    clip = voice(3.0)
    right, scaled, windowed = (
        load_embedder(str(beside(content)))
        for content in (
            'framework = "3d-speaker"',
            'framework = "3d-speaker"\nnormalize_samples = 0',
            'framework = "3d-speaker"\nwindow_type = "hamming"',
        )
    )

    assert cosine(right.embed(clip), campplus.embed(clip)) >= 1 - 1e-5
    assert cosine(windowed.embed(clip), campplus.embed(clip)) < 1 - 1e-5
    assert len({one.fingerprint for one in (right, scaled, windowed, campplus)}) == 4


def test_the_same_stated_in_other_words_is_the_same_model(beside: Callable[[str], Path]) -> None:
    short = load_embedder(str(beside('framework = "3d-speaker"'))).fingerprint
    long = 'normalize_samples = 1\nfeature_normalize_type = "global-mean"\nwindow_type = "povey"\nsample_rate = 16000'

    assert load_embedder(str(beside(long))).fingerprint == short


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "nothing tells which: its metadata, or FILE.onnx.toml beside it, has to state framework"),
        (
            'framework = "3d-speaker"\nwindow = "povey"',
            r"bare\.onnx\.toml beside it states window; known are feat_dim,",
        ),
        ("framework =", r"bare\.onnx\.toml beside it is no TOML"),
    ],
)
def test_a_file_beside_that_is_not_understood_is_refused(
    beside: Callable[[str], Path], content: str, says: str
) -> None:
    with pytest.raises(ModelUnavailable, match=says):
        load_embedder(str(beside(content)))


def test_torch_does_not_run_it(described: Path) -> None:
    with pytest.raises(RuntimeUnavailable, match="OpenVINO only"):
        load_embedder(str(described), "torch")


def test_it_needs_neither_torch_nor_a_host(described: Path) -> None:
    code = (
        "import os, sys; os.environ.pop('CI', None); asked = []\n"
        "sys.addaudithook(lambda event, args: asked.append(args) if event.startswith('socket.') else None)\n"
        "import numpy; from registry.speech.embedder import load_embedder\n"
        "load_embedder(sys.argv[1]).embed(numpy.ones(16000, 'f4')); print(asked, 'torch' in sys.modules)"
    )

    assert subprocess.check_output([sys.executable, "-c", code, str(described)], text=True) == "[] False\n"


@pytest.mark.parametrize("location", ["secret", "../secret", "{folder}/secret", "*/_ORT_MEM_ADDR_/*"])
def test_no_other_file_is_read(
    saved: Callable[[onnx.ModelProto], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: str
) -> None:
    (tmp_path / "secret").write_bytes(np.arange(4, dtype=np.float32).tobytes())
    monkeypatch.chdir(tmp_path)
    weights = elsewhere(location.format(folder=tmp_path))
    name = saved(graph({"x": [1, "n"]}, {"y": [1, "n"]}, weights=weights))

    with pytest.raises(ModelUnavailable, match="keeps weights in other files; save it as one file"):
        load_embedder(name)


def nemo_like() -> onnx.ModelProto:
    """Give of each band the mean square times the frames that there are said to be, after logits."""
    nodes = [
        helper.make_node("Identity", ["audio_signal"], ["logits"]),
        helper.make_node("Mul", ["audio_signal", "audio_signal"], ["squares"]),
        helper.make_node("ReduceMean", ["squares"], ["means"], axes=[2], keepdims=0),
        helper.make_node("Cast", ["length"], ["frames"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["means", "frames"], ["embs"]),
    ]
    ports: Ports = {"audio_signal": ["N", 80, "T"], "length": ["N"], "logits": ["N", 80, "T"], "embs": ["N", 80]}
    info = {
        name: helper.make_tensor_value_info(name, TensorProto.INT64 if name == "length" else TensorProto.FLOAT, shape)
        for name, shape in ports.items()
    }
    inputs, outputs = [info["audio_signal"], info["length"]], [info["logits"], info["embs"]]
    return helper.make_model(
        helper.make_graph(nodes, "g", inputs, outputs), opset_imports=[helper.make_opsetid("", 17)]
    )


def test_a_model_of_nemo_is_given_bands_before_frames_and_how_many(saved: Callable[[onnx.ModelProto], str]) -> None:
    clip = voice(3.0)
    features = Extraction(1, Features("nemo", "hann", "mean and deviation")).given(clip)
    embedding = load_embedder(saved(nemo_like())).embed(clip)

    np.testing.assert_allclose(embedding, (features**2).mean(axis=0) * len(features), rtol=1e-4)


def foreign_operation() -> onnx.ModelProto:
    model = graph({"x": [1, "n"]}, {"y": [1, "n"]})
    model.graph.node[0].domain, model.graph.node[0].op_type = "com.example", "Shell"
    return model


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (
            graph({"x": [1, "n", 7]}, {"y": [1, "n", 7]}),
            r"its input is x \[1,\?,7\] of f32; a model takes samples here",
        ),
        (graph({"x": [1, "n"]}, {"y": [1, "n"], "z": [1, "n"]}), "its outputs are y .*, z"),
        (graph({"feats": [1, "n", 80]}, {"embs": [1, "n", 80]}), "not one vector for a sound"),
        (graph({"x": [1, "n"]}, {"y": [1, "n"]}), "more numbers for a longer sound"),
        (foreign_operation(), "com.example.Shell"),
    ],
)
def test_a_model_that_embeds_no_sound_is_refused(
    saved: Callable[[onnx.ModelProto], str], model: onnx.ModelProto, says: str
) -> None:
    with pytest.raises(ModelUnavailable, match=says):
        load_embedder(saved(model))


def test_a_file_that_is_no_model_is_refused(described: Path, tmp_path: Path) -> None:
    content = described.read_bytes()
    cut, folder = tmp_path / "cut.onnx", tmp_path / "folder.onnx"
    folder.mkdir()
    for damaged in (content[: len(content) // 2], content[:-1], b"", b"no model", b"<net/>"):
        cut.write_bytes(damaged)
        with pytest.raises(ModelUnavailable, match=r"cut\.onnx cannot be loaded"):
            load_embedder(str(cut))
    with pytest.raises(ModelUnavailable, match="it is no regular file"):
        load_embedder(str(folder))
    with pytest.raises(ModelUnavailable, match="No such file"):
        load_embedder("models/none.onnx")


def lay_nights(indir: Path) -> None:
    """Two nights of the two women of the conversation inside pyannote.audio."""
    audio, rate = sf.read(sample_folder() / "sample.wav", dtype="int16")
    assert rate == RATE
    lines = (sample_folder() / "sample.rttm").read_text(encoding="utf-8").splitlines()
    for place, fields in enumerate(map(str.split, lines)):
        folder = indir / night(5 + place % 2)
        folder.mkdir(exist_ok=True)
        start, duration = round(float(fields[3]) * RATE), round(float(fields[4]) * RATE)
        sf.write(folder / f"{place:03d}.wav", audio[start : start + duration], rate)
        (folder / f"{place:03d}.txt").write_text("bom dia\n")


def who_is_who(engine: Engine) -> Mapping[str, str]:
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(text("SELECT name, number FROM clips"))}


def test_nights_have_the_speakers_of_campplus(
    server: EmbeddedServer, template: str, indir: Path, described: Path
) -> None:
    lay_nights(indir)
    found = []
    for model in ("campplus", str(described)):
        with new_database(server, template) as url, reach(url) as opened:
            ingest(opened.engine, [indir], AUTHOR, IngestOptions(model=model))
            found.append(who_is_who(opened.engine))
            (answer,) = whois(opened.engine, [indir / night(5) / "000.wav"])

            assert check(opened.engine) == []
            assert answer.candidates[0].label.endswith(found[-1]["000"])

    assert found[1] == found[0]
    assert len(set(found[0].values())) > 1


def test_a_registry_moves_over_to_an_onnx_file(engine: Engine, indir: Path, described: Path) -> None:
    lay_nights(indir)
    ingest(engine, [indir], AUTHOR)
    clips = len(who_is_who(engine))
    filled = reembed(engine, str(described), AUTHOR)
    switch_model(engine, str(described), AUTHOR)

    assert (filled.model, filled.embedded, filled.rejected) == (str(described), clips, ())
    assert check(engine) == []
    with pytest.raises(ModelMismatch):
        ingest(engine, [indir], AUTHOR, IngestOptions(model="campplus"))


def test_an_onnx_file_that_only_the_database_names_is_not_read(
    engine: Engine, indir: Path, described: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lay_nights(indir)
    ingest(engine, [indir], AUTHOR, IngestOptions(model=str(described)))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(trust, "named_here", {"models": set(), "sources": set()})

    with pytest.raises(ModelUnnamed, match=f"--model {described}"):
        whois(engine, [indir / night(5) / "000.wav"])
    monkeypatch.setenv("REGISTRY_MODELS", str(described))
    assert whois(engine, [indir / night(5) / "000.wav"])[0].candidates
