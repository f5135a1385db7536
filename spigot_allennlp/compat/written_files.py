"""
Patches that make the small files of a training run, and its archive, appear only once complete.
"""

import functools
import json
import os
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any, Dict, Iterator, Optional

from spigot_allennlp.compat.atomic_io import PathLike, replacing, replacing_folder, write
from spigot_allennlp.compat.patching import patch

UNTIL = "AllenNLP writes it under another name, and renames it when it is whole"


@patch(
    "allennlp.common.util",
    since="AllenNLP 2.10.1 itself: metrics*.json are empty for a moment, and for ever if that is "
    "the moment in which the process ends",
    until=UNTIL,
)
def metrics_are_written_whole(module: Any) -> Iterator[None]:
    yield

    def dump_metrics(file_path: Optional[str], metrics: Dict[str, Any], log: bool = False) -> None:
        text = json.dumps(metrics, indent=2)
        if file_path:
            write(file_path, text)
        if log:
            module.logger.info("Metrics: %s", text)

    module.dump_metrics = functools.wraps(module.dump_metrics)(dump_metrics)


@patch(
    "allennlp.common.params",
    since="AllenNLP 2.10.1 itself: config.json is empty for a moment",
    until=UNTIL,
)
def a_config_is_written_whole(module: Any) -> Iterator[None]:
    yield
    to_file = module.Params.to_file

    @functools.wraps(to_file)
    def to_whole_file(self: Any, params_file: str, preference_orders: Any = None) -> None:
        with replacing(params_file) as new:
            to_file(self, new, preference_orders)

    module.Params.to_file = to_whole_file


@patch(
    "allennlp.common.meta",
    since="AllenNLP 2.10.1 itself: meta.json is empty for a moment",
    until=UNTIL,
)
def meta_data_are_written_whole(module: Any) -> Iterator[None]:
    yield

    def to_file(self: Any, path: PathLike) -> None:
        write(path, json.dumps(asdict(self)))

    module.Meta.to_file = functools.wraps(module.Meta.to_file)(to_file)


@patch(
    "allennlp.models.archival",
    since="AllenNLP 2.10.1 itself: model.tar.gz grows under its own name",
    until=UNTIL,
)
def an_archive_is_written_whole(module: Any) -> Iterator[None]:
    """An existing archive stays until the next is complete."""
    yield
    archive = module.archive_model

    @functools.wraps(archive)
    def archive_model(
        serialization_dir: PathLike,
        weights: str = module._DEFAULT_WEIGHTS,
        archive_path: Optional[PathLike] = None,
        include_in_archive: Any = None,
    ) -> str:
        path = os.fspath(serialization_dir if archive_path is None else archive_path)
        if archive_path is None or os.path.isdir(path):
            path = os.path.join(path, "model.tar.gz")
        with replacing(path) as new:
            archive(serialization_dir, weights, new, include_in_archive)
        return path

    module.archive_model = archive_model


@patch(
    "allennlp.data.vocabulary",
    since="AllenNLP 2.10.1 itself: a vocabulary of which half is written is read as a smaller one",
    until="AllenNLP writes the folder under another name, and renames it when it is whole",
)
def a_vocabulary_is_written_whole(module: Any) -> Iterator[None]:
    """
    A new folder appears with all of its files. In an existing folder, each file is replaced
    atomically, under AllenNLP's own lock against readers, and other files are left alone.
    """
    yield
    save = module.Vocabulary.save_to_files

    @functools.wraps(save)
    def save_to_files(self: Any, directory: PathLike) -> None:
        lock = os.path.join(directory, ".lock")
        with module.FileLock(lock) if os.path.isdir(directory) else nullcontext():
            with replacing_folder(directory) as new:
                save(self, new)
                Path(new, ".lock").unlink(missing_ok=True)

    module.Vocabulary.save_to_files = save_to_files
