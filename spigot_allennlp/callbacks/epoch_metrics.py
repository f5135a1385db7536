"""Rewrites the metrics of an epoch, with what callbacks have added to them."""

import json
import os
from typing import Any, Dict

from spigot_allennlp.compat.atomic_io import write


def rewrite_epoch_metrics(folder: str, metrics: Dict[str, Any], epoch: int) -> None:
    """
    Rewrites `metrics_epoch_*.json` of a run, if it exists: AllenNLP writes it before it calls its
    callbacks.
    """
    path = os.path.join(folder, f"metrics_epoch_{epoch}.json")
    if os.path.exists(path):
        write(path, json.dumps(metrics, indent=2))
