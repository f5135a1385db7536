"""`allennlp score`: scores files of parses against gold, and two systems against each other."""

import argparse
import logging
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, NamedTuple, Optional, Sequence

from allennlp.commands.subcommand import Subcommand

from spigot_allennlp.commands.parse import source_of
from spigot_allennlp.compat.plain_errors import plain_error

if TYPE_CHECKING:  # imported when needed: AllenNLP imports every command at startup
    from spigot_allennlp.ablation.report.comparison import Interval
    from spigot_allennlp.metrics.parse_scores import FileScores, ScoredArc

logger = logging.getLogger(__name__)

FORMATS = ("sdp", "conll")
SUFFIXES = {".sdp": "sdp", ".conll": "conll", ".conllu": "conll", ".conllx": "conll"}
#: The metrics that are shown first, and tested when two systems are compared.
MAIN = (
    "labelled F1",
    "unlabelled F1",
    "labelled exact match",
    "UAS",
    "LAS",
    "ELAS",
    "enhanced unlabelled F1",
)
#: The layers of CoNLL: their columns, and the first metric of each.
COLUMNS = {"tree": ("HEAD", "UAS"), "enhanced": ("DEPS", "ELAS")}

EXAMPLES = """examples:
  allennlp score data/test.sdp parsed.sdp
  allennlp score data/test.conllu parsed.conllu --output scores.json
  allennlp score data/test.sdp pipeline.sdp spigot.sdp  # do the two differ by more than chance?"""


@Subcommand.register("score")
class Score(Subcommand):
    """
    Reads the command line, and calls `score_files`. Registered as a `Subcommand` with name "score".
    """

    def add_subparser(self, parser: argparse._SubParsersAction) -> argparse.ArgumentParser:
        description = (
            "Score files of parses: SDP by the definitions of the SemEval scorer, CoNLL-U by UAS, "
            "LAS and, where DEPS is given, ELAS; with confidence intervals, and, of two systems, a "
            "paired test."
        )
        subparser = parser.add_parser(
            self.name, description=description, help=description, epilog=EXAMPLES
        )
        add = subparser.add_argument
        add("gold", help="an SDP or CoNLL file, plain or compressed; - for standard input")
        add("system", help="another, with the same tokens")
        add("system2", nargs="?", help="a second system, to be compared with the first")
        add("--format", choices=FORMATS, help="of the files, where the name of gold does not say")
        add("--samples", type=int, default=10000, help="so many bootstrap samples")
        add("--output", help="a JSON file for all metrics")
        subparser.set_defaults(func=score_from_args)
        return subparser


class Difference(NamedTuple):
    """A metric of the second system minus that of the first, and its 95 % confidence interval."""

    value: float
    low: float
    high: float


class ScoredMetric(NamedTuple):
    """
    A metric of one or two systems, between 0 and 1.

    # Parameters

    values : `List[float]`
        The value of each system.
    intervals : `List[Interval]`
        The 95 % confidence interval of each value, over sentences.
    difference : `Optional[Difference]`
        The difference between two systems.
    p : `Optional[float]`
        The two-sided p-value: the probability of a difference at least as large if the systems were
        interchangeable. `None` unless two systems are compared by this metric.
    """

    values: List[float]
    intervals: List["Interval"]
    difference: Optional[Difference] = None
    p: Optional[float] = None


def score_from_args(args: argparse.Namespace) -> None:
    """Scores the files given on the command line, prints a table, and writes the requested file."""
    from spigot_allennlp.compat.atomic_io import write_json
    from spigot_allennlp.compat.outputs import check_output

    check_output(args.output)
    systems = [args.system, *([args.system2] if args.system2 else [])]
    if args.samples < 100:
        raise plain_error(f"--samples is {args.samples}; take 100 at least, for the intervals.")
    if [args.gold, *systems].count("-") > 1:
        raise plain_error(
            "Two of the files are -, but standard input can be read once. Write it into a file, "
            "and name that instead."
        )
    metrics = score_files(
        args.gold, systems, args.format or format_of(args.gold, *systems), args.samples
    )
    print(table(metrics, systems))
    if args.output:
        write_json(args.output, {name: as_json(metric) for name, metric in metrics.items()})


def as_json(metric: ScoredMetric) -> Dict[str, Any]:
    """Returns the numbers of a metric by name."""
    return {
        **metric._asdict(),
        "intervals": [interval._asdict() for interval in metric.intervals],
        "difference": metric.difference and metric.difference._asdict(),
    }


def format_of(gold: str, *systems: str) -> str:
    """
    Returns the format that the name of the gold file implies. Synthetic sentences come in both
    formats; for these, the name of a system decides.

    # Raises

    `ConfigurationError` if it implies none.
    """
    from spigot_allennlp.data.dataset_readers.data_path import is_synthetic
    from spigot_allennlp.data.formats.compression import format_suffix

    if is_synthetic(gold):
        named = next((system for system in systems if not is_synthetic(system)), None)
        return "sdp" if named is None else format_of(named)
    suffix = format_suffix(gold)
    if suffix not in SUFFIXES:
        raise plain_error(
            f"{gold}: the name does not say the format; add --format sdp or --format conll."
        )
    return SUFFIXES[suffix]


def score_files(
    gold: str, systems: Sequence[str], file_format: str, num_samples: int = 10000
) -> Dict[str, ScoredMetric]:
    """
    Returns the metrics of one or two systems, by name.

    # Raises

    `MalformedInputError` if a file cannot be read, `ConfigurationError` if the tokens of the files
    differ.
    """
    from spigot_allennlp.ablation.report.comparison import (
        Resampling,
        confidence_interval,
        p_value_over_instances,
        resample,
    )
    from spigot_allennlp.ablation.run.instance_evaluation import InstanceScores

    sentences = list(_sentences(gold, file_format))
    parsed = {system: list(_parsed(gold, sentences, system, file_format)) for system in systems}
    layers = common_layers({gold: sentences, **parsed}, file_format)
    scores = [_scores(sentences, parsed[system], layers) for system in systems]
    names = list(scores[0].metrics)
    resampling = Resampling(len(scores[0].rows), num_samples)
    resampled = resample(
        {
            (number, name): InstanceScores(of_system.rows, of_system.metrics[name], is_exact=True)
            for number, of_system in enumerate(scores)
            for name in names
        },
        resampling,
    )
    metrics = {}
    for name in names:
        of_systems = [resampled[number, name] for number in range(len(scores))]
        values = [of_system.instances.metric_of_all() for of_system in of_systems]
        intervals = [confidence_interval(of_system.samples) for of_system in of_systems]
        difference = p = None
        if len(scores) == 2:
            first, second = of_systems
            low, high = confidence_interval(second.samples - first.samples)
            difference = Difference(values[1] - values[0], low, high)
            if name in MAIN:
                p = p_value_over_instances([first], [second], resampling)
        metrics[name] = ScoredMetric(values, intervals, difference, p)
    return metrics


class ScoredSentence(NamedTuple):
    """
    The layers of a sentence that are scored, and its place and words for error messages.

    # Parameters

    place : `str`
        `file:line`.
    words : `Sequence[str]`
    graph, tree, enhanced : `Optional[List[ScoredArc]]`
        `None` if the format, or the file, has no such layer.
    """

    place: str
    words: Sequence[str]
    graph: Optional[List["ScoredArc"]] = None
    tree: Optional[List["ScoredArc"]] = None
    enhanced: Optional[List["ScoredArc"]] = None


def common_layers(files: Dict[str, List[ScoredSentence]], file_format: str) -> List[str]:
    """
    Returns the layers that gold and all systems have. Only these can be scored and compared. Layers
    that only some files have are skipped with a warning.

    # Parameters

    files : `Dict[str, List[ScoredSentence]]`
        The sentences of gold and of the systems, by file name.
    file_format : `str`
        In "sdp", every file has graphs, though they may be empty.

    # Raises

    `ConfigurationError` if there is none.
    """
    if file_format == "sdp":
        return ["graph"]
    layers = []
    for layer, (column, metric) in COLUMNS.items():
        # A layer is in a file if it is in any sentence.
        lacking = [
            path
            for path, sentences in files.items()
            if not any(getattr(sentence, layer) for sentence in sentences)
        ]
        if not lacking:
            layers.append(layer)
        elif len(lacking) < len(files):
            verb = "has" if len(lacking) == 1 else "have"
            logger.warning("%s %s no %s: no %s.", " and ".join(lacking), verb, column, metric)
    if not layers:
        raise plain_error(
            f"{', '.join(files)}: there is nothing to score, since each needs HEAD, or each needs "
            "DEPS. If they are SDP, add --format sdp."
        )
    return layers


def _scores(
    sentences: List[ScoredSentence], parsed: List[ScoredSentence], layers: Sequence[str]
) -> "FileScores":
    """Returns the scores of the layers of a system, side by side."""
    import numpy

    from spigot_allennlp.metrics.parse_scores import (
        FileScores,
        enhanced_scores,
        graph_scores,
        tree_scores,
    )

    scorers = {"graph": graph_scores, "tree": tree_scores, "enhanced": enhanced_scores}
    parts = [
        scorers[layer](
            *[[getattr(item, layer) or [] for item in side] for side in (sentences, parsed)]
        )
        for layer in layers
    ]
    metrics, start = {}, 0
    for part in parts:
        columns = slice(start, start + part.rows.shape[1])
        for name, metric in part.metrics.items():
            metrics[name] = _of_columns(metric, columns)
        start = columns.stop
    return FileScores(numpy.concatenate([part.rows for part in parts], axis=1), metrics)


def _of_columns(metric: Any, columns: slice) -> Any:
    return lambda totals: metric(totals[:, columns])


def _parsed(
    gold: str, sentences: List[ScoredSentence], system: str, file_format: str
) -> Iterator[ScoredSentence]:
    """
    Yields the sentences of a system, after checking that each has the tokens of the gold sentence.

    # Raises

    `ConfigurationError` if the tokens of the two differ.
    """
    pairs = zip_longest(sentences, _sentences(system, file_format))
    for number, (expected, parsed) in enumerate(pairs, start=1):
        if expected is None or parsed is None:
            longer, shorter = (gold, system) if parsed is None else (system, gold)
            place = (expected or parsed).place
            raise plain_error(
                f"{place}: the sentence {number} of {longer} is not in {shorter}, which ends "
                "before. Parse all of gold, with nothing left out."
            )
        if list(expected.words) != list(parsed.words):
            words = enumerate(zip_longest(expected.words, parsed.words), start=1)
            token, (gold_word, word) = next(
                (token, pair) for token, pair in words if pair[0] != pair[1]
            )
            raise plain_error(
                f"{parsed.place}: token {token} of the sentence {number} is {word!r}, but "
                f"{gold_word!r} in gold, at {expected.place}. Parse the tokens of gold: allennlp "
                f"parse ARCHIVE {gold} --output NEW_FILE"
            )
        yield parsed


def _sentences(path: str, file_format: str) -> Iterator[ScoredSentence]:
    return _read_sdp(path) if file_format == "sdp" else _read_conll(path)


def _read_sdp(path: str) -> Iterator[ScoredSentence]:
    from spigot_allennlp.data.formats.sdp import scan_sdp
    from spigot_allennlp.metrics.parse_scores import ScoredArc

    for sentence in _sound(scan_sdp(source_of(path, "sdp"))):
        arcs = [ScoredArc(*arc) for arc in sentence.arcs]
        arcs += [ScoredArc(0, top, "") for top in sentence.tops]
        words = [token.form for token in sentence.tokens]
        yield ScoredSentence(f"{path}:{sentence.line_numbers[0]}", words, graph=arcs)


def _read_conll(path: str) -> Iterator[ScoredSentence]:
    from spigot_allennlp.data.formats.conll import enhanced_arcs, scan_conll
    from spigot_allennlp.metrics.parse_scores import ScoredArc

    with_heads = without_heads = None  # the place of the first sentence with such a word
    for sentence in _sound(scan_conll(source_of(path, "conllu"))):
        words = sentence.words
        place = f"{path}:{sentence.word_line_numbers[0]}"
        missing = [position for position, word in enumerate(words, start=1) if word.head is None]
        if missing:
            without_heads = without_heads or place
        if len(missing) < len(words):
            with_heads = with_heads or place
        if without_heads and with_heads:
            raise plain_error(
                f"{without_heads}: a word of this sentence has no head, but others of the file "
                "have. Give all heads, or none."
            )
        tree = [
            ScoredArc(word.head, position, word.relation)
            for position, word in enumerate(words, start=1)
            if word.head is not None
        ]
        yield ScoredSentence(
            place,
            [word.form for word in words],
            tree=None if missing else tree,
            enhanced=[ScoredArc(*arc) for arc in enhanced_arcs(sentence)],
        )


def _sound(results: Iterator[Any]) -> Iterator[Any]:
    """Yields the sentences, and raises the first error among them."""
    from spigot_allennlp.data.errors import MalformedInputError

    for result in results:
        if isinstance(result, MalformedInputError):
            raise plain_error(result.explanation) from result
        yield result


def table(metrics: Dict[str, ScoredMetric], systems: Sequence[str]) -> str:
    """Returns the metrics as text, as percentages, with their intervals."""
    header = ["", *systems]
    if len(systems) == 2:
        header += ["difference", "p"]
    rows = [header]
    order = [name for name in MAIN if name in metrics]
    for name in [*order, *(name for name in metrics if name not in order)]:
        values, intervals, difference, p = metrics[name]
        row = [name]
        for value, (low, high) in zip(values, intervals, strict=True):
            row.append(f"{100 * value:6.2f} [{100 * low:.2f}, {100 * high:.2f}]")
        if difference is not None:
            value, low, high = (100 * number for number in difference)
            row += [f"{value:+6.2f} [{low:+.2f}, {high:+.2f}]", "" if p is None else f"{p:.4f}"]
        rows.append(row)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
