"""Memory of an ingest of 20,000 clips in one group above the loaded model, and of linking them above the interpreter.

pytest -m benchmark tests/benchmarks/test_memory.py -s
"""

import os
import resource
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from registry.input.conversation import sample_folder
from tests.benchmarks import large_group
from tests.benchmarks.figures import AddFigure

pytestmark = pytest.mark.benchmark
REGISTRY = Path(sysconfig.get_path("scripts")) / "registry"
CLIPS = 20_000
MOST_MIB, MOST_LINKING_MIB = 500, 250  # above what there is without clips; 431 and 174 were measured
CLIP_S = 0.4
BARE_MODEL = """
import numpy as np
from registry.speech.embedder import load_embedder
load_embedder().embed(np.random.default_rng(1).standard_normal(6400).astype(np.float32))
"""


def peak_mib(*command: str | Path, home: Path) -> float:
    """Run a command and give the largest resident memory of its own process, in MiB."""
    process = subprocess.Popen(command, env={**os.environ, "REGISTRY_HOME": str(home)})
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)  # wait4 has reaped it, which Popen cannot know
    assert process.returncode == 0
    assert isinstance(usage, resource.struct_rusage)
    return usage.ru_maxrss / 1024


def lay_out(group: Path) -> None:
    """Cut pieces of two real voices at random: all in one connected component, the worst case to cluster."""
    group.mkdir(parents=True)
    audio, rate = sf.read(sample_folder() / "sample.wav", dtype="float32")
    rng = np.random.default_rng(1)
    speech = audio[round(6.7 * rate) : round(30 * rate)]
    for number in range(CLIPS):
        start = rng.integers(len(speech) - round(CLIP_S * rate))
        piece = speech[start : start + round(CLIP_S * rate)] * rng.uniform(0.5, 1.0)
        sf.write(group / f"mclip-{number:08d}.wav", piece, rate, subtype="PCM_16")
        (group / f"mclip-{number:08d}.txt").write_text("x\n")


def test_twenty_thousand_clips_fit(home: Path, figure: AddFigure) -> None:
    lay_out(home / "large" / "andaiafm_F20201105")
    bare = peak_mib(sys.executable, "-c", BARE_MODEL, home=home)
    ingest = peak_mib(REGISTRY, "ingest", home / "large", "--new", "--database", "large", home=home)
    print(f"\nbare model {bare:.0f} MiB; ingest of {CLIPS} clips {ingest:.0f} MiB, {ingest - bare:.0f} above")

    figure(f"ingest of {CLIPS:,} clips in a group, above the model", ingest - bare, "MiB", at_most=MOST_MIB)


@pytest.mark.parametrize("cosine", [0.6, 0.8])
def test_linking_them_fits(home: Path, cosine: float, figure: AddFigure) -> None:
    bare = peak_mib(sys.executable, "-c", "", home=home)
    linking = peak_mib(sys.executable, "-m", large_group.__name__, str(CLIPS), str(cosine), home=home)
    print(f"{linking:.0f} MiB, {linking - bare:.0f} above the bare interpreter")

    figure(f"linking them, one voice {cosine}, above Python", linking - bare, "MiB", at_most=MOST_LINKING_MIB)
