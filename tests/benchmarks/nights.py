"""Nights of labelled speech as arrays: what lay_out.py draws, without its files."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from registry.core.records import Integers
from tests.benchmarks.speech import manifest

NIGHTS = 10


@dataclass(frozen=True)
class Nights:
    """The clips of all nights in order of their names, mclip-00000001 and so on."""

    row: Integers  # (n,) of the corpora's manifests, one after the other
    speaker: np.ndarray  # (n,) who speaks, "corpus/speaker"
    gender: np.ndarray  # (n,) "F" or "M"
    night: Integers  # (n,) from 0

    def __len__(self) -> int:
        """Count the clips."""
        return len(self.row)

    def shuffled(self, seed: int) -> "Nights":
        """Hear the same nights in another order."""
        place = np.random.default_rng(seed).permutation(NIGHTS)
        night = place[self.night]
        order = np.argsort(night, kind="stable")
        return Nights(self.row[order], self.speaker[order], self.gender[order], night[order])


@cache
def lay_out(corpora: tuple[str, ...], seed: int, per_night: int = 0) -> Nights:
    """Draw nights of some corpora, pooled: numpy is asked what lay_out.py asks it, in the same order.

    Args:
        corpora: Their names.
        seed: Of the draw.
        per_night: How many clips a night has, drawn from all; without, there are ten `--uneven` nights.
    """
    rng = np.random.default_rng(seed)
    clips = [(f"{corpus}/{clip['speaker']}", clip["gender"]) for corpus in corpora for clip in manifest(corpus)]
    rows = pd.DataFrame(clips, columns=["speaker", "gender"])
    rows["row"] = np.arange(len(rows))
    rows = rows.sample(frac=1, random_state=seed).reset_index(drop=True)
    if per_night:
        night = np.arange(len(rows)) // per_night
    else:
        rows = _uneven(rows, rng)
        night = _uneven_nights(rows, rng)
    order = np.argsort(night, kind="stable")
    return Nights(
        rows["row"].to_numpy()[order],
        rows["speaker"].to_numpy(dtype=str)[order],
        rows["gender"].to_numpy(dtype=str)[order],
        night[order],
    )


def _uneven(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Keep 1-2 clips of a third of the speakers, 3-8 of a third, up to 60 of the rest."""
    kept: list[int] = []
    for index in _by_speaker(rows):
        draw = rng.random()
        count = rng.integers(1, 3) if draw < 1 / 3 else rng.integers(3, 9) if draw < 2 / 3 else 60
        kept.extend(rng.permutation(index)[:count])
    return rows.loc[sorted(kept)].reset_index(drop=True)


def _uneven_nights(rows: pd.DataFrame, rng: np.random.Generator) -> Integers:
    """Let every speaker be heard on one to six nights."""
    night = np.zeros(len(rows), dtype=np.int64)
    for index in _by_speaker(rows):
        heard = rng.choice(NIGHTS, size=int(rng.integers(1, 7)), replace=False)
        night[index] = rng.choice(heard, size=len(index))
    return night


def _by_speaker(rows: pd.DataFrame) -> list[Integers]:
    """Give the rows of each speaker, in order of speaker."""
    return [np.asarray(index) for _, index in sorted(rows.groupby("speaker").groups.items())]
