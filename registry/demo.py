"""Two nights of radio from the real conversation of two women that ships inside the pyannote.audio wheel."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import soundfile as sf

from registry.core.records import Floats
from registry.errors import DemoFolderUnfit
from registry.input.conversation import sample_folder

BROADCASTER = "demofm"
FIRST_NIGHT = dt.date(2020, 11, 5)
NIGHTS = 2
LABELS = "labels.csv"
MIN_TURN_S = 1.0  # a "hello?" says little about a voice
MAX_TURN_S = 5.0  # sentences that follow each other make one clip up to here, as a segmenter would cut them


@dataclass(frozen=True)
class Turn:
    """One speaker's words until the other speaks."""

    speaker: str
    start_s: float
    end_s: float
    text: str


def lay_out(folder: Path) -> list[Path]:
    """Write the conversation's turns as the groups of two nights, in turn, and give the nights' folders.

    Beside the nights lies `labels.csv`, which tells who speaks in each clip, as `registry evaluate` reads it. A file
    that is there is left as it is.

    Raises:
        DemoFolderUnfit: Nothing can be written there.
        RegistryError: The sample is not where pyannote.audio keeps it.
    """
    sample = sample_folder()
    audio, rate = sf.read(sample / "sample.wav", dtype="float32")
    try:
        return _write_nights(folder, _turns(sample), audio, rate)
    except OSError as error:
        raise DemoFolderUnfit(path=folder, cause=error.strerror) from error


def _write_nights(folder: Path, turns: Sequence[Turn], audio: Floats, rate: int) -> list[Path]:
    nights = [folder / "nights" / f"{FIRST_NIGHT + dt.timedelta(days=night)}" for night in range(NIGHTS)]
    heard: Counter[str] = Counter()
    labels = ["clip,speaker"]
    for number, turn in enumerate(turns):
        night = heard[turn.speaker] % NIGHTS
        heard[turn.speaker] += 1
        group = f"{BROADCASTER}_F{FIRST_NIGHT + dt.timedelta(days=night):%Y%m%d}"
        name = f"mclip-{number:08d}"
        piece = audio[round(turn.start_s * rate) : round(turn.end_s * rate)]
        _write_clip(nights[night] / group / name, piece, rate, turn.text)
        labels.append(f"{group}/{name},{turn.speaker}")
    _write_whole(folder / LABELS, "".join(f"{label}\n" for label in labels).encode())
    return nights


def _turns(sample: Path) -> list[Turn]:
    """Read the transcript: file, channel, speaker, start, end, words, one sentence a line."""
    turns: list[Turn] = []
    for line in (sample / "sample.stm").read_text(encoding="utf-8").splitlines():
        _, _, speaker, start, end, text = line.split(maxsplit=5)
        sentence = Turn(speaker, float(start), float(end), text)
        last = turns[-1] if turns else sentence
        if turns and last.speaker == speaker and sentence.end_s - last.start_s <= MAX_TURN_S:
            turns[-1] = Turn(speaker, last.start_s, sentence.end_s, f"{last.text} {text}")
        else:
            turns.append(sentence)
    return [turn for turn in turns if turn.end_s - turn.start_s >= MIN_TURN_S and _is_of_one_voice(turn, sample)]


def _is_of_one_voice(turn: Turn, sample: Path) -> bool:
    """Tell whether nobody's whole remark falls into a turn but its speaker's; clips are of one voice each."""
    inside = set()
    for line in (sample / "sample.rttm").read_text(encoding="utf-8").splitlines():
        fields = line.split()
        start_s, end_s, speaker = float(fields[3]), float(fields[3]) + float(fields[4]), fields[7]
        if turn.start_s <= start_s and end_s <= turn.end_s:
            inside.add(speaker)
    return len(inside) <= 1


def _write_clip(stem: Path, audio: Floats, rate: int, text: str) -> None:
    stem.parent.mkdir(parents=True, exist_ok=True)
    sound = BytesIO()
    sf.write(sound, audio, rate, subtype="PCM_16", format="WAV")
    _write_whole(stem.with_suffix(".wav"), sound.getvalue())
    _write_whole(stem.with_suffix(".txt"), f"{text}\n".encode())


def _write_whole(path: Path, content: bytes) -> None:
    """Write all of a file or nothing: what a full disk cut would be taken for whole by the next run."""
    if not path.exists():
        part = path.with_name(f"{path.name}.part")
        part.write_bytes(content)
        part.replace(path)
