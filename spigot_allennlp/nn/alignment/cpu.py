"""
Monotone alignments on the CPU: tensors to and from the kernels. Arguments as in `alignment.py`.
"""

from typing import Callable, Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn import closed_form_autograd
from spigot_allennlp.nn.alignment import kernels, sums
from spigot_allennlp.nn.instances import at_least_single
from spigot_allennlp.nn.semirings.batching import DOUBLE_LANES, call_in_groups


def best_alignment(scores: Tensor, mask: BoolTensor) -> Tensor:
    """Returns the best alignment of each instance, in the type of `scores`."""
    contiguous_scores = at_least_single(scores.detach()).contiguous()
    alignments = torch.zeros_like(contiguous_scores)
    _call_in_groups(kernels.best_alignments, contiguous_scores, mask, alignments)
    return alignments.to(scores.dtype)


def sample_alignment(scores: Tensor, mask: BoolTensor) -> Tensor:
    """Returns a random alignment of each instance, in the type of `scores`."""
    contiguous_scores = at_least_single(scores.detach()).contiguous()
    alignments = torch.zeros_like(contiguous_scores)
    num_steps = scores.size(1) + scores.size(2)
    uniforms = torch.rand(len(scores), num_steps, dtype=torch.double)
    _call_in_groups(kernels.sample_alignments, contiguous_scores, mask, uniforms, alignments)
    return alignments.to(scores.dtype)


class AlignmentInference(closed_form_autograd.Inference):
    """
    Sums over alignments in extended numbers, since the weights of alignments may lie far apart. The
    log-partition is in double precision, the marginals in the type of the scores.
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
        totals = torch.zeros(len(scores), dtype=torch.double)
        result = torch.zeros_like(contiguous_scores)
        _call_in_groups(kernel, contiguous_scores, mask, *contiguous_directions, totals, result)
        return totals, result.to(scores.dtype)


def _call_in_groups(kernel: Callable, scores: Tensor, mask: BoolTensor, *others: Tensor) -> None:
    """
    Calls a kernel for groups of instances, those with about as many rows together; an elementary
    step is a cell.
    """
    if scores.numel():
        columns = scores.size(2)
        call_in_groups(
            kernel, DOUBLE_LANES, lambda last: (last + 1) * columns, scores, mask, *others
        )
