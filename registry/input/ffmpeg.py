"""Audio that only the program ffmpeg reads, made a wav."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

from registry import settings

PROGRAM = "ffmpeg"
# Files that hold their own sound: a playlist would have other files read, and addresses called.
WHITELISTS = (
    "-protocol_whitelist",
    "file",
    "-format_whitelist",
    "mov,mp4,m4a,3gp,3g2,mj2,aac,mp3,flac,ogg,wav,caf,matroska,webm",
)


def is_there() -> bool:
    """Tell whether the program is installed."""
    return shutil.which(PROGRAM) is not None


@contextmanager
def as_wav(path: Path, most_s: float) -> Iterator[Path]:
    """Decode a file, up to so many seconds, into a wav of 32 bit float, as recorded in rate and channels.

    Raises:
        subprocess.CalledProcessError: The program cannot decode it; its last words are in `stderr`.
    """
    wanted = (
        "-map",
        "0:a:0",
        "-t",
        str(most_s),
        "-c:a",
        "pcm_f32le",
        "-f",
        "wav",
        "-fs",
        str(settings.MAX_AUDIO_BYTES),
    )
    options = ("-nostdin", "-v", "error", "-xerror", *WHITELISTS, "-i", "/proc/self/fd/0", *wanted)
    with TemporaryFile(prefix="registry-") as wav, path.open("rb") as sound:
        program = shutil.which(PROGRAM) or PROGRAM
        subprocess.run((program, *options, "-"), stdin=sound, stdout=wav, stderr=subprocess.PIPE, check=True)
        yield Path(f"/proc/self/fd/{wav.fileno()}")
