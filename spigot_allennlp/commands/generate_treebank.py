"""`allennlp generate-treebank`: writes the embedded treebank to files."""

import argparse
from os import PathLike
from pathlib import Path
from typing import Dict, Sequence, Union

from allennlp.commands.subcommand import Subcommand

from spigot_allennlp.compat.plain_errors import plain_error

# The seed of each part is the seed of the command line plus the index of the part here.
PARTS = ("train", "dev", "test")
DEFAULT_SIZES = {"train": 2000, "dev": 300, "test": 300}
DEFAULT_LAYOUTS = ("sdp", "conllx", "sst")

EXAMPLES = """examples:
  allennlp generate-treebank treebank
  allennlp generate-treebank treebank --train 20 --dev 5 --test 0 --layouts sdp conllu"""


@Subcommand.register("generate-treebank")
class GenerateTreebank(Subcommand):
    """
    Reads the command line, and calls `generate_treebank`. Registered as a `Subcommand` with name
    "generate-treebank".
    """

    def add_subparser(self, parser: argparse._SubParsersAction) -> argparse.ArgumentParser:
        description = (
            "Write a treebank with trees, semantic graphs and sentiment, sampled at random."
        )
        subparser = parser.add_parser(
            self.name, description=description, help=description, epilog=EXAMPLES
        )
        subparser.add_argument("folder", type=str, help="where to write; made if it is not there")
        for part in PARTS:
            size = DEFAULT_SIZES[part]
            help_text = f"number of {part} sentences; 0 for no such file"
            subparser.add_argument(f"--{part}", type=int, default=size, help=help_text)
        subparser.add_argument(
            "--seed",
            type=int,
            default=1,
            help="the seed of the training part; the others have the seeds that follow",
        )
        subparser.add_argument(
            "--layouts",
            nargs="+",
            default=list(DEFAULT_LAYOUTS),
            help="any of sdp, sdp2014, sdp_augmented, conllx, conllu, sst",
        )
        subparser.add_argument("--force", action="store_true", help="overwrite files")
        subparser.set_defaults(func=generate_treebank_from_args)
        return subparser


def generate_treebank_from_args(args: argparse.Namespace) -> None:
    """Writes the treebank that the command line asks for, and prints a table of its files."""
    sizes = {part: getattr(args, part) for part in PARTS}
    sizes_by_file = generate_treebank(args.folder, sizes, args.seed, args.layouts, args.force)
    for path, size in sizes_by_file.items():
        print(f"{size:8d} sentences  {path}")


def generate_treebank(
    folder: Union[str, PathLike],
    sizes: Dict[str, int],
    seed: int,
    layouts: Sequence[str],
    force: bool = False,
) -> Dict[Path, int]:
    """
    Writes the parts of a treebank.

    # Parameters

    folder : `Union[str, PathLike]`
        The folder to write into. It is created if needed.
    sizes : `Dict[str, int]`
        The number of sentences of each of `PARTS`.
    seed : `int`
        The seed of the first part. The others have the next seeds.
    layouts : `Sequence[str]`
        The formats. Each part is written in all of them.
    force : `bool`, optional (default = `False`)
        Whether to overwrite existing files.

    # Returns

    `Dict[Path, int]`
        The files, with the number of sentences in each.

    # Raises

    `ConfigurationError`, before anything is written, if a file exists already, a layout is unknown,
    a number is negative, or there is nothing to write.
    """
    from spigot_allennlp.compat.atomic_io import write
    from spigot_allennlp.data.synthetic.treebank.treebank import FORMATS, synthetic_text

    unknown = [layout for layout in layouts if layout not in FORMATS]
    if unknown:
        raise plain_error(
            f"no such layout: {unknown}; those known are {list(FORMATS)}. Give --layouts any of "
            "these."
        )
    if seed < 0 or min(sizes.values()) < 0:
        raise plain_error(
            f"negative number: seed is {seed}, the sizes are {sizes}. Give --seed and "
            f"{', '.join(f'--{part}' for part in PARTS)} numbers from 0 on."
        )
    if not layouts or not any(sizes.values()):
        raise plain_error(
            f"nothing to write: the sizes are {sizes}, the layouts {list(layouts)}. Give one of "
            f"{', '.join(f'--{part}' for part in PARTS)} a number above 0, and --layouts a layout."
        )
    parts = [part for part in PARTS if sizes.get(part)]
    paths = {
        (part, layout): Path(folder) / f"{part}{FORMATS[layout].suffix}"
        for part in parts
        for layout in layouts
    }
    present = [str(path) for path in paths.values() if path.exists()]
    if present and not force:
        raise plain_error(
            f"already there: {', '.join(present)}; name another folder, or add --force to overwrite"
        )
    Path(folder).mkdir(parents=True, exist_ok=True)
    for (part, layout), path in paths.items():
        spec = f"synthetic:size={sizes[part]},seed={seed + PARTS.index(part)}"
        write(path, synthetic_text(spec, layout))
    return {path: sizes[part] for (part, _), path in paths.items()}
