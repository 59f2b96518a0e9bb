"""The loop that most people write first: pyannote.audio on file after file. python pyannote_loop.py FOLDER."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
import torch
from pyannote.audio import Inference
from pyannote.audio.core.task import Problem, Resolution, Specifications
from pyannote.audio.models.embedding.wespeaker import WeSpeakerResNet34


def random_resnet() -> Any:
    """Make the shape of pyannote's most used model; what the weights are costs nothing."""
    model = WeSpeakerResNet34()
    model.specifications = Specifications(Problem.REPRESENTATION, Resolution.CHUNK, duration=5.0)
    return model.eval()


def whole(model: Any) -> Callable[[Path], np.ndarray]:
    """Give what embeds a whole file by a model of pyannote's."""
    inference = Inference(model, window="whole")

    def embed(path: Path) -> np.ndarray:
        samples, rate = sf.read(path, dtype="float32")
        vector: np.ndarray = inference({"waveform": torch.from_numpy(samples)[None], "sample_rate": rate})
        return vector

    return embed


if __name__ == "__main__":
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    embed = whole(random_resnet())
    print(len([embed(path) for path in sorted(Path(sys.argv[1]).rglob("*.wav"))]), "files")
