"""
Chains of tags on the processor: tensors to and from the kernels. Arguments as in `chain.py`.
"""

from typing import Callable, Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn import analytic
from spigot_allennlp.nn.chain import kernels, sums
from spigot_allennlp.nn.lanes.groups import DOUBLE_LANES, call_in_groups
from spigot_allennlp.nn.precision import at_least_single


def best_sequence(scores: Tensor, mask: BoolTensor) -> Tensor:
    """The best sequence, in the type of `scores`."""
    exact = at_least_single(scores.detach()).contiguous()
    sequences = torch.zeros_like(exact)
    _call(kernels.best_sequences, exact, mask, sequences)
    return sequences.to(scores.dtype)


def draw_sequence(scores: Tensor, mask: BoolTensor) -> Tensor:
    """A draw from the distribution over sequences, in the type of `scores`."""
    exact = at_least_single(scores.detach()).contiguous()
    sequences, uniforms = torch.zeros_like(exact), torch.rand(exact.shape[:2], dtype=torch.double)
    _call(kernels.draw_sequences, exact, mask, uniforms, sequences)
    return sequences.to(scores.dtype)


def log_partition_and_marginals(scores: Tensor, mask: BoolTensor) -> Tuple[Tensor, Tensor]:
    """Both, the former in double precision; together differentiable twice."""
    return analytic.log_partition_and_marginals(scores, mask, SumOverSequences())


class SumOverSequences(analytic.Inference):
    """In wide numbers: the weights of sequences may lie as far apart as they like."""

    def expectations(self, scores: Tensor, mask: BoolTensor) -> Tuple[Tensor, Tensor]:
        return self._sum(sums.expectations, scores, mask)

    def derivative(self, scores: Tensor, mask: BoolTensor, direction: Tensor) -> Tensor:
        return self._sum(sums.derivatives, scores, mask, direction)[1]

    def _sum(
        self, kernel: Callable, scores: Tensor, mask: BoolTensor, *more: Tensor
    ) -> Tuple[Tensor, Tensor]:
        exact = at_least_single(scores.detach()).contiguous()
        directions = [each.detach().to(exact.dtype).contiguous() for each in more]
        totals, result = torch.empty(len(exact), dtype=torch.double), torch.empty_like(exact)
        _call(kernel, exact, mask, *directions, totals, result)
        return totals, result.to(scores.dtype)


def _call(kernel: Callable, scores: Tensor, mask: BoolTensor, *others: Tensor) -> None:
    parts = scores.size(2) * scores.size(3)
    call_in_groups(kernel, DOUBLE_LANES, lambda length: length * parts, scores, mask, *others)
