"""Counts gold objects outside the structure of a model."""

from typing import Dict, List

from allennlp.training.metrics import Metric
from torch import BoolTensor

from spigot_allennlp.metrics.counting_metric import CountingMetric


@Metric.register("outside_structure")
class OutsideStructure(CountingMetric):
    """
    Counts the gold objects outside the family of a structure. They can never be predicted, so
    losses do not count them, but scores do.

    `get_metric` returns the count as `name`, or nothing if it is zero.

    Registered as a `Metric` with name "outside_structure".

    # Parameters

    name : `str`, optional (default = `"outside_structure"`)
    """

    def __init__(self, name: str = "outside_structure") -> None:
        super().__init__(1)
        self._name = name

    def __call__(self, contained: BoolTensor) -> None:  # type: ignore[override]
        """Counts gold objects; `contained`, shape `(number,)`, says which are in the family."""
        self.add((~contained).sum().reshape(1))

    def compute_metrics(self, counts: List[int]) -> Dict[str, float]:
        return {self._name: counts[0]}
