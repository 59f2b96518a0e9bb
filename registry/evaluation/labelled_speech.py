"""Folders of labelled speech, SPEAKER/CLIP.wav as LibriSpeech and VoxCeleb have them, laid out as nights of radio."""

import csv
import datetime as dt
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf

from registry.core.records import GENDERS, Gender, Group, Integers, Rejected
from registry.errors import SpeechUnfit
from registry.evaluation.heard_as import Heard, heard_as
from registry.input.audio import read_audio
from registry.input.decoding import SAMPLE_RATE_HZ
from registry.input.formats import AUDIO_SUFFIXES, suffix_of

BROADCASTER = "benchmark"
FIRST_NIGHT = dt.date(2020, 1, 1)
# Few speakers of a station are heard often: a third has one or two clips, a third three to eight, the rest up to 60.
FEW, SOME, MOST = (1, 2), (3, 8), 60
MOST_NIGHTS = 6  # on which a speaker is heard, at least on one
SPEAKER_COLUMNS = ("speaker", "id", "reader", "voxceleb1 id", "voxceleb2 id")
GENDER_COLUMNS = ("gender", "sex")
DELIMITERS = ("|", ",", ";", "\t")
GENDER_OF: dict[str, Gender] = {"f": "F", "female": "F", "woman": "F", "m": "M", "male": "M", "man": "M"}
MOST_BYTES = 64 * 2**20  # of a table of genders


@dataclass(frozen=True)
class SpokenClip:
    """A file of labelled speech."""

    path: Path
    speaker: str
    gender: Gender


@dataclass(frozen=True)
class FoundSpeech:
    """What a folder of labelled speech holds."""

    clips: tuple[SpokenClip, ...]  # in order of path
    left_out: int  # speakers whose gender nothing tells


@dataclass(frozen=True)
class LaidOut:
    """Nights of radio made of labelled speech."""

    nights: tuple[Path, ...]  # the folder of each night, which holds its groups
    labels: Path  # a CSV file of the clips and who speaks in them
    clips: int
    speakers: int


def find_speech(folder: Path, genders: Path | None) -> FoundSpeech:
    """Find the audio files of a folder, whose subfolders are its speakers.

    Where the subfolders are F and M, the speakers are inside these. Else the file of genders tells who is which, and
    speakers whom it does not name are left out; without such a file all are taken for women.

    Args:
        folder: For instance LibriSpeech/dev-clean, or wav of VoxCeleb.
        genders: A table with a column of speakers and a column of genders, as LibriSpeech's SPEAKERS.TXT and VoxCeleb's
            vox1_meta.csv are.

    Raises:
        SpeechUnfit: There is no speech of two speakers, or the file of genders names none of them.
    """
    told = None if genders is None else _genders(genders)
    inside = _folders(folder)
    if inside and {one.name for one in inside} <= set(GENDERS):
        gender_of = {speaker: GENDER_OF[one.name.lower()] for one in inside for speaker in _folders(one)}
        _refuse_both_genders(gender_of)
    elif told is None:
        gender_of = dict.fromkeys(inside, GENDERS[0])
    else:
        gender_of = {one: told[one.name] for one in inside if one.name in told}
    clips = _clips(gender_of)
    if len({clip.speaker for clip in clips}) < 2:  # noqa: PLR2004 - of one speaker nothing is measured
        cause = "it does not hold clips of two speakers, each in a folder of its own"
        raise SpeechUnfit(path=folder, cause=cause if told is None else f"{cause}, whose gender {genders} tells")
    return FoundSpeech(tuple(clips), 0 if told is None else len(inside) - len(gender_of))


def _folders(folder: Path) -> list[Path]:
    """List the folders in a folder but for the hidden ones, in order of name."""
    try:
        return sorted(one for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))
    except OSError as error:
        raise SpeechUnfit(path=folder, cause=error.strerror) from error


def _refuse_both_genders(speakers: Iterable[Path]) -> None:
    names = Counter(speaker.name for speaker in speakers)
    for speaker in speakers:
        if names[speaker.name] > 1:
            raise SpeechUnfit(path=speaker, cause="a speaker of the same name is among the other gender")


def _clips(gender_of: Mapping[Path, Gender]) -> list[SpokenClip]:
    return [
        SpokenClip(path, _as_text(speaker.name), gender)
        for speaker, gender in gender_of.items()
        for path in _audio_files(speaker)
    ]


def _audio_files(folder: Path) -> list[Path]:
    """List the audio files of a folder and of those inside it, in order of path."""
    found: list[Path] = []
    for inside, _, names in os.walk(folder, onerror=_cannot_be_opened):
        found += [Path(inside, name) for name in names if suffix_of(name) in AUDIO_SUFFIXES]
    return sorted(path for path in found if path.is_file())


def _cannot_be_opened(error: OSError) -> None:
    raise SpeechUnfit(path=error.filename, cause=error.strerror) from error


def _as_text(name: str) -> str:
    """Make a file's name text that can be written: file systems allow bytes that are no UTF-8."""
    return name.encode("utf-8", "backslashreplace").decode()


def _genders(path: Path) -> dict[str, Gender]:
    """Read a table of speakers and their genders; lines before the one that names both columns are passed over."""
    try:
        return _genders_in(path, _small_text(path).splitlines())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SpeechUnfit(path=path, cause=f"it cannot be read ({error})") from error


def _small_text(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise SpeechUnfit(path=path, cause=f"it holds more than {MOST_BYTES >> 20} MB; is it another file?")
    return content.decode("utf-8-sig")


def _genders_in(path: Path, lines: Sequence[str]) -> dict[str, Gender]:
    for place, line in enumerate(lines):
        for delimiter in DELIMITERS:
            names = [cell.lower() for cell in _cells(line.lstrip(";"), delimiter)]
            at = [_place(names, wanted) for wanted in (SPEAKER_COLUMNS, GENDER_COLUMNS)]
            if None not in at:
                return dict(_rows(lines[place + 1 :], delimiter, *(one or 0 for one in at)))
    raise SpeechUnfit(path=path, cause="no line of it names a column of speakers and one of genders")


def _rows(lines: Sequence[str], delimiter: str, speaker: int, gender: int) -> Iterator[tuple[str, Gender]]:
    for line in lines:
        cells = _cells(line, delimiter)
        if len(cells) > max(speaker, gender) and cells[gender].lower() in GENDER_OF:
            yield cells[speaker], GENDER_OF[cells[gender].lower()]


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]


def _place(names: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((names.index(name) for name in wanted if name in names), None)


def draw_nights(speakers: Sequence[str], nights: int, seed: int) -> Integers:
    """Draw on which night, counted from 0, each clip is heard, -1 for not at all; the same seed draws the same.

    Args:
        speakers: Who speaks in each clip (n,).
        nights: How many there are.
        seed: Of the draw.
    """
    rng = np.random.default_rng(seed)
    night_of = np.full(len(speakers), -1, dtype=np.int64)
    of_speaker: dict[str, list[int]] = {}
    for row, speaker in enumerate(speakers):
        of_speaker.setdefault(speaker, []).append(row)
    for _, rows in sorted(of_speaker.items()):
        kept = rng.permutation(rows)[: _how_many(rng)]
        heard = rng.choice(nights, size=rng.integers(1, min(MOST_NIGHTS, nights), endpoint=True), replace=False)
        night_of[kept] = rng.choice(heard, size=len(kept))
    return night_of


def _how_many(rng: np.random.Generator) -> int:
    kind = rng.integers(3)
    return MOST if kind == 0 else int(rng.integers(*(FEW if kind == 1 else SOME), endpoint=True))


def lay_out(clips: Sequence[SpokenClip], outdir: Path, nights: int, seed: int, heard: Heard) -> LaidOut:
    """Write the nights below a folder, and the labels beside them.

    Clips that are heard as they are become hard links to their files, or copies where those cannot be.

    Raises:
        SpeechUnfit: The folder is there already, or cannot be written.
    """
    night_of = draw_nights([clip.speaker for clip in clips], nights, seed)
    labels = outdir / "labels.csv"
    dates = [FIRST_NIGHT + dt.timedelta(days=night) for night in range(nights)]
    used = np.flatnonzero(night_of >= 0).tolist()
    try:
        outdir.mkdir(parents=True)
        with labels.open("x", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("clip", "speaker"))
            for row in used:
                clip, date = clips[row], dates[night_of[row]]
                group = Group(date, BROADCASTER, clip.gender)
                name = f"clip-{row:08d}"
                _write_clip(clip, outdir / f"{date}" / str(group), name, heard, (seed, row))
                rows.writerow((f"{group}/{name}", clip.speaker))
    except OSError as error:
        raise SpeechUnfit(path=outdir, cause=error.strerror or str(error)) from error
    folders = tuple(outdir / f"{date}" for date in dates if (outdir / f"{date}").exists())
    return LaidOut(folders, labels, len(used), len({clips[row].speaker for row in used}))


def refuse_outdir(folder: Path, outdir: Path, draws: Sequence[Path]) -> None:
    """Refuse to lay out nights where they would be taken for speech, or where others are.

    Raises:
        SpeechUnfit: The folder to lay out in is inside that of the speech, or holds an earlier draw.
    """
    if folder.resolve() in (outdir.resolve(), *outdir.resolve().parents):
        raise SpeechUnfit(path=outdir, cause=f"it lies inside {folder}")
    for draw in draws:
        if os.path.lexists(draw):
            raise SpeechUnfit(path=draw, cause="it is there already; remove it, or name another folder")


def _write_clip(clip: SpokenClip, folder: Path, name: str, heard: Heard, seed: tuple[int, int]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.txt").write_text(f"{clip.speaker} {_as_text(clip.path.name)}\n", encoding="utf-8")
    target = folder / f"{name}.{suffix_of(clip.path.name)}"
    if heard == "as-it-is":
        try:
            os.link(os.path.realpath(clip.path), target)  # of a link the file that it leads to
        except OSError:  # another disk, or one without such links
            shutil.copy2(clip.path, target)
        return
    audio = read_audio(clip.path)
    if isinstance(audio, Rejected):
        shutil.copy2(clip.path, target)  # the ingest is to say what is wrong with it
        return
    samples = heard_as(audio.samples, heard, np.random.default_rng(seed))
    sf.write(target.with_suffix(".wav"), samples, SAMPLE_RATE_HZ, subtype="PCM_16")
