"""Chains of tags on the CPU: tensors to and from the kernels. Arguments as in `chain.py`."""

from typing import Callable, Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn import closed_form_autograd
from spigot_allennlp.nn.chain import kernels, sums
from spigot_allennlp.nn.instances import at_least_single
from spigot_allennlp.nn.semirings.batching import DOUBLE_LANES, call_in_groups


def best_sequence(scores: Tensor, mask: BoolTensor) -> Tensor:
    """Returns the best sequence of each sentence, in the type of `scores`."""
    exact = at_least_single(scores.detach()).contiguous()
    sequences = torch.zeros_like(exact)
    _call(kernels.best_sequences, exact, mask, sequences)
    return sequences.to(scores.dtype)


def sample_sequence(scores: Tensor, mask: BoolTensor) -> Tensor:
    """Returns a random sequence for each sentence, in the type of `scores`."""
    exact = at_least_single(scores.detach()).contiguous()
    sequences, uniforms = torch.zeros_like(exact), torch.rand(exact.shape[:2], dtype=torch.double)
    _call(kernels.sample_sequences, exact, mask, uniforms, sequences)
    return sequences.to(scores.dtype)


def log_partition_and_marginals(scores: Tensor, mask: BoolTensor) -> Tuple[Tensor, Tensor]:
    """
    Returns the log-partition in double precision and the marginals in the type of `scores`; the
    former differentiable twice, the latter once.
    """
    return closed_form_autograd.log_partition_and_marginals(scores, mask, ChainInference())


class ChainInference(closed_form_autograd.Inference):
    """Sums over sequences of tags in extended numbers, whose weights may lie far apart."""

    def log_partition_and_marginals(
        self, scores: Tensor, mask: BoolTensor
    ) -> Tuple[Tensor, Tensor]:
        return self._sum(sums.log_partition_and_marginals, scores, mask)

    def marginals_jvp(self, scores: Tensor, mask: BoolTensor, direction: Tensor) -> Tensor:
        return self._sum(sums.marginals_jvp, scores, mask, direction)[1]

    def _sum(
        self, kernel: Callable, scores: Tensor, mask: BoolTensor, *directions: Tensor
    ) -> Tuple[Tensor, Tensor]:
        exact = at_least_single(scores.detach()).contiguous()
        moves = [direction.detach().to(exact.dtype).contiguous() for direction in directions]
        totals, result = torch.empty(len(exact), dtype=torch.double), torch.empty_like(exact)
        _call(kernel, exact, mask, *moves, totals, result)
        return totals, result.to(scores.dtype)


def _call(kernel: Callable, scores: Tensor, mask: BoolTensor, *others: Tensor) -> None:
    parts = scores.size(2) * scores.size(3)
    call_in_groups(kernel, DOUBLE_LANES, lambda length: length * parts, scores, mask, *others)
