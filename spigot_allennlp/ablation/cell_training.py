"""Trains a cell by AllenNLP, from where an earlier attempt was interrupted."""

import shutil
from pathlib import Path
from typing import Any, Dict

from spigot_allennlp.ablation import atomic_files
from spigot_allennlp.ablation.cell import RUN, Cell


def train(cell: Cell) -> Dict[str, Any]:
    """
    Trains, with `--recover` if there is something to go on from, and returns AllenNLP's metrics.
    """
    from allennlp.commands.train import train_model
    from allennlp.common import Params
    from allennlp.models.archival import archive_model

    folder = cell.folder / RUN
    metrics = folder / "metrics.json"
    if metrics.exists():  # killed after training: the archive may be torn, the weights are not
        archive_model(folder)
    else:
        train_model(
            Params(cell.config).duplicate(),
            str(folder),
            recover=_can_go_on(cell, folder),
            include_package=list(cell.packages),
            file_friendly_logging=True,
            return_model=False,
        )
    return atomic_files.read_json(metrics)


def _can_go_on(cell: Cell, folder: Path) -> bool:
    """
    Whether there is a run to recover. AllenNLP cannot recover one that was killed before its config
    was written, nor while it was written anew; neither has cost anything yet, or has checkpoints.
    """
    if not folder.exists():
        return False
    try:
        atomic_files.read_json(folder / "config.json")
    except (OSError, ValueError):
        if not list(folder.glob("model_state_*")):
            shutil.rmtree(folder)
            return False
        atomic_files.write_json(folder / "config.json", cell.config)
    return True
