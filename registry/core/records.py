"""Values that several rooms share: array types, genders, groups, recordings, and rejected input."""

import datetime as dt
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

import numpy as np
import numpy.typing as npt

from registry.core.names import one_form

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
Gender = Literal["M", "F"]
GENDERS: tuple[Gender, ...] = ("F", "M")  # a voice of one is never matched with a voice of the other


@dataclass(frozen=True)
class Rejected:
    """A piece of the input that cannot be used: where it is, what is wrong, and what to do."""

    path: str
    reason: str  # a word for the kind of fault, for scripts: "silent", "truncated", "no-transcript", ...
    message: str  # a sentence for people, with the remedy

    @property
    def stem(self) -> str:
        """The name of the clip that a rejected file belongs to: the file's name without its ending."""
        return one_form(PurePath(self.path).stem)


@dataclass(frozen=True)
class Sound:
    """What is known of a recording apart from its samples. Each field is a column of the table `audio`."""

    audio_hash: str  # SHA-256 of samples, rate and channels, hex: the same under another header, in 16 bit or in float
    duration_s: float
    sample_rate_hz: int  # as recorded
    channels: int  # as recorded
    narrowness: float  # 0 heard as in a studio, 1 as over a telephone


@dataclass(frozen=True)
class EmbeddedSound:
    """A recording that a model has embedded, ready to be stored."""

    sound: Sound
    vector: Floats  # (dim,) the embedding, as the model gave it


@dataclass(frozen=True, order=True)
class Group:
    """The clips of one input folder, named by night, broadcaster and gender. Groups sort by night first."""

    date: dt.date  # the night
    broadcaster: str
    gender: Gender

    def __str__(self) -> str:
        """Name the group as its input folder is named."""
        return f"{self.broadcaster}_{self.gender}{self.date:%Y%m%d}"
