"""How a metric went, epoch by epoch, as AllenNLP wrote it down."""

import logging
import re
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from spigot_allennlp.ablation.cell import RUN
from spigot_allennlp.ablation.results import CellResult
from spigot_allennlp.compat.whole_files import read_json

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Curve:
    """
    # Parameters

    name : `str`
        The key in `metrics_epoch_*.json`.
    values : `Dict[int, float]`
        By epoch, from 1 on.
    """

    name: str
    values: Dict[int, float]


def curves_of(cells: Sequence[CellResult], metric: str) -> List[Curve]:
    """One for each cell that has completed an epoch; also of cells that are not done."""
    curves = (read_curve(cell.folder / RUN, metric) for cell in cells)
    return [curve for curve in curves if curve is not None]


def read_curve(run: Path, metric: str) -> Optional[Curve]:
    """Of the validation data, or else of the training data, or else the training loss."""
    files = {
        int(re.findall(r"\d+", file.stem)[-1]): file for file in run.glob("metrics_epoch_*.json")
    }
    epochs = {epoch + 1: read_epoch(files[epoch]) for epoch in sorted(files)}
    for name in (f"validation_{metric}", f"training_{metric}", "training_loss"):
        values = {epoch: found[name] for epoch, found in epochs.items() if name in found}
        if values:
            return Curve(name, values)
    return None


def read_epoch(file: Path) -> Dict[str, Any]:
    """The figures of an epoch; none, with a warning, if the file was cut off."""
    try:
        return read_json(file)
    except ValueError as error:
        logger.warning("The curve lacks an epoch: %s cannot be read (%s).", file, error)
        return {}


def mean_curve(curves: Sequence[Curve]) -> Dict[int, float]:
    """Of the curves that reach an epoch; those may become fewer, where training stops early."""
    epochs = sorted({epoch for curve in curves for epoch in curve.values})
    return {
        epoch: statistics.fmean(one.values[epoch] for one in curves if epoch in one.values)
        for epoch in epochs
    }
