"""Chains of tags on the CPU: tensors to and from the kernels. Arguments as in `chain.py`."""

from typing import Callable

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.chain import kernels, sums
from spigot_allennlp.nn.kernel_calls import CompiledInference, parts_by_kernel
from spigot_allennlp.nn.semirings.batching import DOUBLE_LANES, call_in_groups


def best_sequence(scores: Tensor, mask: BoolTensor) -> Tensor:
    """Returns the best sequence of each sentence, in the type of `scores`."""
    return parts_by_kernel(_call_in_groups, kernels.best_sequences, scores, mask)


def sample_sequence(scores: Tensor, mask: BoolTensor) -> Tensor:
    """Returns a random sequence for each sentence, in the type of `scores`."""
    uniforms = scores.new_empty(scores.shape[:2], dtype=torch.double).uniform_()
    return parts_by_kernel(_call_in_groups, kernels.sample_sequences, scores, mask, uniforms)


class ChainInference(CompiledInference):
    """Sums over sequences of tags in extended numbers, since their weights may be far apart."""

    def __init__(self) -> None:
        super().__init__(sums.log_partition_and_marginals, sums.marginals_jvp, _call_in_groups)


def _call_in_groups(kernel: Callable, scores: Tensor, mask: BoolTensor, *others: Tensor) -> None:
    """Calls a kernel for groups of sentences. An elementary step is a part of a position."""
    parts = scores.size(2) * scores.size(3)
    call_in_groups(kernel, DOUBLE_LANES, lambda length: length * parts, scores, mask, *others)
