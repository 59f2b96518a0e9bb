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
def as_wav(path: Path, most_s: float) -> Iterator[Path]:
    """Decode a file, up to so many seconds, into a wav of 32 bit float, as recorded in rate and channels.

    Raises:
        subprocess.CalledProcessError: The program cannot decode it; its last words are in `stderr`.
    """
    wanted = ("-map", "0:a:0", "-t", str(most_s), "-c:a", "pcm_f32le", "-f", "wav")
    options = ("-nostdin", "-v", "error", "-xerror", "-i", str(path), *wanted)
    with TemporaryFile(prefix="registry-") as wav:
        program = shutil.which(PROGRAM) or PROGRAM
        subprocess.run(
            (program, *options, "-"), stdin=subprocess.DEVNULL, stdout=wav, stderr=subprocess.PIPE, check=True
        )
        yield Path(f"/proc/self/fd/{wav.fileno()}")
