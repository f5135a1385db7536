"""
Patches for the commands themselves: their help, and what they print when they finish.
"""

import argparse
import functools
import json
import os
import re
import shlex
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence

from spigot_allennlp.compat.atomic_io import read_json
from spigot_allennlp.compat.outputs import check_output
from spigot_allennlp.compat.patching import patch
from spigot_allennlp.compat.terminal import VERBOSE, hide_dumps

EXAMPLES = {
    "allennlp": """examples:
  allennlp configs                            # what can be trained
  allennlp train CONFIG -s FOLDER             # train the model of a config
  allennlp evaluate FOLDER/model.tar.gz DATA  # compute the metrics on other data
  allennlp parse FOLDER/model.tar.gz DATA     # parse the sentences of a file
  allennlp demo FOLDER/model.tar.gz           # a page to type sentences into, and see their parses
  allennlp predict FOLDER/model.tar.gz DATA   # predict for each line of a file
  allennlp COMMAND --help                     # the options of a command, with examples""",
    "train": """examples:
  allennlp train spigot_allennlp:syntactic_then_semantic/spigot.jsonnet -s runs/spigot
  allennlp train my_config.jsonnet -s runs/mine
  allennlp train my_config.jsonnet -s runs/mine --recover  # go on with what was stopped""",
    "evaluate": """examples:
  allennlp evaluate runs/spigot/model.tar.gz data/test.sdp
  # a name with commas, as JSON in quotes
  allennlp evaluate runs/spigot/model.tar.gz '"synthetic:size=300,seed=3"'""",
    "predict": """examples:
  allennlp predict runs/spigot/model.tar.gz sentences.jsonl
  allennlp predict runs/spigot/model.tar.gz data/test.sdp --use-dataset-reader --silent \\
    --output-file runs/parsed.jsonl""",
}


PARSERS = ("syntactic_parser", "semantic_parser", "syntactic_then_semantic")
# In the indexers of a reader: annotation that a sentence needs before it can be parsed.
OF_TAGS = '"feature_name": "(lemma|pos|tag)_"'


class HelpFormatter(argparse.HelpFormatter):
    """Wraps the lines of a description, and leaves those of examples as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if text.startswith("examples:"):
            return text
        return super()._fill_text(text, width, indent)


class Verbose(argparse.Action):
    """Shows the whole log in the terminal."""

    def __init__(self, option_strings: Sequence[str], dest: str, **options: Any) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, **options)

    def __call__(self, *arguments: Any, **options: Any) -> None:
        os.environ[VERBOSE] = "1"


@patch(
    "allennlp.commands",
    since="AllenNLP 2.10.1 itself: its help has no examples, and no command can be told to be "
    "verbose, or not to be",
    until="AllenNLP has both",
)
def commands_have_examples_and_verbose(module: Any) -> Iterator[None]:
    yield
    run = module.main

    class Parser(module.ArgumentParserWithDefaults):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            name = (options.get("prog") or "").split(" ")[-1]
            defaults = {"formatter_class": HelpFormatter, "epilog": EXAMPLES.get(name)}
            super().__init__(*arguments, **{**defaults, **options})
            if " " in self.prog:
                text = "show all of the log, parameters and tensors, too"
                self.add_argument("-v", "--verbose", action=Verbose, help=text)

    @functools.wraps(run)
    def main(*arguments: Any, **options: Any) -> None:
        hide_dumps()
        run(*arguments, **options)

    module.ArgumentParserWithDefaults, module.main = Parser, main


@patch(
    "allennlp.commands.evaluate",
    since="AllenNLP 2.10.1 itself: metrics are shown in the last progress line, or in a file; and "
    "that a file cannot be written is seen when all is evaluated",
    until="AllenNLP prints them, and looks at the files before",
)
def evaluate_prints_a_table(module: Any) -> Iterator[None]:
    yield
    run = module.evaluate_from_args

    @functools.wraps(run)
    def evaluate_from_args(args: argparse.Namespace) -> Dict[str, Any]:
        check_outputs(args)
        metrics = run(args)
        print(f"\n{table(metrics)}")
        return metrics

    module.evaluate_from_args = evaluate_from_args


def check_outputs(args: argparse.Namespace) -> None:
    """
    Checks the output files of `allennlp evaluate`. Commas separate those of several data sets.

    # Raises

    `ConfigurationError` if one of them cannot be written.
    """
    for option, files in (
        ("--output-file", args.output_file),
        ("--predictions-output-file", args.predictions_output_file),
    ):
        for file in files.split(",") if files else ():
            check_output(file, option)


def table(metrics: Dict[str, Any]) -> str:
    """Returns a line for each metric: its name and its value, aligned at the decimal point."""
    values = [
        f"{value:.4f}" if isinstance(value, float) else str(value) for value in metrics.values()
    ]
    whole = [value.partition(".")[0] for value in values]
    name_width, width = max(map(len, metrics), default=0), max(map(len, whole), default=0)
    return "\n".join(
        f"{name:<{name_width}}  {' ' * (width - len(digits))}{value}"
        for name, value, digits in zip(metrics, values, whole, strict=True)
    )


@patch(
    "allennlp.commands.train",
    since="AllenNLP 2.10.1 itself: a training does not end by saying what to do with it",
    until="AllenNLP says so",
)
def train_says_how_to_go_on(module: Any) -> Iterator[None]:
    yield
    from allennlp.common.util import SigTermReceived

    run = module.train_model_from_args

    @functools.wraps(run)
    def train_model_from_args(args: argparse.Namespace) -> None:
        try:
            run(args)
        except (KeyboardInterrupt, SigTermReceived) as error:
            raise type(error)(of_interruption(args.serialization_dir)) from error
        archive = Path(args.serialization_dir, "model.tar.gz")
        if archive.exists() and not args.dry_run and not args.node_rank:
            commands = next_commands(archive, args.include_package)
            print(f"\nThe trained model is {archive}", *commands, sep="\n  ")

    module.train_model_from_args = train_model_from_args


def of_interruption(folder: str) -> str:
    """Returns what is said when a training is interrupted: how to resume it, if possible."""
    if not any(Path(folder).glob("training_state_*.th")):
        return "Interrupted before the first checkpoint."
    return (
        f"Interrupted. The last checkpoint is in {folder}. To continue from it, give the same "
        "command with --recover in place of --force; to begin again, with --force."
    )


def next_commands(archive: Path, packages: List[str]) -> List[str]:
    """
    Returns the commands that evaluate a trained model, and predict with it, on the test data of its
    config, or else on the validation data. For a parser that learned from words alone, a command
    that parses a sentence comes first.
    """
    config = read_json(archive.with_name("config.json"))
    options = [word for package in packages for word in ("--include-package", package)]
    commands = []
    if config["model"].get("type") in PARSERS and not re.search(OF_TAGS, json.dumps(config)):
        parse = [
            "allennlp",
            "parse",
            str(archive),
            "--output",
            str(archive.with_name("parse.html")),
        ]
        commands.append(f'echo "The clever hero did not win ." | {shlex.join([*parse, *options])}')
    data = config.get("test_data_path") or config.get("validation_data_path")
    if not data:
        return commands
    # `evaluate` takes a list of files, or JSON.
    is_plain = isinstance(data, str) and "," not in data
    evaluate = ["allennlp", "evaluate", str(archive), data if is_plain else json.dumps(data)]
    commands.append(shlex.join([*evaluate, *options]))
    if isinstance(data, str):
        output = str(archive.with_name("predictions.jsonl"))
        predict = ["allennlp", "predict", str(archive), data, "--use-dataset-reader", "--silent"]
        commands.append(shlex.join([*predict, "--output-file", output, *options]))
    return commands
