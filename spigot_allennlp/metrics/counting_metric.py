"""Defines metrics that are functions of counts, which add up over batches and workers."""

from typing import Any, Dict, List, Optional, Type, TypeVar

import torch
from allennlp.nn.util import dist_reduce_sum
from allennlp.training.metrics import Metric
from torch import Tensor

Self = TypeVar("Self", bound="CountingMetric")


class CountingMetric(Metric):
    """
    Adds up integer counts on the device where they arise, and reads them once per `get_metric`.

    A subclass hands its counts to `add`, and says in `compute_metrics` what they mean.

    In distributed training the workers' counts are summed when the metrics are asked for, not when
    counts are added (as AllenNLP's own metrics do it). So a worker whose batch has nothing for this
    metric, say a batch of the other treebank, need not call it: only `get_metric` must be called
    equally often by all, which the trainer does.
    """

    supports_distributed = True

    def __init__(self, num_counts: int) -> None:
        self._num_counts = num_counts
        self._counts: Optional[Tensor] = None

    def compute_metrics(self, counts: List[int]) -> Dict[str, float]:
        """Computes the metrics that follow from the summed counts, not all of which are zero."""
        raise NotImplementedError

    def add(self, counts: Tensor) -> None:
        """Adds the counts of one batch: integers, shape `(num_counts,)`, which hold no graph."""
        assert counts.shape == (self._num_counts,) and counts.dtype == torch.long
        self._counts = counts if self._counts is None else self._counts.to(counts.device) + counts

    @property
    def counts(self) -> Tensor:
        """
        Returns the sum of what this process has counted since the last reset: integers, shape
        `(num_counts,)`, on the device where they arose.
        """
        if self._counts is None:
            return torch.zeros(self._num_counts, dtype=torch.long)
        return self._counts

    def settings(self) -> Dict[str, Any]:
        """
        Returns what distinguishes this metric from others of its class: its attributes but for the
        counts. `from_settings` takes them, also after they have been written as JSON.
        """
        return {name: value for name, value in vars(self).items() if name != "_counts"}

    @classmethod
    def from_settings(cls: Type[Self], settings: Dict[str, Any]) -> Self:
        """Returns a metric with these `settings`, which has counted nothing yet."""
        metric = cls.__new__(cls)
        vars(metric).update(settings, _counts=None)
        return metric

    def get_metric(self, reset: bool = False) -> Dict[str, float]:
        """
        Computes the metrics over everything since the last reset; none if there was nothing to
        count, rather than zeros that would look like a result.
        """
        total = dist_reduce_sum(self.counts).tolist()
        if reset:
            self.reset()
        return self.compute_metrics(total) if any(total) else {}

    def reset(self) -> None:
        self._counts = None


def ratio(part: int, whole: int) -> float:
    """Returns `part / whole`, and 0 if there is no whole."""
    return part / whole if whole else 0.0
