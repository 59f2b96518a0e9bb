"""A figure that a benchmark measured, beside the bar that it is to meet, and the table of all of a run."""

from collections.abc import Iterable
from dataclasses import dataclass

MISSED = "NOT"


@dataclass(frozen=True)
class Figure:
    """One measured number. Without a bar it is told and not judged."""

    benchmark: str  # the module that measured it: "throughput"
    name: str
    value: float
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None

    @property
    def bar(self) -> str:
        """Say what is wanted."""
        bounds = ((">=", self.at_least), ("<=", self.at_most))
        return ", ".join(f"{sign} {bound:g}" for sign, bound in bounds if bound is not None)

    @property
    def verdict(self) -> str:
        """Say whether it is so: a value that is no number is not."""
        if not self.bar:
            return ""
        low = float("-inf") if self.at_least is None else self.at_least
        high = float("inf") if self.at_most is None else self.at_most
        return "as wanted" if low <= self.value <= high else MISSED

    @property
    def is_missed(self) -> bool:
        """Say whether there is a bar that the value does not meet."""
        return self.verdict == MISSED


@dataclass(frozen=True)
class AddFigure:
    """What the fixture `figure` gives: a call adds a figure."""

    benchmark: str
    figures: list[Figure]

    def __call__(
        self, name: str, value: float, unit: str = "", *, at_least: float | None = None, at_most: float | None = None
    ) -> None:
        """Add a figure."""
        self.figures.append(Figure(self.benchmark, name, value, unit, at_least, at_most))


def table(figures: Iterable[Figure]) -> str:
    """Lay figures out line by line, by benchmark, each benchmark's in the order measured."""
    ordered = sorted(figures, key=lambda figure: figure.benchmark)
    head = ("benchmark", "figure", "measured", "unit", "wanted", "")
    rows = [head, *((f.benchmark, f.name, f"{f.value:.4g}", f.unit, f.bar, f.verdict) for f in ordered)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
