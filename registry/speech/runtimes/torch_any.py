"""Run any pyannote model by torch, on the GPU if there is one."""

import numpy as np
import torch
from pyannote.audio import Inference, Model

from registry.core.records import Floats
from registry.input.decoding import SAMPLE_RATE_HZ
from registry.speech.runtimes.gpu import has_gpu


class TorchModel:
    """A model that embeds a waveform as a whole, in f32. Calls may come from many threads."""

    def __init__(self, model: Model) -> None:
        """Put a model where it runs fastest."""
        torch.set_num_threads(1)  # clips are embedded side by side; threads inside each would wait for one another
        self._whole = Inference(model, window="whole", device=_device())

    def __call__(self, samples: Floats) -> Floats:
        """Embed (n,) samples at 16 kHz: (dimension,)."""
        waveform = torch.from_numpy(np.ascontiguousarray(samples, np.float32))[None]
        return np.asarray(self._whole({"waveform": waveform, "sample_rate": SAMPLE_RATE_HZ}), np.float32)


def version() -> str:
    """Give torch's version, and what it runs on if that is a GPU."""
    return f"{torch.__version__.partition('+')[0]}{' cuda' if has_gpu() else ''}"


def _device() -> torch.device:
    # TF32 rounds to 10 bits: the embeddings of two GPUs, or of GPU and CPU, would differ.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.deterministic = True
    return torch.device("cuda" if has_gpu() else "cpu")
