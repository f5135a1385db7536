"""Counts gold arcs that a pruner removes."""

from typing import Dict, List

import torch
from allennlp.training.metrics import Metric
from torch import BoolTensor

from spigot_allennlp.metrics.counting_metric import CountingMetric


@Metric.register("pruned_gold")
class PrunedGold(CountingMetric):
    """
    Counts the gold arcs that are not among the pruner's candidates. In evaluation they cannot be
    predicted. In training they are made candidates, but still counted.

    `get_metric` returns their share as `name`, or nothing if there were no gold arcs.

    Registered as a `Metric` with name "pruned_gold".

    # Parameters

    name : `str`, optional (default = `"gold_arcs_pruned"`)
    """

    # A class attribute, too, because metrics in earlier checkpoints have no name of their own.
    _name = "gold_arcs_pruned"

    def __init__(self, name: str = "gold_arcs_pruned") -> None:
        super().__init__(2)
        self._name = name

    def __call__(self, gold: BoolTensor, candidates: BoolTensor) -> None:  # type: ignore[override]
        """Counts arcs; both arguments have the same, arbitrary shape."""
        self.add(torch.stack([(gold & ~candidates).sum(), gold.sum()]))

    def compute_metrics(self, counts: List[int]) -> Dict[str, float]:
        pruned, number = counts
        return {self._name: pruned / number} if number else {}
