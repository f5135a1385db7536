"""Computes accuracy and macro F1 of a classifier."""

from typing import Dict, List

import torch
from allennlp.training.metrics import Metric
from torch import LongTensor

from spigot_allennlp.metrics.counting_metric import CountingMetric, ratio


@Metric.register("class_scores")
class ClassScores(CountingMetric):
    """
    `get_metric` returns `accuracy` and `macro_f1`, the mean of the F1 of the classes that occur in
    the labels or in the predictions.

    Registered as a `Metric` with name "class_scores".

    # Parameters

    num_classes : `int`
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes * num_classes)
        self._num_classes = num_classes

    def __call__(self, predicted: LongTensor, gold: LongTensor) -> None:  # type: ignore[override]
        """Counts classes, numbered from 0; both tensors have shape `(batch_size,)`."""
        pairs = gold * self._num_classes + predicted
        self.add(torch.bincount(pairs, minlength=self._num_classes**2))

    def compute_metrics(self, counts: List[int]) -> Dict[str, float]:
        size = self._num_classes
        rows = [counts[start : start + size] for start in range(0, size * size, size)]
        right = [rows[index][index] for index in range(size)]
        columns = list(zip(*rows, strict=True))
        # How often a class is the label, plus how often it is predicted.
        occurrences = [sum(row) + sum(column) for row, column in zip(rows, columns, strict=True)]
        f1 = [2 * r / n for r, n in zip(right, occurrences, strict=True) if n]
        return {"accuracy": ratio(sum(right), sum(counts)), "macro_f1": sum(f1) / len(f1)}
