"""`allennlp compare-trees`: how the trees of one pipeline differ from those of another."""

import argparse
from typing import TYPE_CHECKING, Any, Dict, Optional, Sequence

from allennlp.commands.subcommand import Subcommand

from spigot_allennlp.commands.parse import gold_of
from spigot_allennlp.compat.plain_errors import plain_error

if TYPE_CHECKING:  # imported when needed: AllenNLP imports every command at startup
    from allennlp.data import Instance

    from spigot_allennlp.metrics.tree_movement import Annotation, Movement, TreeMovement
    from spigot_allennlp.parses.parse import Parse

# The number of relations in the table and the picture.
MOST_RELATIONS = 20

EXAMPLES = """examples:
  allennlp compare-trees runs/pipeline runs/spigot synthetic:size=300,seed=3
  allennlp compare-trees runs/pipeline/model.tar.gz runs/spigot/model.tar.gz data/test.sdp \\
    --output runs/movement.json --plot runs/movement.svg"""


@Subcommand.register("compare-trees")
class CompareTrees(Subcommand):
    """
    Reads the command line, and calls `compare_archives`. Registered as a `Subcommand` with name
    "compare-trees".
    """

    def add_subparser(self, parser: argparse._SubParsersAction) -> argparse.ArgumentParser:
        description = (
            "Compare the trees in the middle of two models of type 'syntactic_then_semantic', say "
            "of the pipeline and of SPIGOT: which arcs have changed, towards the gold tree or "
            "towards the arcs of the graph, and how the graphs are parsed where the trees differ."
        )
        subparser = parser.add_parser(
            self.name, description=description, help=description, epilog=EXAMPLES
        )
        subparser.add_argument(
            "before", help="an archive, the folder of a training run, or a name of the index"
        )
        subparser.add_argument("after", help="another one, trained otherwise")
        subparser.add_argument("data", help="a file with gold trees and graphs")
        subparser.add_argument("--output", help="a JSON file for all numbers")
        subparser.add_argument("--plot", help="a picture by relation: .png, .svg or .pdf")
        subparser.set_defaults(func=compare_trees_from_args)
        return subparser


def compare_trees_from_args(args: argparse.Namespace) -> None:
    """Compares the archives on the command line, prints a table, and writes the requested files."""
    from spigot_allennlp.compat.atomic_io import write_json
    from spigot_allennlp.compat.outputs import check_figure, check_output

    check_output(args.output)
    check_figure(args.plot, "--plot")
    movement = compare_archives(args.before, args.after, args.data)
    print(table(movement))
    if args.output:
        write_json(args.output, as_json(movement))
    if args.plot:
        plot(movement, args.plot)


def compare_archives(before: str, after: str, data: str) -> "TreeMovement":
    """
    Parses the sentences of a file with two models, and returns the `TreeMovement` between them. The
    file is read by the first model's reader of development data.

    # Parameters

    before, after : `str`
        Archives, folders of training runs, or names of the index.
    data : `str`
        The path of the file.

    # Raises

    `ConfigurationError` if a model makes no trees or no graphs, or the file has none.
    """
    from spigot_allennlp.metrics.tree_movement import compare_trees
    from spigot_allennlp.predictors.sentence_parser import load_sentence_predictor

    paths = (before, after)
    predictors = [load_sentence_predictor(path, max_words=None) for path in paths]
    instances = list(predictors[0].read(data))
    parses = [
        _gold(instance, f"{data}: sentence {number}")
        for number, instance in enumerate(instances, start=1)
    ]
    first, second = (
        [_annotation(output, path) for output in predictor.predict_batch_instance(instances)]
        for path, predictor in zip(paths, predictors, strict=True)
    )
    relations = [parse.tree.labels or ["_"] * len(parse.tokens) for parse in parses if parse.tree]
    return compare_trees(first, second, list(map(_annotation_of, parses)), relations)


def _gold(instance: "Instance", place: str) -> "Parse":
    """
    # Raises

    `ConfigurationError` if the instance lacks the tree, the graph or its tops.
    """
    missing = [name for name in ("heads", "graph", "tops") if name not in instance.fields]
    if missing:
        raise plain_error(
            f"{place} has no {missing[0]}. Name a file of graphs whose trees are in it, or beside "
            "it: the reader's companion."
        )
    return gold_of(instance)


def _annotation_of(parse: "Parse") -> "Annotation":
    from spigot_allennlp.metrics.parse_scores import ScoredArc
    from spigot_allennlp.metrics.tree_movement import Annotation

    assert parse.tree is not None and parse.graph is not None
    arcs = [ScoredArc(*arc) for arc in parse.graph.arcs]
    return Annotation(parse.tree.heads, arcs, parse.graph.tops)


def _annotation(output: Dict[str, Any], path: str) -> "Annotation":
    from spigot_allennlp.metrics.parse_scores import ScoredArc
    from spigot_allennlp.metrics.tree_movement import Annotation

    missing = [name for name in ("heads", "arcs", "tops") if name not in output]
    if missing:
        raise plain_error(
            f"{path}: the model makes no {missing[0]}. Name a model of type "
            "'syntactic_then_semantic'."
        )
    arcs = [ScoredArc(*arc) for arc in output["arcs"]]
    return Annotation(output["heads"], arcs, output["tops"])


def as_json(movement: "TreeMovement") -> Dict[str, Any]:
    """Returns the numbers of a `TreeMovement` by name."""
    return {
        "all": movement.all._asdict(),
        "by_relation": {name: moved._asdict() for name, moved in movement.by_relation.items()},
        "before": {split: accuracy._asdict() for split, accuracy in movement.before.items()},
        "after": {split: accuracy._asdict() for split, accuracy in movement.after.items()},
    }


def table(movement: "TreeMovement") -> str:
    """Returns the numbers as text, as percentages of the tokens."""
    lines = [
        f"{'sentences with':<16}{'number':>8}{'UAS before':>12}{'after':>8}"
        f"{'labelled F1 before':>20}{'after':>8}"
    ]
    for split, before in movement.before.items():
        after = movement.after[split]
        lines.append(
            f"{split:<16}{before.sentences:>8}{_shown(before.attachment):>12}"
            f"{_shown(after.attachment):>8}{_shown(before.labelled_f1):>20}"
            f"{_shown(after.labelled_f1):>8}"
        )
    columns = ("changed", "to gold", "from gold", "to graph", "from graph")
    lines += ["", f"{'relation':<16}{'tokens':>8}" + "".join(f"{name:>12}" for name in columns)]
    shown = list(movement.by_relation.items())[:MOST_RELATIONS]
    for name, moved in [("all", movement.all), *shown]:
        shares = (_percent(moved, count) for count in moved._fields[1:])
        lines.append(
            f"{name:<16}{moved.tokens:>8}" + "".join(f"{share:>11.1f}%" for share in shares)
        )
    hidden = len(movement.by_relation) - len(shown)
    more = f"and {hidden} {'relation' if hidden == 1 else 'relations'} more"
    return "\n".join([*lines, more] if hidden else lines)


def plot(movement: "TreeMovement", output: str) -> None:
    """Plots, by relation, the share of tokens that moved towards gold and graph, and away."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from spigot_allennlp.compat.outputs import write_figure

    names = list(movement.by_relation)[:MOST_RELATIONS]
    figure = Figure(figsize=(8, 1 + 0.25 * len(names)), layout="constrained")
    FigureCanvasAgg(figure)
    panels: Sequence[Any] = figure.subplots(1, 2, sharey=True)
    for axes, target in zip(panels, ("gold", "graph"), strict=True):
        for direction, sign, colour in (("towards", 1, "#1b7f79"), ("away_from", -1, "#c1543c")):
            widths = [
                _percent(movement.by_relation[name], f"{direction}_{target}") for name in names
            ]
            axes.barh(names, [sign * width for width in widths], color=colour)
        axes.axvline(0, color="black", linewidth=0.8)
        axes.set(xlabel=f"% of tokens: away from the {target} | towards it")
    panels[0].invert_yaxis()
    write_figure(figure, output)


def _shown(share: Optional[float]) -> str:
    """Returns a share as a percentage, or a dash if there is none."""
    return "-" if share is None else f"{100 * share:.1f}"


def _percent(moved: "Movement", name: str) -> float:
    """Returns a count as a share of all tokens."""
    return 100 * getattr(moved, name) / max(moved.tokens, 1)
