"""A first night of real women by telephone, who are not one speaker, whether or not men are heard that night."""

import csv
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import soxr
from scipy.signal import butter, sosfiltfilt

from registry.core.linking.decisions import KnownVoices, Linking, link
from registry.core.linking.probability_rule import ProbabilityRule
from registry.core.linking.voices import Voices, clips_as_voices
from registry.core.records import Floats, Gender
from registry.core.vectors import unit
from registry.speech.embedder import Embedder, load_embedder
from tests.conftest import CORPORA, RATE

pytestmark = pytest.mark.skipif(not CORPORA.exists(), reason="the labelled speech is not beside this checkout")

SPEAKERS, CLIPS = 40, 4  # of each gender, or as many as there are
TELEPHONE_RATE = 8_000
MOST_WRONG = 0.10  # of the night under one voice that is not theirs: 0.08 beside men and 0.05 without were measured
BAND = butter(6, [300, 3400], "bandpass", fs=RATE, output="sos")


@dataclass(frozen=True)
class Heard:
    """Clips of a gender by telephone."""

    vectors: Floats
    seconds: Floats
    speaker: np.ndarray

    def as_voices(self) -> Voices:
        return clips_as_voices(unit(self.vectors), self.seconds, self.narrowness)

    @property
    def narrowness(self) -> Floats:
        return np.ones(len(self.seconds), np.float32)


def by_telephone(path: Path) -> Floats:
    """Read a clip as a studio records a caller: the band of a telephone, 8 kHz, mu-law, and back."""
    samples, rate = sf.read(path, dtype="float32")
    low = soxr.resample(sosfiltfilt(BAND, soxr.resample(samples, rate, RATE)), RATE, TELEPHONE_RATE)
    coded = BytesIO()
    sf.write(coded, 0.7 * low / np.abs(low).max(), TELEPHONE_RATE, format="WAV", subtype="ULAW")
    coded.seek(0)
    heard: Floats = soxr.resample(sf.read(coded, dtype="float32")[0], TELEPHONE_RATE, RATE)
    return heard


def hear(corpus: str, gender: Gender, embedder: Embedder) -> Heard:
    paths = defaultdict(list)
    with (CORPORA / corpus / "manifest.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["gender"] == gender:
                paths[row["speaker"]].append(CORPORA / corpus / row["path"])
    chosen = [(speaker, path) for speaker, own in islice(paths.items(), SPEAKERS) for path in own[:CLIPS]]
    with ThreadPoolExecutor() as threads:
        clips = list(threads.map(by_telephone, [path for _, path in chosen]))
        vectors = list(threads.map(embedder.embed, clips))
    seconds = np.array([len(clip) / RATE for clip in clips], np.float32)
    return Heard(np.stack(vectors), seconds, np.array([speaker for speaker, _ in chosen]))


@pytest.fixture(scope="module", params=["librispeech", "speechocean"])
def women_and_men(request: pytest.FixtureRequest) -> tuple[Heard, Heard]:
    women, men = map(partial(hear, request.param, embedder=load_embedder()), ("F", "M"))
    return women, men


def first_night(women: Heard, strangers: Voices) -> Linking:
    known = KnownVoices([], strangers.take(np.array([], np.int64)), strangers, {})
    clips = range(len(women.seconds))
    return link(clips, women.vectors, women.seconds, women.narrowness, known, ProbabilityRule())


@pytest.mark.parametrize("with_men", [True, False])
def test_women_by_telephone_are_not_one_speaker(women_and_men: tuple[Heard, Heard], *, with_men: bool) -> None:
    women, men = women_and_men
    strangers = men.as_voices() if with_men else men.as_voices().take(np.array([], np.int64))
    linking = first_night(women, strangers)
    found = [women.speaker[list(decision.audio_ids)].tolist() for decision in linking.decisions]
    wrong = [len(own) - max(map(own.count, own)) for own in found]

    assert max(wrong) <= MOST_WRONG * len(women.speaker)
