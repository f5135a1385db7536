"""
`allennlp pack`: packs a trained model with a model card and an entry for an index of archives.
"""

import argparse
import json
import os
import platform
import shlex
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any, Dict, List

from allennlp.commands.subcommand import Subcommand
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.compat.atomic_io import file_sha256, read_json, replacing_folder, write_json
from spigot_allennlp.compat.folder_lock import locked
from spigot_allennlp.compat.plain_errors import missing_part, plain_error
from spigot_allennlp.named_archives import (
    ARCHIVE,
    INDEX,
    NAME,
    IndexEntry,
    check_url,
    index_path,
    read_index,
    without_secrets,
)

EXAMPLES = """examples:
  allennlp pack runs/parser --name dm --licence CC-BY-4.0 --to packed/dm
  allennlp pack runs/parser --name dm --licence CC-BY-4.0 --to packed/dm --register
  allennlp pack runs/again --name dm --licence CC-BY-4.0 --to packed/dm_2 --register --replace
  allennlp pack runs/parser --name dm --licence CC-BY-4.0 --to packed/dm \\
    --url https://example.org/dm/model.tar.gz"""


@Subcommand.register("pack")
class PackCommand(Subcommand):
    """Reads the command line, and calls `pack`. Registered as a `Subcommand` with name "pack"."""

    def add_subparser(self, parser: argparse._SubParsersAction) -> argparse.ArgumentParser:
        description = (
            "Make a folder with a trained parser, a model card (README.md) and the entry for an "
            "index of archives (index.json), to be published by yourself: nothing is uploaded."
        )
        subparser = parser.add_parser(
            self.name, description=description, help=description, epilog=EXAMPLES
        )
        add = subparser.add_argument
        add("run", help="the folder of a training run that has ended")
        add("--name", required=True, help="by which `allennlp parse NAME` finds it")
        add("--licence", required=True, help="of the model, as CC-BY-4.0: the data may restrict it")
        add("--to", metavar="FOLDER", required=True, help="a new folder")
        add("--url", default=ARCHIVE, help="where it will be; else beside the index")
        add("--description", default="", help="a sentence for the card")
        add("--intended-use", default="", help="for the card, in place of a general sentence")
        add("--limits", default="", help="for the card, in addition to what is known of the data")
        add("--register", action="store_true", help="add the entry to the index of this machine")
        add("--replace", action="store_true", help="with --register: in place of one of that name")
        subparser.set_defaults(func=pack_from_args)
        return subparser


def pack_from_args(args: argparse.Namespace) -> None:
    """Packs the run that the command line names, and prints what to do with the package."""
    texts = {"description": args.description, "use": args.intended_use, "limits": args.limits}
    if args.replace and not args.register:
        raise plain_error("--replace is of an entry in the index of this machine: add --register")
    if args.register and not args.replace:
        check_is_free(args.name)
    entry = pack(args.run, args.name, args.licence, args.to, args.url, texts)
    print(f"{args.to} holds {ARCHIVE}, README.md (the model card: please read it) and index.json.")
    if args.register:
        at = entry._replace(url=os.path.abspath(args.to))
        index = register(args.name, at, args.replace)
        print(f"{index} has it as {args.name}: allennlp parse {args.name} sentences.txt")
    else:
        index = Path(args.to, "index.json")
        print(f"{INDEX}={shlex.quote(str(index))} allennlp parse {args.name} sentences.txt")


def pack(
    run: str, name: str, licence: str, folder: str, url: str, texts: Dict[str, str]
) -> IndexEntry:
    """
    Loads the archive of a run, then writes a folder with the archive, its card and its entry.

    # Parameters

    run : `str`
        The folder of the training. Its config and data are trusted.
    name : `str`
        The name in the index, and the title of the card.
    licence : `str`
        Who may use the model for what: the name of a licence, such as CC-BY-4.0, or a description.
    folder : `str`
        A folder that does not exist yet, or is empty.
    url : `str`
        The address of the archive in the entry.
    texts : `Dict[str, str]`
        The texts of the card: "description", "use" and "limits".

    # Raises

    `ConfigurationError` if the run has not ended, its model does not read sentences, the folder is
    not empty, or the name or the address is invalid.
    """
    from allennlp.models import load_archive

    from spigot_allennlp.predictors.sentence_parser import SENTENCE_PREDICTORS

    archive = Path(run, ARCHIVE)
    if not NAME.fullmatch(name):
        raise plain_error(f"--name {name!r}: take letters, digits, and _ . - behind the first")
    if not licence.strip():
        raise plain_error("--licence is empty. Name one, such as CC-BY-4.0, or say who may use it")
    check_url(url, "--url")
    for file in (archive, Path(run, "metrics.json")):
        if not file.is_file():
            raise plain_error(
                f"{file} is not there: {run} is not the folder of a training that has ended."
                + missing_part(str(file))
            )
    if os.path.exists(folder) and (not os.path.isdir(folder) or os.listdir(folder)):
        raise plain_error(f"{folder} is there already, and not empty. Name another: --to FOLDER")
    metrics = _metrics(Path(run, "metrics.json"))
    loaded = load_archive(str(archive))
    if loaded.model.default_predictor not in SENTENCE_PREDICTORS:
        raise plain_error(
            f"{run} holds a model of type {loaded.config['model']['type']!r}, which reads no "
            "sentences: nothing would find it by a name. Publish its model.tar.gz as it is"
        )
    entry = IndexEntry(url, file_sha256(archive), archive.stat().st_size, licence)
    card = model_card(name, entry, loaded, metrics, texts)
    with replacing_folder(folder) as new:
        shutil.copyfile(archive, Path(new, ARCHIVE))
        Path(new, "README.md").write_text(card, encoding="utf-8")
        write_json(Path(new, "index.json"), {name: entry._asdict()})
    return entry


def _metrics(file: Path) -> Dict[str, Any]:
    """
    # Raises

    `ConfigurationError` if the file does not hold the metrics of a training.
    """
    try:
        metrics = read_json(file)
    except ValueError as error:
        raise plain_error(
            f"{file} is no JSON ({error}): it was cut off, or damaged. allennlp train --recover "
            "writes it again."
        ) from error
    if not isinstance(metrics, dict):
        raise plain_error(f"{file} is no object of metrics, as a training writes it.")
    return metrics


def check_is_free(name: str) -> None:
    """
    # Raises

    `ConfigurationError` if the index of this machine already has an entry of that name.
    """
    index = index_path()
    entry = read_index(index).get(name)
    if entry is not None:
        raise plain_error(
            f"{index} has an entry {name!r} already, {without_secrets(entry.url)}. Take another "
            "--name, or --replace that one"
        )


def register(name: str, entry: IndexEntry, replace: bool) -> Path:
    """
    Adds an entry to the index of this machine, and returns the path of the index.

    # Parameters

    name : `str`
        The name of the entry.
    entry : `IndexEntry`
        The address of the archive, and the checksum and size to expect.
    replace : `bool`
        Whether to replace an existing entry of that name.

    # Raises

    `ConfigurationError` if the index has an entry of that name, and `replace` is false.
    """
    index = index_path()
    with locked(index.parent):
        if not replace:
            check_is_free(name)
        entries = {**read_index(index), name: entry}
        write_json(index, {key: value._asdict() for key, value in entries.items()})
    return index


# ---- The card


def model_card(
    name: str, entry: IndexEntry, loaded: Any, metrics: Dict[str, Any], texts: Dict[str, str]
) -> str:
    """
    Makes the model card, as Markdown.

    # Parameters

    name : `str`
        The name in the index.
    entry : `IndexEntry`
        The entry for the index.
    loaded : `Archive`
        The archive, as `load_archive` returns it.
    metrics : `Dict[str, Any]`
        AllenNLP's `metrics.json`.
    texts : `Dict[str, str]`
        See `pack`.
    """
    config = loaded.config.as_dict(quiet=True)
    parts = {key: config.get(f"{key}_data_path") for key in ("train", "validation", "test")}
    parts = {key: data for key, data in parts.items() if data}
    readers = {"train": loaded.dataset_reader}
    sizes = {
        key: _count(readers.get(key, loaded.validation_dataset_reader), data)
        for key, data in parts.items()
    }
    for key, data in parts.items():
        config[f"{key}_data_path"] = _base_names(data)
    config = _without_folders(config)
    num_parameters = sum(parameter.numel() for parameter in loaded.model.parameters())
    rows = [
        ("model", f"`{config['model']['type']}`, {num_parameters:,} parameters"),
        ("licence", entry.licence),
        ("archive", f"`{ARCHIVE}`, {entry.size:,} bytes, SHA-256 `{entry.sha256}`"),
        ("packed with", _versions()),
    ]
    limits = [
        "It knows the words and the kind of text of its training data; the metrics are of the data "
        "above, and of no other domain or language. Sentences above 1000 words are refused. Nobody "
        "has measured what it gets wrong more often than chance would, for whom.",
        *_limits_of_embedded(parts),
        *([texts["limits"]] if texts.get("limits") else []),
    ]
    shown = {
        key: value
        for key, value in metrics.items()
        if key.startswith(("best_validation_", "test_")) and isinstance(value, (int, float))
    }
    verb = "parse" if loaded.model.default_predictor == "parser" else "classify"
    use = texts.get("use") or (
        f"To {verb} sentences of the kind that it was trained on, for research."
    )
    return "\n".join(
        [
            f"# {name}\n",
            *([texts["description"] + "\n"] if texts.get("description") else []),
            _table(["", ""], rows),
            f"```bash\nallennlp parse {name} sentences.txt\n```\n",
            "It needs the package spigot_allennlp, and in its index the entry that `index.json` "
            "here has (docs/named_archives.md there).\n",
            f"## Intended use\n\n{use}\n",
            "## Data\n",
            _table(
                ["part", "file", "sentences that the reader takes"],
                [(key, _describe(config[f"{key}_data_path"]), sizes[key]) for key in parts],
            ),
            "## Metrics\n",
            _table(["metric", "value"], [(key, _number(value)) for key, value in shown.items()]),
            "## Limits\n",
            "\n\n".join(limits) + "\n",
            "## Configuration\n",
            f"```json\n{json.dumps(config, indent=1)}\n```\n",
        ]
    )


def _table(header: List[str], rows: List[Any]) -> str:
    # An entry is one line, whatever the text of the licence.
    lines = [
        [" ".join(str(entry).split()).replace("|", "\\|") for entry in line]
        for line in [header, ["---"] * len(header), *rows]
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _number(value: float) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _versions() -> str:
    names = ("spigot_allennlp", "allennlp", "torch")
    packages = ", ".join(f"{name} {version(name)}" for name in names)
    return f"{packages}, Python {platform.python_version()}"


def _count(reader: Any, data: Any) -> str:
    """
    Returns how many sentences a reader finds, per task if each task has a file, or why the number
    is unknown.
    """
    from allennlp.data.dataset_readers import MultiTaskDatasetReader

    try:
        if isinstance(data, dict) and isinstance(reader, MultiTaskDatasetReader):
            parts = {task: reader.read(path, force_task=task) for task, path in data.items()}
            return ", ".join(f"{task}: {sum(1 for _ in part)}" for task, part in parts.items())
        return str(sum(1 for _ in reader.read(data)))
    except (OSError, ValueError, ConfigurationError) as error:
        return f"not counted ({type(error).__name__})"


def _base_names(data: Any) -> Any:
    """Removes the folders from paths, since they are private. Names of embedded data stay."""
    if isinstance(data, dict):
        return {key: _base_names(value) for key, value in data.items()}
    return data if _is_embedded(data) else os.path.basename(str(data))


def _without_folders(config: Any) -> Any:
    """Removes the folders from all absolute paths in a config."""
    if isinstance(config, dict):
        return {key: _without_folders(value) for key, value in config.items()}
    if isinstance(config, list):
        return [_without_folders(value) for value in config]
    if not isinstance(config, str):
        return config
    if config.startswith("("):  # AllenNLP's "(archive)#file in it"
        archive, mark, inner = config[1:].partition(")")
        return f"({_without_folders(archive)}{mark}{inner}"
    if not config.startswith(("/", "~", "file:")):
        return config
    return os.path.basename(config.rstrip("/")) or config


def _limits_of_embedded(parts: Dict[str, Any]) -> List[str]:
    """Returns the caveat for models whose training or other data are sentences made by rule."""
    train = parts.get("train")
    train = train if isinstance(train, dict) else {"": train}
    made = [task for task, data in train.items() if _is_embedded(data)]
    others = [key for key in ("validation", "test") if _is_embedded(parts.get(key))]
    sentences = []
    if made and len(made) == len(train):
        sentences = ["It was trained on sentences made by rule, and is of no use for text."]
    elif made:
        sentences = [f"For {' and '.join(made)}, it was trained on sentences made by rule."]
    if others and len(made) != len(train):
        sentences += [f"The {' and '.join(others)} data are, in part or all, made by rule."]
    return sentences


def _is_embedded(data: Any) -> bool:
    from spigot_allennlp.data.dataset_readers.data_path import is_synthetic

    return any(map(is_synthetic, data.values() if isinstance(data, dict) else [data]))


def _describe(data: Any) -> str:
    if isinstance(data, dict):
        return ", ".join(f"{key}: {value}" for key, value in data.items())
    return str(data)
