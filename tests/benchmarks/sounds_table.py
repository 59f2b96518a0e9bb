"""Who is who by every sound as a table in Markdown."""

from collections.abc import Iterable
from math import isnan

from tests.benchmarks.linking_table import markdown
from tests.benchmarks.sounds import RATES, Row

HEAD = (
    *("set", "heard", "B-cubed F1", "precision", "recall", "found / true", "largest mixed", "one number"),
    *(
        "precision of the sound",
        "calibration error",
        "expected precision",
        *(f"false joins, {rate:.0%} accepted" for rate in RATES),
    ),
)


def sound_table(rows: Iterable[Row]) -> str:
    """Give a line for each row, with a dash where there is nothing to measure."""
    return markdown(HEAD, map(cells, rows))


def cells(row: Row) -> list[str]:
    """Write out what was measured, column by column."""
    values = ("-" if isnan(value) else f"{value:.3f}" for value in vars(row.measured).values())
    shares = (f"{false / made:.1%}" for false, made in (row.joins[rate] for rate in RATES))
    return [row.case.pool, row.case.heard, *values, *shares]
