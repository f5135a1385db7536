"""Computes the mean of a number per item: a loss, or whether the item was right."""

from typing import Optional

import torch
from allennlp.nn.util import dist_reduce_sum
from allennlp.training.metrics import Metric
from torch import Tensor


@Metric.register("item_mean")
class ItemMean(Metric):
    """
    Computes the mean over all items since the last reset, however they were spread over batches and
    workers; `None` if there were none. (AllenNLP's "average" is the mean of what batches report.)

    Registered as a `Metric` with name "item_mean".
    """

    supports_distributed = True

    def __init__(self) -> None:
        self._sum_and_number: Optional[Tensor] = None

    def __call__(self, values: Tensor) -> None:  # type: ignore[override]
        """Counts `values`, one number per item."""
        values = values.detach().double()
        new = torch.stack([values.sum(), values.new_tensor(values.numel())])
        old = self._sum_and_number
        self._sum_and_number = new if old is None else old.to(new.device) + new

    def get_metric(self, reset: bool = False) -> Optional[float]:
        local = self._sum_and_number
        total, number = dist_reduce_sum(
            torch.zeros(2, dtype=torch.double) if local is None else local
        ).tolist()
        if reset:
            self.reset()
        return total / number if number else None

    def reset(self) -> None:
        self._sum_and_number = None
