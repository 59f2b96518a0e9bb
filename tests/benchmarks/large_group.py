"""Link a first night of made-up clips, 20 of each voice, and tell how long it took beside the product of all pairs.

python -m tests.benchmarks.large_group 20000 0.6
"""

import sys
import time

import numpy as np

from registry.core.linking.decisions import KnownVoices, link
from registry.core.linking.probability_rule import ProbabilityRule
from registry.core.linking.voices import clips_as_voices
from registry.core.records import Floats
from tests.benchmarks.synthetic import CLIPS_OF_A_SPEAKER, spoken, voices

BLOCK = 200  # rows multiplied at a time: 16 MB


def multiply(vectors: Floats) -> None:
    """Compute the cosines of all pairs and keep none."""
    for start in range(0, len(vectors), BLOCK):
        vectors[start : start + BLOCK] @ vectors.T


def main(clips: int, cosine: float) -> None:
    """Link so many clips, of a mean cosine within each voice."""
    rng = np.random.default_rng(1)
    vectors = spoken(voices(clips // CLIPS_OF_A_SPEAKER)[np.arange(clips) // CLIPS_OF_A_SPEAKER], rng, cosine)
    durations_s = (1 + rng.lognormal(1.2, 0.6, clips)).astype(np.float32)
    narrowness = np.zeros(clips, dtype=np.float32)
    none = clips_as_voices(vectors[:0], durations_s[:0], narrowness[:0])
    nobody = KnownVoices([], none, none, {})
    begun = time.perf_counter()
    multiply(vectors)
    multiplied = time.perf_counter()
    found = len(link(range(clips), vectors, durations_s, narrowness, nobody, ProbabilityRule()).decisions)
    linked = time.perf_counter()
    print(f"\n{clips} clips, one voice {cosine}: the product {multiplied - begun:.1f} s, linked in", end=" ")
    print(f"{linked - multiplied:.1f} s, {found} speakers")


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
