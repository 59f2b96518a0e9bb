"""What a night costs against the size of the registry, as a picture: a line for each step."""

from collections.abc import Mapping
from pathlib import Path

COLOURS = ("#1f6f5c", "#c44e52", "#4c72b0", "#dd8452", "#8172b3", "#937860", "#55a868")
MARKS = "os^DvPX"  # for those who do not tell the colours apart


def draw(seconds: Mapping[int, Mapping[str, float]], path: Path) -> None:
    """Write an SVG, white behind it for dark pages too.

    Args:
        seconds: Clips in the registry -> step -> seconds of a night of 1,000 clips.
        path: The file.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    sizes = sorted(seconds)
    steps = sorted(seconds[sizes[0]], key=lambda step: -seconds[sizes[-1]][step])
    # Text as text: small, and found by a search; no date and no random names: equal runs give equal files.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "history", "font.size": 9}):
        figure = Figure(figsize=(7.2, 3.8), facecolor="white", layout="constrained")
        axes = figure.subplots()
        for step, colour, mark in zip(steps, COLOURS, MARKS, strict=False):
            axes.plot(sizes, [seconds[size][step] for size in sizes], color=colour, marker=mark, ms=4, label=step)
        axes.set(
            xscale="log", yscale="log", xlabel="clips in the registry", ylabel="seconds for a night of 1,000 clips"
        )
        axes.spines[["top", "right"]].set_visible(False)
        figure.legend(loc="outside right center", frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None})
