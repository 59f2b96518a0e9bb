"""Who is who by every sound as a picture: F1 and precision of each set."""

from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.sounds import Row

COLOURS = ("#1f6f5c", "#b8bec4", "#c44e52", "#dd8452", "#4c72b0", "#8172b3")
BAR = 0.14


def draw(rows: Sequence[Row], path: Path) -> None:
    """Write an SVG, white behind it for dark pages too.

    Args:
        rows: One for each set and sound.
        path: The file.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    sets = list(dict.fromkeys(row.case.pool for row in rows))
    sounds = list(dict.fromkeys(row.case.heard for row in rows))
    measured = {(row.case.pool, row.case.heard): row.measured for row in rows}
    # Text as text: small, and found by a search; no date and no random names: equal runs give equal files.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "sounds", "font.size": 9}):
        figure = Figure(figsize=(8.2, 3.4), facecolor="white", layout="constrained")
        axes = figure.subplots()
        for at, (sound, colour) in enumerate(zip(sounds, COLOURS, strict=True)):
            there = [place for place, name in enumerate(sets) if (name, sound) in measured]
            places = [place + BAR * (at - (len(sounds) - 1) / 2) for place in there]
            found = [measured[sets[place], sound] for place in there]
            axes.bar(places, [one.f1 for one in found], width=0.9 * BAR, color=colour, label=sound)
            axes.scatter(places, [one.precision for one in found], s=14, color="black", marker="_", zorder=3)
        axes.set_xticks(range(len(sets)), sets)
        axes.set(ylim=(0, 1), ylabel="bar: B-cubed F1; dash: precision")
        axes.spines[["top", "right"]].set_visible(False)
        figure.legend(loc="outside upper center", ncols=len(sounds), frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None})
