"""Defines metrics that are functions of counts, which add up over batches and workers."""

from typing import Any, Dict, List, Optional, Type, TypeVar

import torch
from allennlp.nn.util import dist_reduce_sum
from allennlp.training.metrics import Metric
from torch import Tensor

Self = TypeVar("Self", bound="CountingMetric")


class CountingMetric(Metric):
    """
    Adds up integer counts on the device where they are computed, and reads them once per
    `get_metric`.

    A subclass passes its counts to `add`, and defines in `compute_metrics` what they mean.

    In distributed training the workers' counts are summed when the metrics are requested, not when
    counts are added (as in AllenNLP's own metrics). So a worker whose batch has nothing for this
    metric, such as a batch of the other treebank, need not call it. All workers must only call
    `get_metric` equally often, as the trainer does.
    """

    supports_distributed = True

    def __init__(self, num_counts: int) -> None:
        self._num_counts = num_counts
        self._counts: Optional[Tensor] = None

    def compute_metrics(self, counts: List[int]) -> Dict[str, float]:
        """Computes the metrics from the summed counts, which are not all zero."""
        raise NotImplementedError

    def add(self, counts: Tensor) -> None:
        """Adds the counts of one batch: integers, shape `(num_counts,)`, detached from autograd."""
        assert counts.shape == (self._num_counts,) and counts.dtype == torch.long
        self._counts = counts if self._counts is None else self._counts.to(counts.device) + counts

    @property
    def counts(self) -> Tensor:
        """
        Returns the sum of what this process has counted since the last reset: integers, shape
        `(num_counts,)`, on the device where they were computed.
        """
        if self._counts is None:
            return torch.zeros(self._num_counts, dtype=torch.long)
        return self._counts

    def settings(self) -> Dict[str, Any]:
        """
        Returns what distinguishes this metric from others of its class: its attributes except for
        the counts. `from_settings` takes them, even after a round trip through JSON.
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
        Computes the metrics over everything since the last reset. If nothing was counted, there are
        no metrics, rather than zeros that would look like a result.
        """
        total = dist_reduce_sum(self.counts).tolist()
        if reset:
            self.reset()
        return self.compute_metrics(total) if any(total) else {}

    def reset(self) -> None:
        self._counts = None


def ratio(part: int, whole: int) -> float:
    """Returns `part / whole`, or 0 if `whole` is 0."""
    return part / whole if whole else 0.0
