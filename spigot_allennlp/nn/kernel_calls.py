"""
Calls of the kernels of a family: from tensors to tensors.

Families differ in how they group instances. So each has a function, `call` below, that calls a
kernel for all groups of a batch: with scores, mask, the kernel's other inputs, and finally its
outputs.
"""

from functools import partial
from types import ModuleType
from typing import Any, Callable, NamedTuple, Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.closed_form_autograd import Inference
from spigot_allennlp.nn.instances import at_least_single
from spigot_allennlp.nn.semirings.batching import DOUBLE_LANES, call_in_groups


def parts_by_kernel(
    call: Callable, kernel: Callable, scores: Tensor, mask: BoolTensor, *others: Any
) -> Tensor:
    """
    Returns the parts of the objects that a kernel chooses, best or random, as zeros and ones in the
    shape and type of `scores`.

    # Parameters

    call, kernel : `Callable`
        `call` gets the kernel, scores, mask, `others`, and zeros for the parts.
    scores : `Tensor`
        Shape `(batch_size, *parts)`.
    mask : `BoolTensor`
        The legal parts, of the same shape.
    others : `Any`
        Further inputs of the kernel.
    """
    contiguous_scores = at_least_single(scores.detach()).contiguous()
    parts = torch.zeros_like(contiguous_scores)
    call(kernel, contiguous_scores, mask, *others, parts)
    return parts.to(scores.dtype)


class CompiledInference(Inference):
    """
    Computes each sum with a kernel. The log-partition is in double precision, the marginals in the
    type of the scores.

    # Parameters

    log_partition_and_marginals, marginals_jvp : `Any`
        The kernels, in any form that `call` accepts.
    call : `Callable`
        Gets a kernel, scores, mask, perhaps a direction, and the outputs: totals and a result in
        the shape of the scores. The result holds zeros, or anything if `writes_all`.

    `writes_all` means that the kernels write every total, and the whole result.
    """

    writes_all: bool = False

    def __init__(
        self, log_partition_and_marginals: Any, marginals_jvp: Any, call: Callable
    ) -> None:
        self._log_partition_and_marginals = log_partition_and_marginals
        self._marginals_jvp = marginals_jvp
        self._call = call

    def log_partition_and_marginals(
        self, scores: Tensor, mask: BoolTensor
    ) -> Tuple[Tensor, Tensor]:
        return self._sum(self._log_partition_and_marginals, scores, mask)

    def marginals_jvp(self, scores: Tensor, mask: BoolTensor, direction: Tensor) -> Tensor:
        return self._sum(self._marginals_jvp, scores, mask, direction)[1]

    def _sum(
        self, kernel: Any, scores: Tensor, mask: BoolTensor, *directions: Tensor
    ) -> Tuple[Tensor, Tensor]:
        """Returns totals, and the result of the kernel in the type of the scores."""
        contiguous_scores = at_least_single(scores.detach()).contiguous()
        contiguous_directions = [
            direction.detach().to(contiguous_scores.dtype).contiguous() for direction in directions
        ]
        if self.writes_all:
            totals = scores.new_empty(len(scores), dtype=torch.double)
            result = torch.empty_like(contiguous_scores)
        else:
            totals = scores.new_zeros(len(scores), dtype=torch.double)
            result = torch.zeros_like(contiguous_scores)
        self._call(kernel, contiguous_scores, mask, *contiguous_directions, totals, result)
        return totals, result.to(scores.dtype)


class TreeKernels(NamedTuple):
    """
    The kernels for one sum over trees. Their arguments before the totals are scores, mask, perhaps
    a direction, and `single_root`.

    # Parameters

    plain : `Callable`
        Computes with plain numbers. If these do not suffice for a sentence, its total is NaN.
    extended : `Callable`
        Computes with extended numbers, which represent weights of any size.
    """

    plain: Callable
    extended: Callable

    def call(self, totals: Tensor, *arguments: Any) -> None:
        """
        Calls the plain kernel for all sentences with `arguments`, which start with scores and mask,
        then the extended one for sentences with a NaN in `totals`, which is among the arguments.
        """
        call_in_groups(self.plain, DOUBLE_LANES, num_tree_steps, *arguments)
        needs_extended = totals.isnan()
        if needs_extended.any():
            members = needs_extended.nonzero().flatten()
            call_in_groups(self.extended, DOUBLE_LANES, num_tree_steps, *arguments, members=members)


class TreeInference(CompiledInference):
    """
    Sums over dependency trees, with plain numbers if these suffice, and with extended ones for
    sentences where the weights of trees are too far apart.

    # Parameters

    sums : `ModuleType`
        Has the kernels `log_partition_and_marginals` and `marginals_jvp`, also with `extended_`.
    single_root : `bool`
        Whether the root has exactly one dependent.
    """

    writes_all = True

    def __init__(self, sums: ModuleType, single_root: bool) -> None:
        super().__init__(
            TreeKernels(
                sums.log_partition_and_marginals, sums.extended_log_partition_and_marginals
            ),
            TreeKernels(sums.marginals_jvp, sums.extended_marginals_jvp),
            partial(_call_tree_kernels, single_root),
        )
        self.single_root = single_root


def _call_tree_kernels(single_root: bool, kernels: TreeKernels, *tensors: Tensor) -> None:
    totals, result = tensors[-2:]
    kernels.call(totals, *tensors[:-2], single_root, totals, result)


def num_tree_steps(length: int) -> int:
    """Returns the approximate number of elementary steps for a group of sentences, in lanes."""
    return length**3
