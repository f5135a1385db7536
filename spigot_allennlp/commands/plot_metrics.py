"""`allennlp plot-metrics`: plots a metric of several training runs over their epochs."""

import argparse
from os import PathLike
from pathlib import Path
from typing import Dict, Sequence, Union

from allennlp.commands.subcommand import Subcommand

from spigot_allennlp.compat.outputs import check_figure, write_figure
from spigot_allennlp.compat.plain_errors import plain_error
from spigot_allennlp.training.learning_curves import Curve, read_curve

EXAMPLES = """examples:
  allennlp plot-metrics runs/pipeline runs/spigot --metric validation_labelled_f1 \\
    --output runs/f1.svg"""


@Subcommand.register("plot-metrics")
class PlotMetrics(Subcommand):
    """
    Reads the command line, and calls `plot_curves`. Registered as a `Subcommand` with name
    "plot-metrics".
    """

    def add_subparser(self, parser: argparse._SubParsersAction) -> argparse.ArgumentParser:
        description = "Plot a metric of several training runs over their epochs."
        subparser = parser.add_parser(
            self.name, description=description, help=description, epilog=EXAMPLES
        )
        subparser.add_argument("runs", nargs="+", help="folders that training has written")
        subparser.add_argument("--metric", required=True, help="such as validation_accuracy")
        subparser.add_argument("--output", required=True, help="a file: .png, .svg or .pdf")
        subparser.set_defaults(func=plot_metrics_from_args)
        return subparser


def plot_metrics_from_args(args: argparse.Namespace) -> None:
    """Plots what the command line asks for, and prints the name of the file."""
    check_figure(args.output)
    names = names_of(args.runs)
    curves = {name: read_curve(run, args.metric) for run, name in names.items()}
    plot_curves(curves, args.metric, args.output)
    print(f"{len(curves)} {'run' if len(curves) == 1 else 'runs'} plotted in {args.output}")


def names_of(runs: Sequence[str]) -> Dict[str, str]:
    """
    Returns the name of each folder in the legend: the end of its path, with as many parts as it
    takes to tell all of them apart.

    # Raises

    `ConfigurationError` if a folder is named twice.
    """
    parts = {run: Path(run).resolve().parts for run in runs}
    for run in runs:
        same = [other for other in runs if Path(other).resolve().parts == parts[run]]
        if len(same) > 1:
            raise plain_error(f"{' and '.join(same)} are the same folder. Name it once.")
    length = 1
    while len({ends[-length:] for ends in parts.values()}) < len(parts):
        length += 1
    return {run: "/".join(ends[-length:]) for run, ends in parts.items()}


def plot_curves(curves: Dict[str, Curve], metric: str, output: Union[str, PathLike]) -> None:
    """
    Plots the curves of runs into a file, which appears once it is complete.

    # Parameters

    curves : `Dict[str, Curve]`
        The curves, by their names in the legend.
    metric : `str`
        The label of the vertical axis.
    output : `Union[str, PathLike]`
        The file. Its extension sets the format: .png, .svg or .pdf.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for name, curve in curves.items():
        axes.plot(list(curve.values), list(curve.values.values()), marker=".", label=name)
    axes.set(xlabel="epoch", ylabel=metric.replace("_", " "))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    write_figure(figure, output)
