"""Results as plots: how many times as long as ours the best peer takes, and how parsers scale."""

from pathlib import Path
from typing import Dict, List, NamedTuple, Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.goals import RATIO, goals_of
from benchmarks.problem import Size
from benchmarks.results import Cell, ScalingPoint
from spigot_allennlp.compat.atomic_io import replacing

_COLUMNS = 4
_PANEL_WIDTH, _PANEL_HEIGHT = 3.2, 2.6  # inches
# The styles of batch sizes, in their order: they differ in shade and, for print, in marker.
_COLOURS = ("#9ecae1", "#4292c6", "#08306b", "#525252", "#969696")
_MARKERS = ("o", "s", "^", "D", "v")


def plot_ratios(cells: Sequence[Cell], folder: Path) -> List[Path]:
    """
    Writes `ratios.png` and `ratios.svg` into `folder`, with a panel for each operation, and returns
    their paths; writes nothing if no cell has a ratio.
    """
    panels: Dict[str, List[Cell]] = {}
    for cell in cells:
        if cell.ratio is not None:
            panels.setdefault(cell.operation, []).append(cell)
    if not panels:
        return []
    rows = -(-len(panels) // _COLUMNS)
    columns = min(_COLUMNS, len(panels))
    size = _PANEL_WIDTH * columns, _PANEL_HEIGHT * rows
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(rows, columns, squeeze=False, sharey=True).flat)
    for axis, (operation, members) in zip(axes, panels.items(), strict=False):
        _plot_panel(axis, operation, members)
    for axis in axes[len(panels) :]:
        axis.set_axis_off()
    _add_legend(figure, axes[0])
    figure.supxlabel("tokens in a sentence; dashes are goals", fontsize=9)
    figure.supylabel("times as fast as the best peer", fontsize=9)
    return _save(figure, folder, "ratios")


def _plot_panel(axis: Axes, operation: str, cells: Sequence[Cell]) -> None:
    batches = sorted({cell.size.batch for cell in cells})
    for batch, colour, marker in zip(batches, _COLOURS, _MARKERS, strict=False):
        points = sorted((c.size.length, c.ratio) for c in cells if c.size.batch == batch)
        lengths, ratios = zip(*points, strict=True)
        axis.plot(
            lengths, ratios, color=colour, marker=marker, markersize=4, label=f"batch {batch}"
        )
        _plot_goals(axis, operation, [Size(batch, length) for length in lengths], colour)
    ticks = sorted({cell.size.length for cell in cells})
    axis.set(xscale="log", yscale="log", title=operation.replace("_", " "))
    axis.set_xticks(ticks, labels=list(map(str, ticks)))
    axis.set_xticks([], minor=True)
    axis.yaxis.set_major_formatter("{x:g}")
    axis.axhline(1, color="black", linewidth=0.8)
    axis.title.set_fontsize(9)
    axis.tick_params(labelsize=8)
    axis.grid(axis="y", alpha=0.3)


def _plot_goals(axis: Axes, operation: str, sizes: Sequence[Size], colour: str) -> None:
    """Draws a dash at each goal for a ratio."""
    for size in sizes:
        for goal in goals_of(operation, str(size)):
            if goal.unit == RATIO:
                axis.plot(
                    size.length, goal.bound, marker="_", markersize=14, color=colour, linestyle=""
                )


def _add_legend(figure: Figure, axis: Axes) -> None:
    """Adds the legend of a panel, which holds for all, where it hides no line."""
    figure.legend(
        *axis.get_legend_handles_labels(), fontsize=8, frameon=False, loc="outside right upper"
    )


# ---- How parsers scale

_LINE_COLOURS = ("#08306b", "#d94801", "#525252", "#238b45")
_LINE_STYLES = {1: "-", 2: "--"}


class _Panel(NamedTuple):
    """A task, and what of the sizes varies: `"length"` or `"batch"`."""

    task: str
    varies: str


def plot_scaling(points: Sequence[ScalingPoint], folder: Path) -> List[Path]:
    """
    Writes `scaling.png` and `scaling.svg` into `folder`, with the words a second of each parser by
    the length of sentences and by the size of batches, and returns their paths; writes nothing if
    there are no points.
    """
    panels = _panels(points)
    if not panels:
        return []
    figure = Figure(figsize=(_PANEL_WIDTH * len(panels), _PANEL_HEIGHT), layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(1, len(panels), squeeze=False).flat)
    for axis, (panel, members) in zip(axes, panels.items(), strict=True):
        _plot_scaling_panel(axis, panel, members)
    _add_legend(figure, axes[0])
    axes[0].set_ylabel("words a second", fontsize=9)
    return _save(figure, folder, "scaling")


def _panels(points: Sequence[ScalingPoint]) -> Dict[_Panel, List[ScalingPoint]]:
    """Returns the points of each panel: those that have the most frequent batch, by length, and
    those that have the most frequent length, by batch."""
    panels: Dict[_Panel, List[ScalingPoint]] = {}
    for task in dict.fromkeys(point.task for point in points):
        members = [point for point in points if point.task == task]
        for varies, fixed in (("length", "batch"), ("batch", "length")):
            values = [getattr(point.size, fixed) for point in members]
            usual = max(values, key=values.count)
            kept = [point for point in members if getattr(point.size, fixed) == usual]
            if len({getattr(point.size, varies) for point in kept}) > 1:
                panels[_Panel(task, varies)] = kept
    return panels


def _plot_scaling_panel(axis: Axes, panel: _Panel, points: Sequence[ScalingPoint]) -> None:
    parsers = list(dict.fromkeys(point.parser for point in points))
    for parser, colour, marker in zip(parsers, _LINE_COLOURS, _MARKERS, strict=False):
        for threads in sorted({point.threads for point in points}):
            line = sorted(
                (getattr(point.size, panel.varies), point.rate)
                for point in points
                if (point.parser, point.threads) == (parser, threads)
            )
            axis.plot(
                *zip(*line, strict=True),
                color=colour,
                marker=marker,
                markersize=4,
                linestyle=_LINE_STYLES.get(threads, ":"),
                label=f"{parser}, {threads} thread{'s' if threads > 1 else ''}",
            )
    ticks = sorted({getattr(point.size, panel.varies) for point in points})
    unit = "tokens in a sentence" if panel.varies == "length" else "sentences in a batch"
    axis.set(xscale="log", yscale="log", title=panel.task)
    axis.set_xlabel(unit, fontsize=9)
    axis.set_xticks(ticks, labels=list(map(str, ticks)))
    axis.set_xticks([], minor=True)
    axis.yaxis.set_major_formatter("{x:g}")
    axis.title.set_fontsize(9)
    axis.tick_params(labelsize=8)
    axis.grid(axis="y", alpha=0.3)


def _save(figure: Figure, folder: Path, name: str) -> List[Path]:
    paths = [folder / f"{name}.png", folder / f"{name}.svg"]
    for path in paths:
        with replacing(path) as new:
            figure.savefig(new, format=path.suffix[1:], dpi=150)
    return paths
