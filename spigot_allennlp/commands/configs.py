"""`allennlp configs`: lists the configs of this package, or copies one for editing."""

import argparse
import os
import shlex
from pathlib import Path
from typing import List

from allennlp.commands.subcommand import Subcommand

from spigot_allennlp.compat.atomic_io import write
from spigot_allennlp.compat.installed_configs import PREFIX, description, names, with_imports
from spigot_allennlp.compat.plain_errors import plain_error

EXAMPLES = """examples:
  allennlp configs         # all of them, by the names that `allennlp train` takes
  allennlp configs spigot  # those with "spigot" in their name or description
  allennlp configs --copy syntactic_then_semantic/spigot.jsonnet --to my_configs"""


@Subcommand.register("configs")
class Configs(Subcommand):
    """Reads the command line. Registered as a `Subcommand` with name "configs"."""

    def add_subparser(self, parser: argparse._SubParsersAction) -> argparse.ArgumentParser:
        text = "List the configs of spigot_allennlp, or copy one."
        subparser = parser.add_parser(self.name, description=text, help=text, epilog=EXAMPLES)
        subparser.add_argument(
            "words", nargs="*", help="list only those with all these in name or description"
        )
        subparser.add_argument("--copy", metavar="NAME", help="copy a config, and what it imports")
        subparser.add_argument("--to", metavar="FOLDER", default=".", help="where to copy it")
        subparser.set_defaults(func=configs_from_args)
        return subparser


def configs_from_args(args: argparse.Namespace) -> None:
    """Lists or copies configs, as the command line asks, and prints what was found or copied."""
    if args.copy is None:
        print("\n".join(listing(args.words)))
        return
    name = args.copy[len(PREFIX) :] if args.copy.startswith(PREFIX) else args.copy
    files = copy_config(name, args.to)
    for file in files:
        print(file)
    if name.endswith(".jsonnet"):
        print(f"To train it: allennlp train {shlex.quote(files[0])} -s runs/{Path(name).stem}")


def listing(words: List[str]) -> List[str]:
    """
    Returns a line for each config with all `words` in its name or description.

    # Raises

    `ConfigurationError` if no config has them.
    """
    rows = [(PREFIX + name, description(name)) for name in names()]
    rows = [row for row in rows if all(w.lower() in " ".join(row).lower() for w in words)]
    if not rows:
        raise plain_error(f"no config has {' and '.join(words)} in its name or description")
    width = max(len(name) for name, _ in rows)
    return [f"{name:{width}}  {text}".rstrip() for name, text in rows]


def copy_config(name: str, folder: str) -> List[str]:
    """
    Copies a config and the files that it imports into a folder, laid out as in the package.

    # Returns

    `List[str]`
        The files, the config first.

    # Raises

    `ConfigurationError`, before anything is written, if there is no such config, or if a file
    exists already with different content.
    """
    try:
        texts = {os.path.join(folder, key): text for key, text in with_imports(name).items()}
    except FileNotFoundError as error:
        raise plain_error(str(error)) from error
    differing = [
        file
        for file, text in texts.items()
        if os.path.exists(file) and Path(file).read_text(encoding="utf-8") != text
    ]
    if differing:
        raise plain_error(
            f"already there, and edited: {', '.join(differing)}. Name another folder: --to FOLDER"
        )
    for file, text in texts.items():
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        write(Path(file), text)
    return list(texts)
