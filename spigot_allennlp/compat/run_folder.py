"""
Patches for the folder of a training run: who may write into it, and when it may be reused.
"""

import functools
import inspect
import json
import logging
import os
import shutil
from pathlib import Path
from typing import Any, Iterator, List

from spigot_allennlp.compat.atomic_io import UNFINISHED, holds_json, read_json, remove_unfinished
from spigot_allennlp.compat.checkpoints import has_checkpoint
from spigot_allennlp.compat.folder_lock import FILE as LOCK
from spigot_allennlp.compat.folder_lock import locked
from spigot_allennlp.compat.patching import patch
from spigot_allennlp.compat.plain_errors import plain_error

logger = logging.getLogger(__name__)

CONFIG, META, LOGS, VOCABULARY = "config.json", "meta.json", "out*.log", "vocabulary"


@patch(
    "allennlp.commands.train",
    since="AllenNLP 2.10.1 itself: two trainings may write into one folder; and a start that "
    "failed leaves a folder that neither the corrected command takes, nor --recover",
    until="AllenNLP locks the folder of a training, and uses it again where nothing was trained",
)
def a_training_has_its_folder_to_itself(module: Any) -> Iterator[None]:
    """If several machines train together, the first one locks the folder for all."""
    yield
    train = module.train_model
    signature = inspect.signature(train)

    @functools.wraps(train)
    def train_model(*args: Any, **kwargs: Any) -> Any:
        call = signature.bind(*args, **kwargs)
        call.apply_defaults()
        options = call.arguments
        folder = Path(options["serialization_dir"])
        recover, force = options["recover"], options["force"]
        # AllenNLP refuses these itself, so it is called before anything is created.
        is_refused = recover and (force or not folder.exists())
        if is_refused or options["node_rank"]:
            return train(**options)
        with locked(folder):
            options["recover"] = prepare(folder, options["params"], recover, force)
            options["force"] = False
            return train(**options)

    module.train_model = train_model


@patch(
    "allennlp.training.util",
    since="our lock on the folder of a training, which is a file in it",
    until="AllenNLP locks the folder of a training",
)
def the_lock_does_not_fill_a_folder(module: Any) -> Iterator[None]:
    yield
    create = module.create_serialization_dir

    @functools.wraps(create)
    def create_serialization_dir(params: Any, folder: Any, recover: bool, force: bool) -> None:
        there = entries(Path(folder)) if os.path.isdir(folder) else [Path(folder)]
        if recover or force or not all(entry.match(LOGS) for entry in there):
            create(params, folder, recover, force)

    module.create_serialization_dir = create_serialization_dir


def prepare(folder: Path, params: Any, recover: bool, force: bool) -> bool:
    """
    Prepares a folder that this process has locked for a training run. If an earlier run failed
    before its first checkpoint, only its log stays.

    # Returns

    `bool`
        Whether there is a run to recover.

    # Raises

    `ConfigurationError` without `recover`, if there is a training run, or a file that no run
    writes; with `recover`, if nothing was trained, and the run had started with another config.
    """
    remove_unfinished(folder)
    there = entries(folder)
    if force:
        for entry in there:
            remove(entry)
        return False
    if not there:
        if recover:
            logger.warning("%s is empty: there is nothing to recover. Starting anew.", folder)
        return False
    in_the_way = [entry.name for entry in there if not is_of_a_start(entry, folder)]
    if is_trained(folder) or in_the_way:
        if recover and is_trained(folder) and not holds_json(folder / CONFIG):
            logger.warning("%s cannot be read. It is written anew.", folder / CONFIG)
            params.to_file(str(folder / CONFIG))
        if not recover:
            raise plain_error(refusal(folder, in_the_way))
        return True
    if recover and is_of_another_config(folder, params):
        raise plain_error(
            f"There is nothing to recover in {folder}: the training that was started there, with "
            "another config, had no checkpoint yet. Leave out --recover, and the folder is used "
            "again."
        )
    clear_start(folder, there)
    return False


def refusal(folder: Path, in_the_way: List[str]) -> str:
    """Says why a new run may not start in a folder, and what to do."""
    start = f"{folder} already exists and is not empty:"
    if is_trained(folder):
        return (
            f"{start} a training has begun there. Specify --recover to go on with it, or --force "
            "to delete it, or name another folder."
        )
    names = f"{', '.join(in_the_way[:3])}{' ...' if len(in_the_way) > 3 else ''}"
    return (
        f"{start} it holds no checkpoint, but {names}. Name another folder, or move that away; "
        "--force deletes all that is in the folder."
    )


def clear_start(folder: Path, there: List[Path]) -> None:
    """
    Removes what a failed start has written, except its log. Otherwise leftovers could mix with the
    next run, such as vocabulary namespaces that its config does not have.
    """
    logger.warning("Nothing was trained yet in %s: the folder is used again.", folder)
    for entry in there:
        is_log = entry.match(LOGS)
        logger.info("%s %s.", "Going on with" if is_log else "Replacing", entry)
        if not is_log:
            remove(entry)


def remove(entry: Path) -> None:
    """Removes a file, or a folder with its content."""
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()


def entries(folder: Path) -> List[Path]:
    """The entries of a folder, except its lock."""
    return sorted(entry for entry in folder.iterdir() if entry.name != LOCK)


def is_trained(folder: Path) -> bool:
    """Whether an epoch, or part of one, has been trained."""
    finished = [*folder.glob("metrics*.json"), *folder.glob("*.th"), *folder.glob("model.tar.gz")]
    return has_checkpoint(folder) or bool(finished)


def is_of_a_start(entry: Path, folder: Path) -> bool:
    """Whether this is a file or folder that AllenNLP writes before it trains."""
    if entry.name == VOCABULARY and entry.is_dir():
        names = [file.name for file in entry.iterdir()]
        is_of_vocabulary = all(
            name.endswith(".txt") or name in (".lock", ".counts.json") or UNFINISHED.fullmatch(name)
            for name in names
        )
        return is_of_vocabulary and (folder / CONFIG).exists() and (folder / META).exists()
    return entry.is_file() and (entry.name in (CONFIG, META) or entry.match(LOGS))


def is_of_another_config(folder: Path, params: Any) -> bool:
    """Whether a start was with another config; one that cannot be read counts as this."""
    try:
        known = read_json(folder / CONFIG)
    except (OSError, ValueError):
        return False
    return known != json.loads(json.dumps(params.as_dict(quiet=True)))
