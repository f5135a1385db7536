"""`allennlp plot-metrics`: one figure over the epochs of several runs, drawn."""

import argparse
import json
import re
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import List, Mapping, Sequence, Tuple, Union

from allennlp.commands.subcommand import Subcommand
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.compat.whole_files import write

EPOCH_FILE = re.compile(r"metrics_epoch_(\d+)\.json")


@Subcommand.register("plot-metrics")
class PlotMetrics(Subcommand):
    """
    Registered as a `Subcommand` with name "plot-metrics".
    """

    def add_subparser(self, parser: argparse._SubParsersAction) -> argparse.ArgumentParser:
        description = "Draw a metric of several training runs over their epochs."
        subparser = parser.add_parser(self.name, description=description, help=description)
        subparser.add_argument("runs", nargs="+", help="folders that training has written")
        subparser.add_argument("--metric", required=True, help="such as validation_accuracy")
        subparser.add_argument("--output", required=True, help="a file: .png, .svg or .pdf")
        subparser.set_defaults(func=plot_metrics_from_args)
        return subparser


def plot_metrics_from_args(args: argparse.Namespace) -> None:
    """Draws what the command line asks for, and says where."""
    curves = {Path(run).name: read_curve(run, args.metric) for run in args.runs}
    plot_curves(curves, args.metric, args.output)
    print(f"{len(curves)} runs drawn in {args.output}")


def read_curve(folder: Union[str, PathLike], metric: str) -> List[Tuple[int, float]]:
    """
    The epochs of a run, from 1, each with the metric's value.

    # Raises

    `ConfigurationError` if the folder holds no metrics, or not this one.
    """
    files = {
        int(match.group(1)): path
        for path in Path(folder).glob("metrics_epoch_*.json")
        if (match := EPOCH_FILE.fullmatch(path.name))
    }
    if not files:
        raise ConfigurationError(
            f"{folder} has no metrics_epoch_*.json: give folders that `allennlp train` has written."
        )
    curve = []
    for epoch, path in sorted(files.items()):
        try:
            metrics = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ConfigurationError(
                f"{path} is no JSON ({error}): it was cut off, or damaged. Delete it to draw the "
                "other epochs."
            ) from error
        if metric not in metrics:
            raise ConfigurationError(
                f"{path} does not hold {metric}; it holds {', '.join(sorted(metrics))}."
            )
        curve.append((epoch + 1, metrics[metric]))
    return curve


def plot_curves(
    curves: Mapping[str, Sequence[Tuple[int, float]]], metric: str, output: Union[str, PathLike]
) -> None:
    """Draws curves, which have names, into a file, which appears when it is whole."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    for name, curve in curves.items():
        epochs, values = zip(*curve, strict=True)
        axis.plot(epochs, values, marker=".", label=name)
    axis.set(xlabel="epoch", ylabel=metric.replace("_", " "))
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
    drawn = BytesIO()
    figure.savefig(drawn, format=Path(output).suffix[1:] or "png", dpi=150)
    write(output, drawn.getvalue())
