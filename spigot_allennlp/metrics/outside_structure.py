"""Counts gold objects that the structure of a model cannot have."""

from typing import Dict, List

from allennlp.training.metrics import Metric
from torch import BoolTensor

from spigot_allennlp.metrics.counting_metric import CountingMetric


@Metric.register("outside_structure")
class OutsideStructure(CountingMetric):
    """
    Counts the gold objects outside the family of a structure. They can never be predicted, so
    that no loss counts them, while every score does.

    `get_metric` returns it as `name`, and nothing if there are none.

    Registered as a `Metric` with name "outside_structure".

    # Parameters

    name : `str`, optional (default = `"outside_structure"`)
    """

    def __init__(self, name: str = "outside_structure") -> None:
        super().__init__(1)
        self._name = name

    def __call__(self, contained: BoolTensor) -> None:  # type: ignore[override]
        """Counts gold objects; `contained`, shape `(number,)`, says which are of the family."""
        self.add((~contained).sum().reshape(1))

    def compute_metrics(self, counts: List[int]) -> Dict[str, float]:
        return {self._name: counts[0]}
