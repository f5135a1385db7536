"""
Monotone alignments on the CPU: tensors to and from the kernels. Arguments as in `alignment.py`.
"""

from typing import Callable

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


class AlignmentInference(closed_form_autograd.CompiledInference):
    """Sums over alignments in extended numbers, since their weights may lie far apart."""

    def __init__(self) -> None:
        super().__init__(sums.log_partition_and_marginals, sums.marginals_jvp, _call_in_groups)


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
