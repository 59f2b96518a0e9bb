"""How narrow a line a recording was heard over is read from what is left above 4.2 kHz."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import soxr
from scipy.signal import butter, sosfiltfilt

from registry.core.records import Floats
from registry.input.audio import Audio, read_audio
from registry.input.narrowness import BLOCK_FRAMES, STEP_SAMPLES, narrowness
from tests.conftest import CORPORA, RATE

NOISE: Floats = (np.random.default_rng(1).standard_normal(5 * RATE).astype(np.float32) / 10).astype(np.float32)
TELEPHONE = butter(6, [300, 3400], "bandpass", fs=RATE, output="sos")


def tones(high_db: float, seconds: float = 1.0) -> Floats:
    """A low tone, and a high one so many dB beside it."""
    times_s = np.arange(round(seconds * RATE)) / RATE
    low, high = (np.sin(2 * np.pi * pitch_hz * times_s) for pitch_hz in (1000, 6000))
    return (0.3 * low + 0.3 * 10 ** (high_db / 20) * high).astype(np.float32)


def by_telephone(samples: Floats) -> Floats:
    """Between 300 and 3,400 Hz, at 8 kHz, in mu-law."""
    memory = io.BytesIO()
    sf.write(memory, soxr.resample(sosfiltfilt(TELEPHONE, samples), RATE, 8_000), 8_000, "ULAW", format="WAV")
    memory.seek(0)
    line, rate_hz = sf.read(memory, dtype="float32")
    heard: Floats = soxr.resample(line, rate_hz, RATE)
    return heard


@pytest.mark.parametrize(
    ("high_db", "expected"), [(0, 0), (-47.5, 0), (-51, 0.2), (-55.5, 0.5), (-60, 0.8), (-63.5, 1), (-100, 1)]
)
def test_it_falls_with_the_power_that_is_above(high_db: float, expected: float) -> None:
    assert narrowness(tones(high_db)) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("high_db", [-40, -55, -70])
@pytest.mark.parametrize("seconds", [0.2, 0.31, 5])
def test_length_does_not_matter(high_db: float, seconds: float) -> None:
    assert narrowness(tones(high_db, seconds)) == pytest.approx(narrowness(tones(high_db)), abs=0.02)


@pytest.mark.parametrize("loudness", [1e-30, 1e-4, 1, 1e30, 3e38])
def test_loudness_does_not_matter(loudness: float) -> None:
    samples = tones(-55)

    assert narrowness(samples / samples.max() * np.float32(loudness)) == pytest.approx(narrowness(samples), abs=1e-3)


@pytest.mark.parametrize("length", [0, 1, 100, 511, 512, 513, RATE])
def test_silence_tells_nothing_and_no_length_is_too_short(length: int) -> None:
    assert narrowness(np.zeros(length, np.float32)) == 0
    assert narrowness(NOISE[:length]) == 0


def test_a_long_recording_is_looked_at_to_its_end() -> None:
    quiet = np.zeros(STEP_SAMPLES * BLOCK_FRAMES, np.float32)

    assert narrowness(np.concatenate([quiet, by_telephone(NOISE)])) == 1
    assert narrowness(np.concatenate([quiet, by_telephone(NOISE), NOISE])) == 0


def test_the_same_samples_give_the_same_number() -> None:
    samples = tones(-55)

    assert len({narrowness(samples.copy()) for _ in range(5)}) == 1


def some_clips(corpus: str, count: int = 20) -> list[Path]:
    manifest = CORPORA / corpus / "manifest.csv"
    if not manifest.exists():
        return []
    with manifest.open(encoding="utf-8", newline="") as file:
        paths = [CORPORA / corpus / row["path"] for row in csv.DictReader(file)]
    return paths[:: -(-len(paths) // count)]


def audio_of(path: Path) -> Floats:
    audio = read_audio(path)
    assert isinstance(audio, Audio), audio
    return audio.samples


@pytest.mark.skipif(not CORPORA.exists(), reason="the labelled speech is not here")
@pytest.mark.parametrize("corpus", ["librispeech", "speechocean", "cremad", "emodb"])
def test_real_speech_is_told_from_the_same_by_telephone(corpus: str, tmp_path: Path) -> None:
    paths = some_clips(corpus)
    clips = [audio_of(path) for path in paths]
    lines = [by_telephone(clip) for clip in clips]
    for number, line in enumerate(lines):
        sf.write(tmp_path / f"{number}.wav", soxr.resample(line, RATE, 8_000), 8_000, "ULAW")

    assert len(clips) > 10
    assert {narrowness(clip) for clip in clips} == {0}
    assert {narrowness(line) for line in lines} == {1}
    assert {narrowness(audio_of(tmp_path / f"{number}.wav")) for number in range(len(lines))} == {1}
