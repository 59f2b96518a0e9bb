"""What a model is given of a sound: its samples, or features of them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from registry.core.records import Floats
from registry.speech.runtimes import mel_features, nemo_features
from registry.speech.runtimes.mel_features import Window

LEAST_DEVIATION = np.float32(1e-5)  # added, so that a band that never changes comes to nothing

Normalisation = Literal["none", "mean", "mean and deviation"]


@dataclass(frozen=True)
class Features:
    """80 mel bands every 10 ms."""

    toolkit: Literal["kaldi", "nemo"]  # whose bands they are
    window: Window
    normalisation: Normalisation  # of each band over the clip


@dataclass(frozen=True)
class Extraction:
    """How to make what a model is given."""

    full_scale: int  # of the samples: 1 or 32768
    features: Features | None  # None where the model takes the samples

    def given(self, samples: Floats) -> Floats:
        """Make it: (n,) samples at 16 kHz, full scale 1 -> (n,) or (frames, 80).

        Raises:
            ValueError: There are too few samples for a frame.
        """
        scaled = np.asarray(samples, np.float32) * np.float32(self.full_scale)
        if self.features is None:
            return scaled
        if self.features.toolkit == "nemo":
            bands = nemo_features.mel_bands(scaled)
        else:
            bands = mel_features.mel_bands(scaled, self.features.window)
        return _normalised(bands, self.features.normalisation)


def _normalised(bands: Floats, normalisation: Normalisation) -> Floats:
    if normalisation == "none":
        return bands
    centred: Floats = bands - bands.mean(axis=0)
    if normalisation == "mean":
        return centred
    if len(bands) == 1:
        raise ValueError("One frame has no deviation.")
    scaled: Floats = centred / (bands.std(axis=0, ddof=1) + LEAST_DEVIATION)
    return scaled
