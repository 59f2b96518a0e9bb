"""What the model hears of many channels is what a person hears."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from registry.core.records import Floats, Rejected
from registry.input.audio import Audio, read_audio

RATE = 16_000


def tone(pitch_hz: float = 440.0, rate_hz: int = RATE, peak: float = 0.3) -> Floats:
    return (peak * np.sin(2 * np.pi * pitch_hz * np.arange(rate_hz) / rate_hz)).astype(np.float32)


def dither(rms: float, seed: int) -> Floats:
    return (rms * np.random.default_rng(seed).standard_normal(RATE)).astype(np.float32)


def read(tmp_path: Path, *channels: Floats, rate_hz: int = RATE) -> Audio | Rejected:
    sf.write(tmp_path / "a.wav", np.stack(channels, axis=1), rate_hz, subtype="FLOAT")
    return read_audio(tmp_path / "a.wav")


def heard(tmp_path: Path, *channels: Floats, rate_hz: int = RATE) -> Floats:
    audio = read(tmp_path, *channels, rate_hz=rate_hz)
    assert isinstance(audio, Audio), audio
    return audio.samples


@pytest.mark.parametrize("rms", [0.00003, 0.0001, 0.0003, 0.001])
def test_a_voice_and_its_inverse_leave_the_voice_and_not_the_dither(tmp_path: Path, rms: float) -> None:
    samples = heard(tmp_path, tone() + dither(rms, 1), -tone() + dither(rms, 2))

    np.testing.assert_allclose(samples, tone(), atol=6 * rms)


def test_a_constant_offset_in_all_channels_is_not_taken_for_sound(tmp_path: Path) -> None:
    samples = heard(tmp_path, tone() + np.float32(0.2), np.float32(0.2) - tone(peak=0.29))

    np.testing.assert_allclose(samples, tone() + 0.2, atol=1e-6)


def test_a_tone_too_high_to_hear_is_not_taken_for_the_voice(tmp_path: Path) -> None:
    pilot, voice = tone(19_000, 48_000, peak=0.3), tone(440, 48_000)

    samples = heard(tmp_path, pilot + voice, pilot - voice, rate_hz=48_000)

    np.testing.assert_allclose(samples[2000:14000], tone()[2000:14000], atol=2e-3)


def test_the_loudest_of_channels_that_cancel_is_heard(tmp_path: Path) -> None:
    np.testing.assert_array_equal(heard(tmp_path, np.zeros_like(tone()), tone(), -tone()), tone())


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (tone(), tone()),
        (tone(), np.zeros_like(tone())),
        (tone(), tone(700)),
        (tone(), -0.1 * tone()),
        (tone() + dither(0.01, 1), tone() + dither(0.01, 2)),
    ],
    ids=["twice the same", "one silent", "two voices", "a little crosstalk", "two microphones"],
)
def test_ordinary_stereo_is_the_mean_of_its_channels(tmp_path: Path, left: Floats, right: Floats) -> None:
    np.testing.assert_array_equal(heard(tmp_path, left, right), np.stack([left, right], axis=1).mean(axis=1))


def test_what_only_bats_hear_in_one_channel_takes_nothing_from_the_mean(tmp_path: Path) -> None:
    voice, shrill = tone(440, 48_000, peak=0.05), tone(20_000, 48_000, peak=0.9)

    samples = heard(tmp_path, voice + shrill, voice - shrill, rate_hz=48_000)

    np.testing.assert_allclose(samples[2000:14000], tone(peak=0.05)[2000:14000], atol=2e-3)


@pytest.mark.parametrize(
    "channels",
    [
        [tone(20_000, 48_000)],
        [tone(20_000, 48_000), -tone(20_000, 48_000)],
        [tone(20_000, 48_000) + np.float32(0.2)],
        [np.full(48_000, 0.5, np.float32), np.zeros(48_000, np.float32)],
    ],
    ids=["too high", "too high in opposite phase", "too high beside a constant", "constant"],
)
def test_what_the_model_cannot_hear_is_silent(tmp_path: Path, channels: list[Floats]) -> None:
    rejected = read(tmp_path, *channels, rate_hz=48_000)

    assert isinstance(rejected, Rejected)
    assert rejected.reason == "silent"
