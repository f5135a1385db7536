"""Draws the study: means over instances, and gradients during training."""

from pathlib import Path
from statistics import median
from typing import Any, Dict, List

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from spigot_allennlp.compat.atomic_io import replacing

Row = Dict[str, Any]
# The estimators to draw, with the colour and style of their lines.
_STYLES = {
    "structured_attention": ("#08306b", "-"),
    "straight_through_marginals": ("#2171b5", "--"),
    "reinforce": ("#6baed6", "-"),
    "straight_through": ("#238b45", "-"),
    "spigot": ("#d94801", "-"),
    "spigot_ce": ("#fd8d3c", "--"),
    "spigot_eg": ("#fdae6b", "-"),
    "blackbox": ("#525252", ":"),
    "spigot, two-sided": ("#7a0177", "--"),
}


def plot(scores: Dict[str, List[Row]], path: Path) -> None:
    """Writes the plot to `path`, if everything that it shows was measured."""
    averages, followed = scores.get("averages"), scores.get("clusters_followed")
    if not averages or not followed:
        return
    figure = Figure(figsize=(10.5, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(1, 3, sharey=True))
    for axis, structure in zip(axes, ("projective_tree", "semantic_graph"), strict=False):
        title = structure.replace("_", " ")
        rows = [row for row in averages if row["structure"] == structure]
        _draw(axis, title, rows, "num_instances", "noisy instances averaged")
        axis.set_xscale("log", base=4)
    rows = [row for row in followed if row["trained"] == "spigot"]
    _draw(axes[2], "latent clusters, while SPIGOT trains", rows, "step", "step")
    axes[2].set_xscale("symlog", linthresh=1)
    axes[2].set_xlim(left=-0.1)
    axes[0].set_ylabel("cosine with the exact gradient", fontsize=9)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", fontsize=7, frameon=False)
    with replacing(path) as new:
        figure.savefig(new, format=path.suffix[1:], dpi=120)


def _draw(axis: Axes, title: str, rows: List[Row], key: str, label: str) -> None:
    places = sorted({row[key] for row in rows})
    for estimator, (colour, style) in _STYLES.items():
        of_estimator = [row for row in rows if row["estimator"] == estimator]
        if not of_estimator:
            continue
        cosines = [
            median(row["cosine"] for row in of_estimator if row[key] == place) for place in places
        ]
        axis.plot(places, cosines, color=colour, linestyle=style, label=estimator, linewidth=1.4)
    axis.axhline(0, color="black", linewidth=0.6)
    axis.set_title(title, fontsize=9)
    axis.set_xlabel(label, fontsize=9)
    axis.tick_params(labelsize=8)
    axis.grid(axis="y", alpha=0.3)
