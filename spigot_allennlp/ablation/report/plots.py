"""Plots of a report: the scores with their intervals, and the learning curves."""

import io
import re
from typing import TYPE_CHECKING, Any, Callable, Dict, List, NamedTuple, Optional

from spigot_allennlp.ablation.report.summary import Summary
from spigot_allennlp.compat import atomic_io
from spigot_allennlp.training.learning_curves import Curve, mean_curve, read_first_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, GREY, ACCENT = "#1a1a1a", "#8c8c8c", "#2b6cb0"
COLUMNS = 3  # panels in a row
STYLE: Dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 9,
    "svg.fonttype": "none",
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def write_plots(summary: Summary) -> Dict[str, bytes]:
    """Writes each plot as PNG and as SVG. Returns the SVG by the name of the plot (see `PLOTS`)."""
    import matplotlib

    written = {}
    for name, plot in PLOTS.items():
        with matplotlib.rc_context({**STYLE, "svg.hashsalt": name}):
            figure = plot.make_figure(summary)
            if figure is not None:
                written[name] = figure_as_bytes(figure, "svg")
                atomic_io.write(summary.folder / f"{name}.svg", written[name])
                atomic_io.write(summary.folder / f"{name}.png", figure_as_bytes(figure, "png"))
    return written


def plot_scores(summary: Summary) -> "Optional[Figure]":
    """
    Plots a line for each variant: its mean with the 95 % interval, and a ring for each seed. The
    dashed line is the baseline's mean. Returns `None` if there are no scores.
    """
    from matplotlib.figure import Figure

    metric, baseline = summary.plan.metrics[0], summary.plan.baseline
    rows = [row for row in summary.rows if metric in row.spreads]
    if not rows:
        return None
    figure = Figure(figsize=(7, 0.9 + 0.34 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(rows):
        scores = list(summary.scores(row.variant, metric).values())
        colour = GREY if row.variant == baseline else ACCENT
        axes.plot(scores, [place] * len(scores), "o", mfc="none", mec=colour, ms=5, alpha=0.7)
        axes.plot(row.spreads[metric].mean, place, "D", color=colour, ms=5)
        if row.interval:
            axes.plot(row.interval, [place, place], "-", color=colour, lw=2, solid_capstyle="butt")
        if row.variant == baseline:
            axes.axvline(row.spreads[metric].mean, color=GREY, lw=0.8, ls="--", zorder=0)
    axes.set_yticks(range(len(rows)), [wrap_name(row.variant, 32) for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(metric)
    return figure


def plot_curves(summary: Summary) -> "Optional[Figure]":
    """
    Plots a panel for each variant: a thin line for each seed, their mean, and the baseline's mean
    for comparison. Returns `None` if no epoch has been completed.
    """
    from matplotlib.figure import Figure

    curves_of = {name: read_curves(summary, name) for name in summary.plan.variants}
    curves_of = {name: curves for name, curves in curves_of.items() if curves}
    if not curves_of:
        return None
    columns = min(COLUMNS, len(curves_of))
    lines = -(-len(curves_of) // columns)
    figure = Figure(figsize=(0.4 + 2.2 * columns, 0.4 + 1.7 * lines), layout="constrained")
    panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).flatten()
    reference = mean_curve(curves_of.get(summary.plan.baseline, []))
    for axes, (name, curves) in zip(panels, curves_of.items(), strict=False):
        _plot_panel(axes, curves, reference, is_baseline=name == summary.plan.baseline)
        axes.set_title(wrap_name(name, 26), fontsize=8, loc="left")
    for number, axes in enumerate(panels):
        axes.tick_params(labelbottom=number + columns >= len(curves_of))
        axes.set_visible(number < len(curves_of))
    figure.supxlabel("epoch", fontsize=9)
    figure.supylabel(next(iter(curves_of.values()))[0].name, fontsize=9)
    return figure


def read_curves(summary: Summary, name: str) -> List[Curve]:
    """
    Reads the curve of each run of a variant that has completed an epoch, done or not: of the first
    metric on the validation data, or else on the training data, or else of the training loss.
    """
    metric = summary.plan.metrics[0]
    names = (f"validation_{metric}", f"training_{metric}", "training_loss")
    folders = [result.run.serialization_dir for result in summary.results_of(name)]
    curves = (read_first_curve(folder, names) for folder in folders)
    return [curve for curve in curves if curve is not None]


def _plot_panel(
    axes: "Axes", curves: List[Curve], reference: Dict[int, float], is_baseline: bool
) -> None:
    colour = GREY if is_baseline else ACCENT
    if not is_baseline and reference:
        axes.plot(list(reference), list(reference.values()), "--", color=GREY, lw=1)
    for curve in curves:
        axes.plot(list(curve.values), list(curve.values.values()), color=colour, lw=0.7, alpha=0.5)
    mean = mean_curve(curves)
    axes.plot(list(mean), list(mean.values()), color=colour, lw=1.8)
    axes.locator_params(axis="x", integer=True, nbins=5)
    axes.locator_params(axis="y", nbins=4)


def wrap_name(name: str, longest: int) -> str:
    """Breaks a name that is longer than `longest` after commas and plus signs."""
    lines = [""]
    for part in re.split(r"(?<=[,+])", name):
        if lines[-1] and len(lines[-1] + part) > longest:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def figure_as_bytes(figure: "Figure", kind: str) -> bytes:
    """Renders a figure as "png" or "svg"; the same bytes for the same data."""
    buffer = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    figure.savefig(buffer, format=kind, dpi=200, metadata=metadata)
    return buffer.getvalue()


class Plot(NamedTuple):
    """
    A kind of plot: its heading, the caption that says what it shows, and the function that makes
    it, which returns `None` if there is nothing to show.
    """

    heading: str
    caption: str
    make_figure: "Callable[[Summary], Optional[Figure]]"


# By the name of the plot's file, without its end.
PLOTS = {
    "scores": Plot(
        "Scores",
        "Rings: the seeds. Diamond and line: their mean with its 95 % interval, over seeds and "
        "test instances. Dashed: the mean of the baseline.",
        plot_scores,
    ),
    "curves": Plot(
        "Learning curves",
        "Thin lines: the seeds. Thick: their mean. Dashed: the mean of the baseline.",
        plot_curves,
    ),
}
