"""Writes the metrics of an epoch again, with what callbacks have added to them."""

import json
import os
from typing import Any, Dict

from spigot_allennlp.compat.atomic_io import write


def rewrite_epoch_metrics(folder: str, metrics: Dict[str, Any], epoch: int) -> None:
    """
    Writes `metrics_epoch_*.json` of a training again, if there is one: AllenNLP has written it
    before it asked its callbacks.
    """
    path = os.path.join(folder, f"metrics_epoch_{epoch}.json")
    if os.path.exists(path):
        write(path, json.dumps(metrics, indent=2))
