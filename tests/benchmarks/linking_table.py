"""The benchmark of linking as tables in Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from tests.benchmarks.memory_registry import Union
from tests.benchmarks.speech import SETS
from tests.benchmarks.trials import Line

SCORES = (*SETS, "mean F1", "mean persistence", "pooled F1", "pooled persistence", "noise 15 dB, mean F1")


def score_table(lines: Sequence[Line]) -> str:
    """Give B-cubed F1 and persistence of every rule."""
    rows = ((line.rule, *(f"{value:.3f}" for value in _scores(line))) for line in lines)
    return markdown(("rule", *SCORES), rows)


def _scores(line: Line) -> tuple[float, ...]:
    together = (line.pooled.f1, line.pooled.persistence)
    return (*line.f1.values(), line.mean_f1, line.persistence, *together, line.noisy_f1)


def false_joins(unions: Iterable[Union]) -> tuple[int, int]:
    """Count the joins that put two voices together, and all joins."""
    counts = [(union.false_joins, union.joins) for union in unions]
    return sum(false for false, _ in counts), sum(joins for _, joins in counts)


def knob_table(joins: Mapping[tuple[str, float], tuple[int, int]]) -> str:
    """Give the share of false joins for each condition and accepted rate."""
    rows = (
        (f"{rate:.0%}", condition, f"{false / made:.2%}", f"{false} of {made}")
        for (condition, rate), (false, made) in joins.items()
    )
    return markdown(("accepted", "pooled sets", "measured", "false joins"), rows)


def order_table(changes: Mapping[tuple[str, str], Sequence[float]]) -> str:
    """Give how much F1 changes with the order of nights: the mean, and the greatest in brackets."""
    rules = dict.fromkeys(rule for rule, _ in changes)
    sets = dict.fromkeys(corpora for _, corpora in changes)
    rows = ([rule, *(f"{fmean(c):.3f} ({max(c):.3f})" for c in (changes[rule, one] for one in sets))] for rule in rules)
    return markdown(("shuffled nights, change of F1", *sets), rows)


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay a table out in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
