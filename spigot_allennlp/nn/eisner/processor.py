"""
Projective trees on the processor: tensors to and from the kernels. Arguments as in `eisner.py`.
"""

from dataclasses import dataclass
from typing import Callable, Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn import analytic
from spigot_allennlp.nn.eisner import kernels as eisner_kernels
from spigot_allennlp.nn.eisner import sums
from spigot_allennlp.nn.lanes.groups import DOUBLE_LANES, SINGLE_LANES, call_in_groups
from spigot_allennlp.nn.precision import at_least_single


def best_tree(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """The best tree, in the type of `scores`."""
    exact = at_least_single(scores.detach()).contiguous()
    trees = torch.zeros_like(exact)
    lanes = SINGLE_LANES if exact.dtype == torch.float32 else DOUBLE_LANES
    arguments = exact, mask, int(single_root), trees
    call_in_groups(eisner_kernels.best_trees, lanes, _cubic, *arguments)
    return trees.to(scores.dtype)


def draw_tree(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """A draw from the distribution over trees, in the type of `scores`."""
    exact = at_least_single(scores.detach()).contiguous()
    trees = torch.zeros_like(exact)
    uniforms = torch.rand(exact.size(0), 2 * exact.size(1), dtype=torch.double)
    arguments = exact, mask, int(single_root), uniforms, trees
    call_in_groups(eisner_kernels.draw_trees, DOUBLE_LANES, _cubic, *arguments)
    return trees.to(scores.dtype)


def log_partition_and_marginals(
    scores: Tensor, mask: BoolTensor, single_root: bool
) -> Tuple[Tensor, Tensor]:
    """Both, the former in double precision; together differentiable twice."""
    return analytic.log_partition_and_marginals(scores, mask, SumOverTrees(single_root))


@dataclass(frozen=True)
class SumOverTrees(analytic.Inference):
    """
    With plain numbers where these suffice, and with wide ones for the sentences where the weights
    of trees lie too far apart.
    """

    single_root: bool

    def expectations(self, scores: Tensor, mask: BoolTensor) -> Tuple[Tensor, Tensor]:
        kernels = sums.expectations, sums.wide_expectations
        return self._sum(kernels, scores, mask)

    def derivative(self, scores: Tensor, mask: BoolTensor, direction: Tensor) -> Tensor:
        kernels = sums.derivatives, sums.wide_derivatives
        return self._sum(kernels, scores, mask, direction)[1]

    def _sum(
        self, kernels: Tuple[Callable, Callable], scores: Tensor, mask: BoolTensor, *more: Tensor
    ) -> Tuple[Tensor, Tensor]:
        exact = at_least_single(scores.detach()).contiguous()
        directions = [each.detach().to(exact.dtype).contiguous() for each in more]
        totals, result = torch.empty(len(exact), dtype=torch.double), torch.empty_like(exact)
        arguments = exact, mask, *directions, int(self.single_root), totals, result
        plain, wide = kernels
        call_in_groups(plain, DOUBLE_LANES, _cubic, *arguments)
        lost = totals.isnan()
        if lost.any():
            members = lost.nonzero().flatten()
            call_in_groups(wide, DOUBLE_LANES, _cubic, *arguments, members=members)
        return totals, result.to(scores.dtype)


def _cubic(length: int) -> int:
    return length**3
