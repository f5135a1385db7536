"""How many times as long as ours the best peer takes, by length: a panel for each operation."""

from pathlib import Path
from typing import Dict, List, Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.goals import RATIO, goals_of
from benchmarks.problem import Size
from benchmarks.results import Cell
from spigot_allennlp.compat.whole_files import replacing

COLUMNS = 4
PANEL = 3.2, 2.6  # inches
# Of batch sizes, in their order; told apart by shade, and by marker in print.
COLOURS = ("#9ecae1", "#4292c6", "#08306b", "#525252", "#969696")
MARKERS = ("o", "s", "^", "D", "v")


def plot(cells: Sequence[Cell], folder: Path) -> List[Path]:
    """
    Writes `ratios.png` and `ratios.svg` into `folder`, and returns their paths; nothing, if no cell
    has a ratio.
    """
    panels: Dict[str, List[Cell]] = {}
    for cell in cells:
        if cell.ratio is not None:
            panels.setdefault(cell.operation, []).append(cell)
    if not panels:
        return []
    rows = -(-len(panels) // COLUMNS)
    columns = min(COLUMNS, len(panels))
    figure = Figure(figsize=(PANEL[0] * columns, PANEL[1] * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(rows, columns, squeeze=False, sharey=True).flat)
    for axis, (operation, members) in zip(axes, panels.items(), strict=False):
        _panel(axis, operation, members)
    for axis in axes[len(panels) :]:
        axis.set_axis_off()
    axes[0].legend(fontsize=7, frameon=False)
    figure.supxlabel("tokens in a sentence; dashes are goals", fontsize=9)
    figure.supylabel("times as fast as the best peer", fontsize=9)
    paths = [folder / "ratios.png", folder / "ratios.svg"]
    for path in paths:
        with replacing(path) as new:
            figure.savefig(new, format=path.suffix[1:], dpi=150)
    return paths


def _panel(axis: Axes, operation: str, cells: Sequence[Cell]) -> None:
    batches = sorted({cell.size.batch for cell in cells})
    for batch, colour, marker in zip(batches, COLOURS, MARKERS, strict=False):
        points = sorted((c.size.length, c.ratio) for c in cells if c.size.batch == batch)
        lengths, ratios = zip(*points, strict=True)
        axis.plot(
            lengths, ratios, color=colour, marker=marker, markersize=4, label=f"batch {batch}"
        )
        _goals(axis, operation, [Size(batch, length) for length in lengths], colour)
    ticks = sorted({cell.size.length for cell in cells})
    axis.set(xscale="log", yscale="log", title=operation.replace("_", " "))
    axis.set_xticks(ticks, labels=list(map(str, ticks)))
    axis.set_xticks([], minor=True)
    axis.yaxis.set_major_formatter("{x:g}")
    axis.axhline(1, color="black", linewidth=0.8)
    axis.title.set_fontsize(9)
    axis.tick_params(labelsize=8)
    axis.grid(axis="y", alpha=0.3)


def _goals(axis: Axes, operation: str, sizes: Sequence[Size], colour: str) -> None:
    """A dash where a goal is."""
    for size in sizes:
        for goal in goals_of(operation, str(size)):
            if goal.unit == RATIO:
                axis.plot(
                    size.length, goal.bound, marker="_", markersize=14, color=colour, linestyle=""
                )
