"""Many rejections in brief: of many for one reason, only a few are shown and the others are counted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from registry.core.records import Rejected

MOST_ALIKE = 5  # up to this number, all rejections for one reason are shown
SHOWN_ALIKE = 3  # how many are shown where there are more
MOST_LETTERS = 1000  # letters shown of a path or message: a name may have been made to flood whoever reads it


@dataclass(frozen=True)
class Alike:
    """The rejections for one reason."""

    reason: str
    shown: Sequence[Rejected]  # with long paths and messages shortened
    more: int  # number of rejections that are not shown


def by_cause(rejected: Iterable[Rejected]) -> list[Alike]:
    """Put together the rejections for each reason, in the order in which the reasons first come."""
    alike: dict[str, list[Rejected]] = {}
    for one in rejected:
        alike.setdefault(one.reason, []).append(one)
    return [_shortened(reason, ones) for reason, ones in alike.items()]


def _shortened(reason: str, ones: Sequence[Rejected]) -> Alike:
    shown = ones if len(ones) <= MOST_ALIKE else ones[:SHOWN_ALIKE]
    brief = [replace(one, path=shortened(one.path), message=shortened(one.message)) for one in shown]
    return Alike(reason, brief, len(ones) - len(shown))


def shortened(text: str) -> str:
    """Leave out the middle of a text that is too long to be read."""
    half = MOST_LETTERS // 2
    return text if len(text) <= MOST_LETTERS else f"{text[:half]} ... {text[-half:]}"
