"""Audio that only the program ffmpeg reads, made a wav."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

PROGRAM = "ffmpeg"


def is_there() -> bool:
    """Tell whether the program is installed."""
    return shutil.which(PROGRAM) is not None


@contextmanager
def as_wav(path: Path) -> Iterator[Path]:
    """Decode a file into a wav of 32 bit float, as recorded in rate and channels, that lasts as long.

    Raises:
        subprocess.CalledProcessError: The program cannot decode it; its last words are in `stderr`.
    """
    options = ("-nostdin", "-v", "error", "-xerror", "-i", str(path), "-map", "0:a:0", "-c:a", "pcm_f32le", "-f", "wav")
    with TemporaryFile(prefix="registry-") as wav:
        program = shutil.which(PROGRAM) or PROGRAM
        subprocess.run(
            (program, *options, "-"), stdin=subprocess.DEVNULL, stdout=wav, stderr=subprocess.PIPE, check=True
        )
        yield Path(f"/proc/self/fd/{wav.fileno()}")
