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
    contiguous_scores = at_least_single(scores.detach()).contiguous()
    sequences = torch.zeros_like(contiguous_scores)
    _call_in_groups(kernels.best_sequences, contiguous_scores, mask, sequences)
    return sequences.to(scores.dtype)


def sample_sequence(scores: Tensor, mask: BoolTensor) -> Tensor:
    """Returns a random sequence for each sentence, in the type of `scores`."""
    contiguous_scores = at_least_single(scores.detach()).contiguous()
    sequences = torch.zeros_like(contiguous_scores)
    uniforms = torch.rand(scores.shape[:2], dtype=torch.double)
    _call_in_groups(kernels.sample_sequences, contiguous_scores, mask, uniforms, sequences)
    return sequences.to(scores.dtype)


class ChainInference(closed_form_autograd.Inference):
    """
    Sums over sequences of tags in extended numbers, since the weights of sequences may lie far
    apart. The log-partition is in double precision, the marginals in the type of the scores.
    """

    def log_partition_and_marginals(
        self, scores: Tensor, mask: BoolTensor
    ) -> Tuple[Tensor, Tensor]:
        return self._sum(sums.log_partition_and_marginals, scores, mask)

    def marginals_jvp(self, scores: Tensor, mask: BoolTensor, direction: Tensor) -> Tensor:
        return self._sum(sums.marginals_jvp, scores, mask, direction)[1]

    def _sum(
        self, kernel: Callable, scores: Tensor, mask: BoolTensor, *directions: Tensor
    ) -> Tuple[Tensor, Tensor]:
        """Returns totals, and the result of the kernel in the type of the scores."""
        contiguous_scores = at_least_single(scores.detach()).contiguous()
        contiguous_directions = [
            direction.detach().to(contiguous_scores.dtype).contiguous() for direction in directions
        ]
        totals = torch.empty(len(scores), dtype=torch.double)
        result = torch.empty_like(contiguous_scores)
        _call_in_groups(kernel, contiguous_scores, mask, *contiguous_directions, totals, result)
        return totals, result.to(scores.dtype)


def _call_in_groups(kernel: Callable, scores: Tensor, mask: BoolTensor, *others: Tensor) -> None:
    """Calls a kernel for groups of sentences; an elementary step is a part of a position."""
    parts = scores.size(2) * scores.size(3)
    call_in_groups(kernel, DOUBLE_LANES, lambda length: length * parts, scores, mask, *others)
