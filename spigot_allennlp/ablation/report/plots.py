"""Plots for a report: the scores with their intervals, and the learning curves."""

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
# Inches. Text is 12 pixels high in a browser that shows a figure at its own size, and at least 11
# where the page switches between the two: `html_report.html` is designed for these numbers.
WIDE, NARROW = 6.0, 3.0
PANEL = 1.5  # the minimum width of a panel, in inches
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


class DrawnPlot(NamedTuple):
    """A plot as SVG, in two widths."""

    wide: bytes
    narrow: bytes


def write_plots(summary: Summary) -> Dict[str, DrawnPlot]:
    """
    Writes each plot as PNG and as SVG. Returns the SVG by the name of the plot (see `PLOTS`),
    together with a narrow version for small screens.
    """
    import matplotlib

    written = {}
    for name, plot in PLOTS.items():
        with matplotlib.rc_context({**STYLE, "svg.hashsalt": name}):
            figure = plot.make_figure(summary, WIDE)
            if figure is None:
                continue
            wide = figure_as_bytes(figure, "svg")
            atomic_io.write(summary.folder / f"{name}.svg", wide)
            atomic_io.write(summary.folder / f"{name}.png", figure_as_bytes(figure, "png"))
        # IDs in the two must differ: a browser takes the first match in a page.
        with matplotlib.rc_context({**STYLE, "svg.hashsalt": f"{name} narrow"}):
            narrow = plot.make_figure(summary, NARROW)
            assert narrow is not None
            written[name] = DrawnPlot(wide, figure_as_bytes(narrow, "svg"))
    return written


def plot_scores(summary: Summary, width: float) -> "Optional[Figure]":
    """
    Plots a line for each variant: its mean with the 95 % interval, and a ring for each seed. A
    dashed line marks the baseline's mean. Returns `None` if there are no scores.

    # Parameters

    summary : `Summary`
    width : `float`
        In inches. In a narrow figure, names are above the lines, not beside them.
    """
    from matplotlib.figure import Figure

    metric, baseline = summary.plan.metrics[0], summary.plan.baseline
    rows = [row for row in summary.rows if metric in row.spreads]
    if not rows:
        return None
    beside = width == WIDE
    height = 0.9 + (0.34 if beside else 0.52) * len(rows)
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(rows):
        scores = list(summary.scores_by_seed(row.variant, metric).values())
        colour, marker = (GREY, "s") if row.variant == baseline else (ACCENT, "D")
        axes.plot(scores, [place] * len(scores), "o", mfc="none", mec=colour, ms=5, alpha=0.7)
        axes.plot(row.spreads[metric].mean, place, marker, color=colour, ms=5)
        if row.interval:
            axes.plot(row.interval, [place, place], "-", color=colour, lw=2, solid_capstyle="butt")
        if row.variant == baseline:
            axes.axvline(row.spreads[metric].mean, color=GREY, lw=0.8, ls="--", zorder=0)
    if beside:
        axes.set_yticks(range(len(rows)), [wrap_name(row.variant, 32) for row in rows])
    else:
        axes.set_yticks([])
        for place, row in enumerate(rows):
            name = wrap_name(row.variant, 36)
            axes.text(0.01, place - 0.25, name, transform=axes.get_yaxis_transform())
    axes.set_ylim(len(rows) - 0.5, -0.5 if beside else -0.8)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(metric)
    return figure


def plot_curves(summary: Summary, width: float) -> "Optional[Figure]":
    """
    Plots a panel for each variant that has curves (`read_curves`): a thin line for each seed, their
    mean, and the baseline's mean for comparison. Returns `None` if no variant has any.

    # Parameters

    summary : `Summary`
    width : `float`
        In inches.
    """
    from matplotlib.figure import Figure

    curves_of = read_curves(summary)
    if not curves_of:
        return None
    columns = min(3, int(width / PANEL), len(curves_of))
    num_lines = -(-len(curves_of) // columns)
    titles = [wrap_name(name, int(11 * width / columns)) for name in curves_of]
    lines_of_text = max(title.count("\n") for title in titles) + 1
    height = 0.4 + (1.3 + 0.15 * lines_of_text) * num_lines
    figure = Figure(figsize=(width, height), layout="constrained")
    panels = figure.subplots(num_lines, columns, sharex=True, sharey=True, squeeze=False).flatten()
    reference = mean_curve(curves_of.get(summary.plan.baseline, []))
    # Panels beyond the number of variants are hidden below.
    for axes, title, (name, curves) in zip(panels, titles, curves_of.items(), strict=False):
        _plot_panel(axes, curves, reference, is_baseline=name == summary.plan.baseline)
        axes.set_title(title, fontsize=9, loc="left")
    for number, axes in enumerate(panels):
        axes.tick_params(labelbottom=number + columns >= len(curves_of))
        axes.set_visible(number < len(curves_of))
    figure.supxlabel("epoch", fontsize=9)
    figure.supylabel(next(iter(curves_of.values()))[0].name, fontsize=9)
    return figure


def read_curves(summary: Summary) -> Dict[str, List[Curve]]:
    """
    Reads the curve of each run that has completed an epoch, whether done or not, by variant. All
    are of the same metric: the first metric on the validation data, or else on the training data,
    or else the training loss, whichever some run has. A variant without it is left out.
    """
    metric = summary.plan.metrics[0]
    for name in (f"validation_{metric}", f"training_{metric}", "training_loss"):
        curves_of: Dict[str, List[Curve]] = {}
        for result in summary.results:
            curve = read_first_curve(result.run.serialization_dir, [name])
            if curve is not None:
                curves_of.setdefault(result.record.variant, []).append(curve)
        if curves_of:
            return curves_of
    return {}


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
    """
    Breaks a name that is longer than `longest` after commas, plus signs and spaces or, if that is
    not enough, after underscores.
    """
    lines = [name]
    for end in "[,+ ]", "_":
        lines = [part for line in lines for part in _wrap_line(line, longest, end)]
    return "\n".join(lines)


def _wrap_line(line: str, longest: int, end: str) -> List[str]:
    lines = [""]
    for part in re.split(f"(?<={end})", line):
        if lines[-1] and len((lines[-1] + part).rstrip()) > longest:
            lines.append("")
        lines[-1] += part
    return [text.rstrip() for text in lines]


def figure_as_bytes(figure: "Figure", kind: str) -> bytes:
    """Renders a figure as "png" or "svg". The same data give the same bytes."""
    buffer = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    figure.savefig(buffer, format=kind, dpi=200, metadata=metadata)
    figure.set_layout_engine("none")  # keeps the first layout, which is slow
    return buffer.getvalue()


class Plot(NamedTuple):
    """
    A kind of plot: its heading, its caption, and the function that makes it, which returns `None`
    if there is nothing to show.
    """

    heading: str
    caption: str
    make_figure: "Callable[[Summary, float], Optional[Figure]]"


# By the file name of the plot, without extension.
PLOTS = {
    "scores": Plot(
        "Scores",
        "Rings: the seeds. Diamond and line: their mean with its 95 % interval, over seeds and "
        "test instances. Square and dashed line: the mean of the baseline.",
        plot_scores,
    ),
    "curves": Plot(
        "Learning curves",
        "Thin lines: the seeds. Thick: their mean. Dashed: the mean of the baseline.",
        plot_curves,
    ),
}
