"""Trains a cell by AllenNLP, from where an earlier attempt was interrupted."""

import logging
import shutil
from pathlib import Path
from typing import Any, Dict

from spigot_allennlp.ablation.cell import RUN, Cell
from spigot_allennlp.compat import whole_files
from spigot_allennlp.compat.checkpoints import are_whole_weights, has_checkpoint

logger = logging.getLogger(__name__)


def train(cell: Cell) -> Dict[str, Any]:
    """
    Trains, with `--recover` if there is something to go on from, and returns AllenNLP's metrics.
    """
    from allennlp.commands.train import train_model
    from allennlp.common import Params

    folder = cell.folder / RUN
    recover = can_go_on(cell, folder)
    # Of a run that was killed after its last epoch, this trains nothing, and writes all but the
    # weights anew: vocabulary, metrics and archive, of which any may be torn.
    train_model(
        Params(cell.config).duplicate(),
        str(folder),
        recover=recover,
        force=not recover,
        include_package=list(cell.packages),
        file_friendly_logging=True,
        return_model=False,
    )
    return whole_files.read_json(folder / "metrics.json")


def can_go_on(cell: Cell, folder: Path) -> bool:
    """
    Whether there is a run to recover. What cannot be read of it is made anew: the config; and all,
    if the weights with the best figures are damaged, which nothing else could bring back.
    """
    if not has_checkpoint(folder):
        return False
    weights = folder / "best.th"
    if weights.exists() and not are_whole_weights(weights):
        logger.warning("%s is damaged: %s is trained from the beginning.", weights, folder)
        shutil.rmtree(folder)
        return False
    if not whole_files.holds_json(folder / "config.json"):
        logger.warning("%s cannot be read, and is written anew.", folder / "config.json")
        whole_files.write_json(folder / "config.json", cell.config)
    return True
