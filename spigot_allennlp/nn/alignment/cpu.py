"""
Monotone alignments on the CPU: tensors to and from the kernels. Arguments as in `alignment.py`.
"""

from typing import Callable

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.alignment import kernels, sums
from spigot_allennlp.nn.kernel_calls import CompiledInference, parts_by_kernel
from spigot_allennlp.nn.semirings.batching import DOUBLE_LANES, call_in_groups


def best_alignment(scores: Tensor, mask: BoolTensor) -> Tensor:
    """Returns the best alignment of each instance, in the type of `scores`."""
    return parts_by_kernel(_call_in_groups, kernels.best_alignments, scores, mask)


def sample_alignment(scores: Tensor, mask: BoolTensor) -> Tensor:
    """Returns a random alignment of each instance, in the type of `scores`."""
    num_steps = scores.size(1) + scores.size(2)
    uniforms = scores.new_empty(len(scores), num_steps, dtype=torch.double).uniform_()
    return parts_by_kernel(_call_in_groups, kernels.sample_alignments, scores, mask, uniforms)


class AlignmentInference(CompiledInference):
    """Sums over alignments in extended numbers, since their weights may be far apart."""

    def __init__(self) -> None:
        super().__init__(sums.log_partition_and_marginals, sums.marginals_jvp, _call_in_groups)


def _call_in_groups(kernel: Callable, scores: Tensor, mask: BoolTensor, *others: Tensor) -> None:
    """
    Calls a kernel for groups of instances with about the same number of rows. An elementary step is
    a cell.
    """
    if scores.numel():
        columns = scores.size(2)
        call_in_groups(
            kernel, DOUBLE_LANES, lambda last: (last + 1) * columns, scores, mask, *others
        )
