"""`allennlp parse`: parses text or files, and writes or draws the parses."""

import argparse
import json
import logging
import re
import sys
import time
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
)

from allennlp.commands.subcommand import Subcommand

from spigot_allennlp.compat.plain_errors import missing_part, plain_error

if TYPE_CHECKING:  # imported when needed: AllenNLP imports every command at startup
    from allennlp.data import Instance

    from spigot_allennlp.data.formats.source import Source
    from spigot_allennlp.parses.parse import Parse
    from spigot_allennlp.predictors.sentence_predictor import SentencePredictor

logger = logging.getLogger(__name__)

INPUT_FORMATS = ("text", "json", "sdp", "conll", "sst")
INPUT_SUFFIXES = {
    ".sdp": "sdp",
    ".conll": "conll",
    ".conllu": "conll",
    ".conllx": "conll",
    ".json": "json",
    ".jsonl": "json",
}
OUTPUT_FORMATS = ("json", "conllu", "sdp", "svg", "html")
OUTPUT_SUFFIXES = {
    ".json": "json",
    ".jsonl": "json",
    ".conllu": "conllu",
    ".sdp": "sdp",
    ".svg": "svg",
    ".html": "html",
}
PICTURES = ("svg", "html")
#: The number of lines that are read to find the format of an input.
MOST_FIRST_LINES = 100
COMMENT_OF_CONLLU = re.compile(r"# *(sent_id|text|newdoc|newpar|global\.columns)\b")
STANDARD_INPUT = "standard input"  # its name in errors

EXAMPLES = """examples:
  echo "The clever hero did not win ." | allennlp parse runs/parser/model.tar.gz
  allennlp parse runs/parser/model.tar.gz sentences.txt --output parses.html --probabilities
  allennlp parse runs/spigot/model.tar.gz data/test.sdp --gold --limit 50 --output compared.html
  allennlp parse runs/spigot/model.tar.gz data/test.sdp --output parsed.sdp --threshold 0.4"""


@Subcommand.register("parse")
class ParseCommand(Subcommand):
    """
    Reads the command line, and calls `parse_file`. Registered as a `Subcommand` with name "parse".
    """

    def add_subparser(self, parser: argparse._SubParsersAction) -> argparse.ArgumentParser:
        description = (
            "Parse text, tokens or files by a trained parser (or a classifier with one in it), and "
            "write the parses, or draw them: trees above the words, graphs below."
        )
        subparser = parser.add_parser(
            self.name, description=description, help=description, epilog=EXAMPLES
        )
        add = subparser.add_argument
        add("archive", help="a model.tar.gz, the folder of a training run, or a name of the index")
        add(
            "input",
            nargs="?",
            default="-",
            help="a file, plain or compressed: a sentence on each line, as text, or as JSON (a "
            "list of tokens, or an object as for predict), or a treebank; - for standard input",
        )
        add("--output", help="a file, whose end says the format; else standard output")
        add("--format", choices=OUTPUT_FORMATS, help="of the output, where its name does not say")
        add(
            "--input-format",
            choices=INPUT_FORMATS,
            help="of the input, where neither its name nor its first lines say",
        )
        add("--gold", action="store_true", help="draw what the input says, too: two colours")
        add("--probabilities", action="store_true", help="of each arc: its marginal")
        add("--limit", type=int, help="parse so many sentences, the first")
        add(
            "--on-error",
            choices=("raise", "skip"),
            default="raise",
            help="end at a sentence that cannot be parsed, or leave it out and count it",
        )
        add_model_arguments(subparser)
        subparser.set_defaults(func=parse_from_args)
        return subparser


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments for how a model is loaded, and how it parses."""
    add = parser.add_argument
    add(
        "--threshold",
        type=float,
        help="in (0, 1): graphs of just the arcs at least so probable, not the best graphs",
    )
    add(
        "--minimum-risk",
        action="store_true",
        help="trees with the most right heads in expectation, not the best trees",
    )
    add(
        "--predictor-args",
        default="{}",
        help='JSON with more for the predictor, as {"language": "en_core_web_sm"}, a spaCy '
        "pipeline that tokenizes and tags",
    )
    add("--cuda-device", type=int, default=-1, help="the number of a GPU; -1 is the CPU")
    add("-o", "--overrides", default="", help="JSON that changes the config of the archive")


class Parsed(NamedTuple):
    """
    The result for a sentence.

    # Parameters

    parse : `Optional[Parse]`
        `None` where there is an `error`.
    gold : `Optional[Parse]`
        The annotation of the file, if requested.
    error : `str`
        Why there is no parse, with file and line if the input is a file; empty if there is a parse.
    missing_layers : `Sequence[str]`
        The annotation that the model learned from and this sentence lacks, if requested:
        `"lemmas"`, `"pos"`.
    """

    parse: Optional["Parse"] = None
    gold: Optional["Parse"] = None
    error: str = ""
    missing_layers: Sequence[str] = ()


def parse_from_args(args: argparse.Namespace) -> None:
    """Parses the input given on the command line, and prints the number of sentences to stderr."""
    from allennlp.common import Tqdm

    from spigot_allennlp.compat.outputs import check_output
    from spigot_allennlp.predictors.sentence_parser import load_sentence_predictor

    output_format = format_of_output(args.output, args.format)
    check_output(args.output)
    if args.limit is not None and args.limit < 1:
        raise plain_error(f"--limit is {args.limit}; take 1 at least, or leave it out for all.")
    if args.gold and output_format not in PICTURES:
        raise plain_error(
            f"--gold is for pictures, but the output is {output_format}. Add --output NAME.html; "
            "or, for figures, write --output NAME.sdp, and compare that by allennlp score."
        )
    if args.probabilities and output_format in ("conllu", "sdp"):
        raise plain_error(
            f"--probabilities cannot be written as {output_format}. Leave it out; or write JSON or "
            "a picture: --output NAME.json, NAME.html."
        )
    source = source_of(args.input)
    input_format = args.input_format or format_of_input(source)
    if args.gold and input_format not in ("sdp", "conll"):
        raise plain_error(
            f"--gold needs trees or graphs, but {args.input} is read as {input_format}. "
            "Name an SDP or CoNLL file, perhaps with --input-format; or leave --gold out."
        )
    options = {**predictor_options(args), "on_error": "report"}
    if args.probabilities:
        options["arc_probabilities"] = True
    predictor = load_sentence_predictor(args.archive, args.cuda_device, args.overrides, **options)
    predictor.logs_errors = False  # the results hold the errors, with file and line
    start = time.perf_counter()
    results = parse_input(predictor, source, input_format, args.gold, args.limit)
    counts = Counts()
    sound = counts.sound(Tqdm.tqdm(results, desc="parsing"), args.on_error)
    with opened(args.output) as write:
        for text in texts(sound, output_format, args, counts):
            write(text)
    speed = counts.parsed / (time.perf_counter() - start)
    sentences = "sentence" if counts.parsed == 1 else "sentences"
    where = f", written to {args.output}" if args.output else ""
    left_out = f"; {counts.skipped} left out" if counts.skipped else ""
    print(
        f"{counts.parsed} {sentences} parsed ({speed:.0f} a second){where}{left_out}",
        file=sys.stderr,
    )


def predictor_options(args: argparse.Namespace) -> Dict[str, Any]:
    """
    Returns the options of the predictor that the command line sets, and no others.

    # Raises

    `ConfigurationError` if `--predictor-args` is not a JSON object, or has an option for lines of
    input and output, which the commands handle themselves.
    """
    from spigot_allennlp.compat.predictors import parsed_options
    from spigot_allennlp.predictors.sentence_parser import OPTIONS_OF_LINES

    options = parsed_options(args.predictor_args)
    of_lines = sorted(OPTIONS_OF_LINES & set(options))
    if of_lines:
        raise plain_error(
            f"--predictor-args has {' and '.join(of_lines)}, which is for allennlp predict, and "
            "does nothing here. Leave it out; allennlp parse has --input-format, --format and "
            "--on-error."
        )
    if args.threshold is not None:
        options["threshold"] = args.threshold
    if args.minimum_risk:
        options["minimum_risk"] = True
    return options


class Counts:
    """Counts the sentences that were parsed, and those that were skipped."""

    def __init__(self) -> None:
        self.parsed = 0
        self.skipped = 0

    def sound(self, results: Iterable[Parsed], on_error: str) -> Iterator[Parsed]:
        """
        Yields the results that are not errors.

        # Raises

        `ConfigurationError` with the first error if `on_error` is `"raise"`, or if no result is
        left.
        """
        for result in results:
            if result.error:
                self.fail(result.error, on_error)
            else:
                self.parsed += 1
                yield result
        if not self.parsed:
            raise plain_error(
                f"No sentence was parsed; {self.skipped} were left out. Look at the errors above, "
                "and whether --input-format is what the file is."
            )

    def fail(self, error: str, on_error: str) -> None:
        """Raises an error, or counts and logs it."""
        if on_error == "raise":
            raise plain_error(f"{error}\n--on-error skip leaves such sentences out.")
        logger.warning("Left out: %s", error)
        self.skipped += 1


# ---- Input


def format_of_input(source: "Source") -> str:
    """
    Finds the format of a file by its name, or else by its first lines: the comments (`#`) at its
    beginning, and the line after them. A text file (.txt) may hold a treebank, as that of the
    sentiment treebank does, but not JSON.

    # Raises

    `ConfigurationError` if these seem to be lines of a treebank, but their format is not clear.
    """
    from spigot_allennlp.data.dataset_readers.data_path import is_synthetic
    from spigot_allennlp.data.formats.blocks import FIRST_IDS
    from spigot_allennlp.data.formats.compression import format_suffix
    from spigot_allennlp.data.formats.lines import numbered_lines
    from spigot_allennlp.data.formats.sentiment import COLUMN_NAMES, GRADES
    from spigot_allennlp.data.formats.sst import LABELS

    if is_synthetic(source.name):
        return "sdp"
    suffix = format_suffix(source.name)
    if suffix in INPUT_SUFFIXES:
        return INPUT_SUFFIXES[suffix]
    lines = (line.text for line in islice(numbered_lines(source), MOST_FIRST_LINES))
    comments, first = [], ""
    for first in filter(str.strip, lines):
        if not first.startswith("#"):
            break
        comments.append(first)
    if any(comment.startswith("#SDP") for comment in comments):
        return "sdp"
    columns = first.split("\t")
    is_row = first.startswith(FIRST_IDS) and len(columns) >= 4
    if re.match(r"\s*\([0-4] \(", first) or is_row and len(columns) == len(COLUMN_NAMES):
        return "sst"
    if is_row or len(columns) >= 6 or any(map(COMMENT_OF_CONLLU.match, comments)):
        raise plain_error(
            f"{source.name} looks like a treebank, but neither its name nor its first lines say of "
            "which format. Add --input-format conll or --input-format sdp; or, if it is text, "
            "--input-format text."
        )
    if len(columns) == 2 and columns[0].lower() in (*LABELS, *GRADES):
        raise plain_error(
            f"{source.name} begins with {columns[0]!r} and a tab, as a file of sentiment does, "
            "whose lines are label and text. Add --input-format sst; or, if it is text, "
            "--input-format text."
        )
    is_json = first.lstrip().startswith(("{", "[")) and suffix != ".txt"
    return "json" if is_json else "text"


def source_of(path: str, embedded_format: str = "sdp") -> "Source":
    """
    Returns the source of a file, of an embedded data set in a format, or of standard input (`-`).

    # Raises

    `ConfigurationError` if there is no such file.
    """
    from spigot_allennlp.data.dataset_readers.data_path import text_source
    from spigot_allennlp.data.formats.source import kept_source

    if path == "-":
        return kept_source(STANDARD_INPUT, sys.stdin.buffer.read)
    try:
        return text_source(path, embedded_format)
    except FileNotFoundError as error:
        way_out = missing_part(path) or " Correct its name."
        raise plain_error(f"{path}: there is no such file.{way_out}") from error


def parse_input(
    predictor: "SentencePredictor",
    source: "Source",
    input_format: str,
    gold: bool,
    limit: Optional[int] = None,
) -> Iterator[Parsed]:
    """
    Yields the result for each sentence of an input, in order.

    # Parameters

    predictor : `SentencePredictor`
        It reports errors.
    source : `Source`
    input_format : `str`
        One of `INPUT_FORMATS`.
    gold : `bool`
        Whether to read the trees and graphs of the input.
    limit : `int`, optional (default = `None`)
        Parse only this many sentences, the first ones.
    """
    items: Iterator[Any]
    if input_format in ("text", "json"):
        items = line_inputs(predictor, source, input_format)
        predict: Callable[[List[Any]], List[Any]] = predictor.predict_batch_json
    else:
        items = treebank_instances(source, input_format, gold)
        predict = predictor.predict_batch_instance
    items = islice(items, limit)
    while window := list(islice(items, predictor.window or 1)):
        outputs = iter(predict([item for item in window if not isinstance(item, Exception)]))
        for item in window:
            if isinstance(item, Exception):
                # The reader gets its on_error from this command's --on-error, so the error advises
                # neither.
                yield Parsed(error=getattr(item, "explanation", str(item)))
            else:
                yield _parsed(next(outputs), item, source.name, gold)


def _parsed(output: Dict[str, Any], item: Any, name: str, gold: bool) -> Parsed:
    from spigot_allennlp.predictors.line_predictor import ReportedError

    if isinstance(output, ReportedError):
        place = output.get("source") or f"{name}:{output['line']}"
        return Parsed(error=f"{place}: {output['error']}")
    return Parsed(parse_of_output(output), gold_of(item) if gold else None)


def parse_of_output(output: Dict[str, Any]) -> "Parse":
    """
    Returns the parse in an output of a predictor.

    # Raises

    `ConfigurationError` if it has no words. Later outputs would have none either: the code of the
    model does not return them.
    """
    from spigot_allennlp.parses.parse import Parse

    try:
        return Parse.from_output(output)
    except ValueError as error:
        raise plain_error(str(error)) from error


def line_inputs(
    predictor: "SentencePredictor", source: "Source", input_format: str
) -> Iterator[Any]:
    """Yields the input in each line or, in its place, an error with the number of the line."""
    from allennlp.common.checks import ConfigurationError

    from spigot_allennlp.data.formats.lines import numbered_lines
    from spigot_allennlp.predictors.line_predictor import InputLine, parsed_object

    for line in numbered_lines(source):
        if line.error is not None:
            yield line.error
            continue
        text = line.text
        if not text.strip():
            continue
        try:
            if input_format == "text":
                inputs: Any = {"sentence": text}
            elif text.lstrip().startswith("["):
                inputs = {"words": json.loads(text)}
            else:
                inputs = parsed_object(text)
            predictor.check(inputs)
            yield InputLine(inputs, line.number, text)
        except RecursionError:
            yield ConfigurationError(
                f"{source.name}:{line.number}: its brackets are nested too deeply for a sentence"
            )
        except (ConfigurationError, ValueError) as error:
            yield ConfigurationError(f"{source.name}:{line.number}: {error}")


def treebank_instances(source: "Source", input_format: str, gold: bool) -> Iterator[Any]:
    """Yields the instances of a treebank, with an error in place of each that cannot be read."""
    from spigot_allennlp.data.dataset_readers.conll import ConllReader
    from spigot_allennlp.data.dataset_readers.data_path import is_synthetic
    from spigot_allennlp.data.dataset_readers.sdp import SdpReader
    from spigot_allennlp.data.dataset_readers.sst import SstReader
    from spigot_allennlp.data.formats.conll import ConllSentence, has_graph, scan_conll

    if input_format == "sdp":
        reader: Any = SdpReader(trees=gold, multiple_roots=True)
    elif input_format == "conll":
        sentences = scan_conll(source) if gold else iter(())
        enhanced = any(isinstance(item, ConllSentence) and has_graph(item) for item in sentences)
        reader = ConllReader(enhanced, trees=gold, multiple_roots=True)
    else:
        reader = SstReader()
    # An embedded data set is written in the format of the reader, whatever the format of the
    # source.
    return reader.instances_and_errors(source.name if is_synthetic(source) else source)


def gold_of(instance: "Instance") -> "Parse":
    """Returns the tree and the graph of an instance, if it has them."""
    from spigot_allennlp.data.annotated_sentence import Arc
    from spigot_allennlp.parses.parse import Graph, Parse, Tree

    fields: Any = instance.fields
    tree = graph = None
    if "heads" in fields:
        relations = fields.get("relations")
        tree = Tree(list(fields["heads"].labels), relations and list(relations.labels))
    if "graph" in fields:
        pairs = zip(fields["graph"].indices, fields["graph"].labels, strict=True)
        arcs = sorted(Arc(predicate + 1, word + 1, role) for (word, predicate), role in pairs)
        flags = fields["tops"].labels if "tops" in fields else []
        graph = Graph(arcs, [word for word, is_top in enumerate(flags, start=1) if is_top])
    return Parse(fields["metadata"].metadata["words"], tree, graph)


# ---- Output


def format_of_output(output: Optional[str], chosen: Optional[str]) -> str:
    """
    Returns the format of the output: the chosen one, or the one that its name implies.

    # Raises

    `ConfigurationError` if none was chosen, and the name implies none.
    """
    if chosen is not None:
        return chosen
    if output is None:
        return "json"
    suffix = Path(output).suffix
    if suffix not in OUTPUT_SUFFIXES:
        raise plain_error(
            f"--output {output} ends in {suffix or 'nothing'!r}, which is none of "
            f"{', '.join(OUTPUT_SUFFIXES)}. Choose one of these, or add --format."
        )
    return OUTPUT_SUFFIXES[suffix]


@contextmanager
def opened(output: Optional[str]) -> Iterator[Callable[[str], Any]]:
    """Gives the block a function that writes. A file appears when the block ends."""
    from spigot_allennlp.compat.atomic_io import output_stream

    if output is None:
        yield sys.stdout.write
        return
    with output_stream(output) as stream:
        yield lambda text: stream.write(text.encode("utf-8"))


def texts(
    results: Iterator[Parsed], output_format: str, args: argparse.Namespace, counts: Counts
) -> Iterator[str]:
    """Yields the parts of the output."""
    from spigot_allennlp.data.formats.sdp import SDP_HEADER
    from spigot_allennlp.parses.svg import Picture, html_page

    if output_format == "html":
        pictures = (
            Picture(
                result.parse.identifier or "",
                " ".join(result.parse.tokens),
                result.parse.to_svg(result.gold, with_style=False),
            )
            for result in results
            if result.parse is not None
        )
        name = STANDARD_INPUT if args.input == "-" else args.input
        yield from html_page(f"Parses of {name}", pictures, args.gold)
        return
    if output_format == "svg":
        first = next(results)
        if first.parse is None or next(results, None) is not None:
            raise plain_error(
                "An SVG holds one sentence, and the input has more. Write a page, --output "
                "NAME.html, or add --limit 1."
            )
        yield first.parse.to_svg(first.gold)
        return
    if output_format == "sdp":
        yield f"{SDP_HEADER}\n"
    for result in results:
        parse = result.parse
        assert parse is not None
        try:
            yield TEXT_OF[output_format](parse)
        except ValueError as error:
            counts.parsed -= 1
            name = parse.identifier or " ".join(parse.tokens[:10])
            counts.fail(
                f"The parse of {name!r} cannot be written as {output_format}: {error}",
                args.on_error,
            )


#: How a parse is written, by format. An SDP file also has a header, which is not part of this.
TEXT_OF: Dict[str, Callable[["Parse"], str]] = {
    "sdp": lambda parse: parse.to_sdp(),
    "conllu": lambda parse: parse.to_conllu(),
    "json": lambda parse: json.dumps(parse.to_json(), ensure_ascii=False) + "\n",
}
