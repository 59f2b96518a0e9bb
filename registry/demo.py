"""Two nights of radio from the real conversation of two women that ships inside the pyannote.audio wheel."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import soundfile as sf

from registry.core.records import Floats
from registry.errors import RegistryError

BROADCASTER = "demofm"
FIRST_NIGHT = dt.date(2020, 11, 5)
NIGHTS = 2
MIN_UTTERANCE_S = 1.0  # a "hello?" says little about a voice


@dataclass(frozen=True)
class Utterance:
    """A piece of the conversation."""

    speaker: str
    start_s: float
    end_s: float
    text: str


def lay_out(folder: Path) -> list[Path]:
    """Write the conversation's utterances as the groups of two nights, in turn, and give the nights' folders.

    A file that is there with the same bytes is left as it is.

    Raises:
        RegistryError: The sample is not where pyannote.audio keeps it.
    """
    sample = _sample_folder()
    audio, rate = sf.read(sample / "sample.wav", dtype="float32")
    nights = [folder / "nights" / f"{FIRST_NIGHT + dt.timedelta(days=night)}" for night in range(NIGHTS)]
    turns: dict[str, int] = {}
    for number, utterance in enumerate(_utterances(sample)):
        turn = turns[utterance.speaker] = turns.get(utterance.speaker, -1) + 1
        night = turn % NIGHTS
        date = FIRST_NIGHT + dt.timedelta(days=night)
        group = nights[night] / f"{BROADCASTER}_F{date:%Y%m%d}"
        piece = audio[round(utterance.start_s * rate) : round(utterance.end_s * rate)]
        _write_clip(group / f"mclip-{number:08d}", piece, rate, utterance.text)
    return nights


def _sample_folder() -> Path:
    spec = find_spec("pyannote.audio")
    if spec is None or not spec.submodule_search_locations:
        raise RegistryError(cause="pyannote.audio is not installed, and the demo's sample is inside it")
    return Path(spec.submodule_search_locations[0]) / "sample"


def _utterances(sample: Path) -> Iterator[Utterance]:
    """Read the transcript: file, channel, speaker, start, end, words, one utterance a line."""
    for line in (sample / "sample.stm").read_text(encoding="utf-8").splitlines():
        _, _, speaker, start, end, text = line.split(maxsplit=5)
        utterance = Utterance(speaker, float(start), float(end), text)
        if utterance.end_s - utterance.start_s >= MIN_UTTERANCE_S:
            yield utterance


def _write_clip(stem: Path, audio: Floats, rate: int, text: str) -> None:
    stem.parent.mkdir(parents=True, exist_ok=True)
    wav, txt = stem.with_suffix(".wav"), stem.with_suffix(".txt")
    if not wav.exists():
        sf.write(wav, audio, rate, subtype="PCM_16")
    if not txt.exists():
        txt.write_text(f"{text}\n", encoding="utf-8")
