"""The words of the registry as values: what is read, what is known, what is decided."""

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
GENDERS: tuple[Gender, ...] = ("F", "M")  # never compared with each other


@dataclass(frozen=True)
class Rejected:
    """A piece of the input that cannot be used: where it is, what is wrong, what to do."""

    path: str
    reason: str  # one word per kind of fault, for scripts: "silent", "truncated", "no-transcript", ...
    message: str  # one sentence for people, with the remedy

    @property
    def stem(self) -> str:
        """Name the clip that a file is of: its name without its ending."""
        return one_form(PurePath(self.path).stem)


@dataclass(frozen=True)
class Sound:
    """What is known of a recording apart from its samples; each field is a column of the table `audio`."""

    audio_hash: str  # hex; the same for the same sound in another header, in 16 bit or in float
    duration_s: float
    sample_rate_hz: int  # as recorded
    channels: int  # as recorded
    narrowness: float  # 0 heard as in a studio, 1 over a telephone


@dataclass(frozen=True)
class EmbeddedSound:
    """A recording that a model has embedded, ready to be stored."""

    sound: Sound
    vector: Floats  # (dimension,)


@dataclass(frozen=True, order=True)
class Group:
    """One input folder's worth of clips: a broadcaster, a night, a gender. Sorts by night first."""

    date: dt.date
    broadcaster: str
    gender: Gender

    def __str__(self) -> str:
        """Name the group as its input folder is named."""
        return f"{self.broadcaster}_{self.gender}{self.date:%Y%m%d}"
