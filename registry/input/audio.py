"""Read one audio file into what the model wants, or say why not."""

import os
import stat
import subprocess
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf

from registry import settings
from registry.core.records import Floats, Rejected, Sound
from registry.core.rejections import Fault
from registry.input import ffmpeg
from registry.input.containers import Wholeness, wholeness
from registry.input.decoding import MAX_DURATION_S, Decoded, Forward, Open, decode_what_is_heard, promised_frames
from registry.input.formats import FFMPEG_FILES, SOUND_FILES, suffix_of
from registry.input.library_notes import without_notes
from registry.input.mp3 import with_length
from registry.input.narrowness import narrowness
from registry.input.remote import AnyPath
from registry.input.wav import Wav, mended, wav_of

MIN_DURATION_S = 0.2  # below this a clip is a cough or a click, not a voice
MAX_CHANNELS = 16  # of the largest sound cards; files of more are no recordings of a voice
MIN_RATE_HZ, MAX_RATE_HZ = 4_000, 384_000  # below is no speech, above no sound card
SILENCE_SWING = 1e-4  # 3 steps of 16 bit, which is dither; see `Decoded` for what a swing is
EDGE_SAMPLES = 160  # 10 ms: a tone above what the model hears still clicks where it begins and ends
MOST_MISSED_FRAMES = 2304  # of an MP3, whose length is told in frames of 1152
# A file without an end is being written, or its writer could not go back to fill it in: a recorder writes every second.
SETTLED_S = 60.0


@dataclass(frozen=True)
class Audio:
    """One recording as the model takes it, and what is known of it."""

    samples: Floats  # (n,) mono, 16 kHz
    sound: Sound


def read_audio(path: Path, suffix: str | None = None, *, is_settled: bool = True) -> Audio | Rejected:
    """Decode audio of any rate, width and channel count to 16 kHz mono.

    Args:
        path: The file. It may be missing, broken or no file at all.
        suffix: What its name says it is, "wav" for instance; by default what `path` ends in. One that is of no kind of
            audio known here asks for nothing.
        is_settled: It has not changed for `SETTLED_S`, so that one without an end is as long as it will ever be.

    Returns:
        The audio, or why it is rejected. Nothing is raised for a bad file.
    """
    kind = suffix_of(path.name) if suffix is None else suffix.lower().removeprefix(".")
    try:
        fault = _fault_of_file(path)
        return fault or (_read_by_ffmpeg if _needs_ffmpeg(path, kind) else _read)(path, kind, is_settled=is_settled)
    except OSError as error:
        return Fault.CANNOT_BE_READ.of(path, cause=error.strerror)
    except sf.LibsndfileError as error:
        return _not_audio(path, kind, error.error_string)


def _fault_of_file(path: Path) -> Rejected | None:
    status = path.stat()
    # Asked before opening: opening a named pipe waits for a writer that may never come.
    if not stat.S_ISREG(status.st_mode):
        return Fault.NOT_REGULAR.of(path)
    if status.st_size == 0:
        return Fault.EMPTY.of(path)
    return fault_of_size(path, status.st_size)


def fault_of_size(path: AnyPath, size_bytes: int) -> Rejected | None:
    """Say that a file holds more than any clip; None if it does not."""
    if size_bytes <= settings.MAX_AUDIO_BYTES:
        return None
    return Fault.TOO_LARGE.of(path, size_bytes=size_bytes, most_bytes=settings.MAX_AUDIO_BYTES)


def _needs_ffmpeg(path: Path, kind: str) -> bool:
    if kind in SOUND_FILES:
        return False
    with path.open("rb") as file:
        return kind in FFMPEG_FILES or file.read(8)[4:] == b"ftyp"


def _read_by_ffmpeg(path: Path, kind: str, *, is_settled: bool) -> Audio | Rejected:
    if not ffmpeg.is_there():
        return Fault.NO_FFMPEG.of(path, kind=kind or "such a file")
    try:
        with ffmpeg.as_wav(path, MAX_DURATION_S + 1) as wav:  # enough to see that it is too long
            return _read(wav, "wav", is_settled=True)
    except subprocess.CalledProcessError as error:
        if not is_settled:  # what an m4a holds is told at its end
            return Fault.NO_END_YET.of(path)
        said = error.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        return _not_audio(path, kind, said or f"ffmpeg ended with {error.returncode}")


def _read(path: Path, kind: str, *, is_settled: bool) -> Audio | Rejected:
    wav = wav_of(path)
    fault = _fault_of_end(path, wav, is_settled=is_settled)
    if fault:
        return fault

    def opened() -> Forward:
        # As bytes: soundfile cannot encode a name that is not UTF-8.
        beginning_anew = with_length(path) if wav is None else None if wav.is_regular else mended(path, wav)
        return Forward(os.fsencode(path) if beginning_anew is None else beginning_anew)

    with without_notes() if wav is None else nullcontext(), opened() as file:
        return _fault_of_header(path, file, kind) or _read_sound(path, file, opened)


def _fault_of_end(path: Path, wav: Wav | None, *, is_settled: bool) -> Rejected | None:
    missing = 0 if wav is None else wav.missing_bytes
    whole = wholeness(path) if wav is None else Wholeness(is_cut=missing > 0, is_open=wav.is_open)
    if not is_settled and (whole.is_open or whole.is_cut):
        return Fault.NO_END_YET.of(path)
    if missing:
        return Fault.SHORTER_THAN_TOLD.of(path, missing_bytes=missing)
    return Fault.NO_END.of(path) if whole.is_cut else None


def _read_sound(path: Path, file: Forward, opened: Open) -> Audio | Rejected:
    rate_hz, channels = file.samplerate, file.channels
    try:
        decoded = decode_what_is_heard(file, opened)
    except sf.LibsndfileError as error:
        return Fault.BREAKS_OFF.of(path, cause=error.error_string.rstrip("."))
    if file.format in ("FLAC", "MP3") and decoded.frames < promised_frames(file) - MOST_MISSED_FRAMES:
        return Fault.NO_END.of(path)
    fault = _fault_of_length(path, decoded.frames, rate_hz) or _fault_of_sound(path, decoded)
    if fault:
        return fault
    duration_s, narrow = decoded.frames / rate_hz, narrowness(decoded.samples)
    return Audio(decoded.samples, Sound(decoded.audio_hash, duration_s, rate_hz, channels, narrow))


def _fault_of_header(path: Path, file: Forward, kind: str) -> Rejected | None:
    formats = SOUND_FILES.get(kind, frozenset().union(*SOUND_FILES.values()))
    if file.format not in formats:
        return _not_audio(path, kind, f"it is {file.format}")
    if file.channels > MAX_CHANNELS:
        return Fault.TOO_MANY_CHANNELS.of(path, channels=file.channels, most=MAX_CHANNELS)
    if not MIN_RATE_HZ <= file.samplerate <= MAX_RATE_HZ:
        return Fault.BAD_RATE.of(path, rate_hz=file.samplerate, least_hz=MIN_RATE_HZ, most_hz=MAX_RATE_HZ)
    if file.frames == 0:
        return Fault.NO_SAMPLES.of(path)
    promised = promised_frames(file)
    return _fault_of_length(path, promised, file.samplerate) if promised else None


def _fault_of_length(path: Path, frames: int, rate_hz: int) -> Rejected | None:
    duration_s = frames / rate_hz
    if duration_s < MIN_DURATION_S:
        return Fault.TOO_SHORT.of(path, seconds=duration_s, least_s=MIN_DURATION_S)
    if duration_s > MAX_DURATION_S:
        return Fault.TOO_LONG.of(path, seconds=duration_s, most_s=MAX_DURATION_S)
    return None


@np.errstate(all="ignore")
def _fault_of_sound(path: Path, decoded: Decoded) -> Rejected | None:
    if not (np.isfinite(decoded.swing) and np.isfinite(_peak(decoded.samples))):
        return Fault.NOT_FINITE.of(path)
    swing = min(decoded.swing, _swing(decoded.samples[EDGE_SAMPLES:-EDGE_SAMPLES]))
    if swing < SILENCE_SWING:
        below = "" if decoded.swing < SILENCE_SWING else " below 8 kHz, where voices are"
        return Fault.SILENT.of(path, below=below, swing=swing)
    return None


def _not_audio(path: Path, kind: str, cause: str) -> Rejected:
    name = kind if kind in SOUND_FILES or kind in FFMPEG_FILES else "audio"
    fault = Fault.NOT_WAV if kind == "wav" else Fault.NOT_AUDIO
    return fault.of(path, kind=name, cause=cause.rstrip("."))


def _peak(samples: Floats) -> float:
    return float(max(samples.max(initial=0), -samples.min(initial=0)))  # no copy of an hour, unlike abs


def _swing(samples: Floats) -> float:
    return (float(samples.max(initial=-np.inf)) - float(samples.min(initial=np.inf))) / 2
