"""Features are those that models of a toolkit were trained on."""

import numpy as np
import pytest
import torch
from torchaudio.compliance.kaldi import fbank
from torchaudio.functional import melscale_fbanks

from registry.core.records import Floats
from registry.speech.runtimes.extraction import Extraction, Features
from registry.speech.runtimes.mel_features import Window, mel_bands
from tests.conftest import voice


@pytest.mark.parametrize(("window", "in_torchaudio"), [("povey", "povey"), ("hamming", "hamming"), ("hann", "hanning")])
@pytest.mark.parametrize("scale", [1, 32768])
def test_kaldi_bands_are_those_that_torchaudio_makes(window: Window, in_torchaudio: str, scale: int) -> None:
    clip = scale * voice(300, seconds=1.23)
    options = {"num_mel_bins": 80, "sample_frequency": 16_000, "dither": 0, "window_type": in_torchaudio}
    theirs = fbank(torch.from_numpy(clip)[None], **options).numpy()

    np.testing.assert_allclose(mel_bands(clip, window), theirs, atol=2e-3)


def nemo_by_torch(clip: Floats) -> Floats:
    """Make NeMo's features by torch: (n,) -> (n // 160, 80), not normalised."""
    sound = torch.from_numpy(clip)
    emphasised = torch.cat([sound[:1], sound[1:] - 0.97 * sound[:-1]])
    spectrum = torch.stft(
        emphasised,
        n_fft=512,
        hop_length=160,
        win_length=400,
        window=torch.hann_window(400, periodic=False),
        center=True,
        pad_mode="constant",
        return_complex=True,
    )
    mel = melscale_fbanks(257, 0.0, 8000.0, 80, 16_000, norm="slaney", mel_scale="slaney")
    bands = torch.log(spectrum.abs().pow(2).T @ mel + 2**-24)[: len(clip) // 160]
    return np.asarray(bands.numpy())


@pytest.mark.parametrize("seconds", [0.1, 1.0, 2.345])
def test_nemo_bands_are_those_that_torch_makes(seconds: float) -> None:
    clip = voice(300, seconds=seconds)
    ours = Extraction(1, Features("nemo", "hann", "none")).given(clip)

    np.testing.assert_allclose(ours, nemo_by_torch(clip), atol=2e-3)


@pytest.mark.parametrize("toolkit", ["kaldi", "nemo"])
def test_bands_are_normalised_over_the_clip(toolkit: str) -> None:
    clip = voice(300)
    bare, centred, even = (
        Extraction(1, Features(toolkit, "hann", how)).given(clip)  # type: ignore[arg-type]
        for how in ("none", "mean", "mean and deviation")
    )

    np.testing.assert_allclose(centred, bare - bare.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(even.std(axis=0, ddof=1), 1, atol=1e-2)


def test_samples_are_scaled() -> None:
    clip = voice(300)

    assert np.array_equal(Extraction(1, None).given(clip), clip)
    assert np.array_equal(Extraction(32768, None).given(clip), clip * 32768)


@pytest.mark.parametrize(("toolkit", "too_few"), [("kaldi", 399), ("nemo", 159), ("kaldi", 559), ("nemo", 319)])
def test_too_few_samples_have_no_features(toolkit: str, too_few: int) -> None:
    """One frame is too few where its deviation is taken."""
    extraction = Extraction(1, Features(toolkit, "hann", "mean and deviation"))  # type: ignore[arg-type]

    with pytest.raises(ValueError, match="frame"):
        extraction.given(np.ones(too_few, np.float32))
