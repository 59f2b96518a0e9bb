"""The benchmark of linking as a picture: a bar for each rule, a dot for each set."""

from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.speech import SETS
from tests.benchmarks.trials import Line

OURS, OTHERS = "#1f6f5c", "#b8bec4"
DOTS = ("#c44e52", "#dd8452", "#4c72b0", "#8172b3")
MARKS = ("o", "s", "^", "D")  # for those who do not tell the colours apart


def draw(lines: Sequence[Line], ours: int, path: Path) -> None:
    """Write an SVG, white behind it for dark pages too.

    Args:
        lines: The first `ours` are the registry's; the rest follow, the best first.
        ours: How many those are.
        path: The file.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    best_first = [*lines[:ours], *sorted(lines[ours:], key=lambda line: -line.mean_f1)]
    # Text as text: small, and found by a search; no date and no random names: equal runs give equal files.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "linking", "font.size": 9}):
        figure = Figure(figsize=(8.2, 0.6 + 0.27 * len(lines)), facecolor="white", layout="constrained")
        axes = figure.subplots()
        places = range(len(best_first), 0, -1)
        colours = [OURS] * ours + [OTHERS] * (len(lines) - ours)
        axes.barh(places, [line.mean_f1 for line in best_first], height=0.7, color=colours)
        for place, line in zip(places, best_first, strict=True):
            axes.text(1.02, place, f"{line.mean_f1:.3f}", va="center")
        for corpus, dot, mark in zip(SETS, DOTS, MARKS, strict=True):
            values = [line.f1[corpus] for line in best_first]
            axes.scatter(values, places, s=14, color=dot, marker=mark, zorder=3, label=corpus, lw=0, clip_on=False)
        axes.set_yticks(places, [line.rule.replace("*", "").replace("`", "") for line in best_first])
        axes.set(xlim=(0, 1), xlabel="B-cubed F1: bar, mean of the sets; dots, each set")
        axes.spines[["top", "right"]].set_visible(False)
        figure.legend(loc="outside upper center", ncols=len(SETS), frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None})
