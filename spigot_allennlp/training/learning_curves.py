"""Reads the values of a metric, epoch by epoch, from what AllenNLP writes while it trains."""

import difflib
import logging
import re
import statistics
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Dict, Optional, Sequence, Union

from spigot_allennlp.compat.atomic_io import read_json
from spigot_allennlp.compat.plain_errors import missing_part, plain_error

logger = logging.getLogger(__name__)

EPOCH_FILE = re.compile(r"metrics_epoch_(\d+)\.json")


@dataclass(frozen=True)
class Curve:
    """
    # Parameters

    name : `str`
        The key in `metrics_epoch_*.json`.
    values : `Dict[int, float]`
        The values by epoch, from 1, in order.
    """

    name: str
    values: Dict[int, float]


def read_curve(folder: Union[str, PathLike], metric: str) -> Curve:
    """
    Reads a metric that every epoch of a run must have.

    # Raises

    `ConfigurationError` if the folder holds no metrics, lacks this metric or has a truncated file,
    or if the metric is not a number (as with durations).
    """
    files = epoch_files(folder)
    if not files:
        raise plain_error(
            f"{folder} has no metrics_epoch_*.json: give folders that `allennlp train` has written."
            + missing_part(str(folder))
        )
    values = {}
    for epoch, file in files.items():
        try:
            metrics = read_json(file)
        except ValueError as error:
            raise plain_error(
                f"{file} is no JSON ({error}): it was cut off, or damaged. Delete it to draw the "
                "other epochs."
            ) from error
        if metric not in metrics:
            near = [name for name in metrics if name == f"validation_{metric}"]
            near = near or difflib.get_close_matches(metric, metrics, 1)
            raise plain_error(
                f"{file} does not hold {metric}; it holds {', '.join(sorted(metrics))}."
                + "".join(f" Perhaps you mean {name}." for name in near)
            )
        value = metrics[metric]
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise plain_error(f"{file}: {metric} is {value!r}, which is no number to be drawn.")
        values[epoch] = value
    return Curve(metric, values)


def read_first_curve(folder: Union[str, PathLike], names: Sequence[str]) -> Optional[Curve]:
    """
    Reads the first metric of `names` that any epoch of a run has; `None` if there is none. An epoch
    with a truncated file is skipped, with a warning.
    """
    epochs = {epoch: _metrics_or_nothing(file) for epoch, file in epoch_files(folder).items()}
    for name in names:
        values = {epoch: metrics[name] for epoch, metrics in epochs.items() if name in metrics}
        if values:
            return Curve(name, values)
    return None


def epoch_files(folder: Union[str, PathLike]) -> Dict[int, Path]:
    """Finds the files of the epochs, by the number of the epoch, from 1, in order."""
    files = {
        int(match[1]) + 1: file
        for file in Path(folder).glob("metrics_epoch_*.json")
        if (match := EPOCH_FILE.fullmatch(file.name))
    }
    return dict(sorted(files.items()))


def _metrics_or_nothing(file: Path) -> Dict[str, Any]:
    try:
        return read_json(file)
    except ValueError as error:
        logger.warning("The curve lacks an epoch: %s cannot be read (%s).", file, error)
        return {}


def mean_curve(curves: Sequence[Curve]) -> Dict[int, float]:
    """
    Returns, for each epoch, the mean of the curves that reach it; these become fewer if training
    stops early.
    """
    epochs = sorted({epoch for curve in curves for epoch in curve.values})
    return {
        epoch: statistics.fmean(curve.values[epoch] for curve in curves if epoch in curve.values)
        for epoch in epochs
    }
