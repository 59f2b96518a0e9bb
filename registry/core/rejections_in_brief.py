"""Many rejections told in few words: what was for one cause many times is shown by a few."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from registry.core.records import Rejected

MOST_ALIKE = 5  # so many of one cause are all shown
SHOWN_ALIKE = 3  # of more than those
MOST_LETTERS = 1000  # of a path or message; a name may have been made to flood whoever reads it


@dataclass(frozen=True)
class Alike:
    """What was rejected for one cause."""

    reason: str
    shown: Sequence[Rejected]
    more: int  # besides those


def by_cause(rejected: Iterable[Rejected]) -> list[Alike]:
    """Put together what was rejected for one cause, in order of the first of each."""
    alike: dict[str, list[Rejected]] = {}
    for one in rejected:
        alike.setdefault(one.reason, []).append(one)
    return [_shortened(reason, ones) for reason, ones in alike.items()]


def _shortened(reason: str, ones: Sequence[Rejected]) -> Alike:
    shown = ones if len(ones) <= MOST_ALIKE else ones[:SHOWN_ALIKE]
    brief = [replace(one, path=shortened(one.path), message=shortened(one.message)) for one in shown]
    return Alike(reason, brief, len(ones) - len(shown))


def shortened(text: str) -> str:
    """Leave out the middle of what is too long to be read."""
    half = MOST_LETTERS // 2
    return text if len(text) <= MOST_LETTERS else f"{text[:half]} ... {text[-half:]}"
