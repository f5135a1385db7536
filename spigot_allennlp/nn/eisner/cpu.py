"""Projective trees on the CPU: tensors to and from the kernels. Arguments as in `eisner.py`."""

from dataclasses import dataclass
from typing import Callable, Optional, Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn import closed_form_autograd
from spigot_allennlp.nn.eisner import kernels, sums
from spigot_allennlp.nn.instances import at_least_single
from spigot_allennlp.nn.semirings.batching import DOUBLE_LANES, SINGLE_LANES, call_in_groups


def best_tree(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """Returns the best tree of each sentence, in the type of `scores`."""
    exact = at_least_single(scores.detach()).contiguous()
    trees = torch.zeros_like(exact)
    lanes = SINGLE_LANES if exact.dtype == torch.float32 else DOUBLE_LANES
    call_in_groups(kernels.best_trees, lanes, _num_steps, exact, mask, single_root, trees)
    return trees.to(scores.dtype)


def sample_tree(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """Returns a random tree for each sentence, in the type of `scores`."""
    exact = at_least_single(scores.detach()).contiguous()
    trees = torch.zeros_like(exact)
    uniforms = torch.rand(exact.size(0), 2 * exact.size(1), dtype=torch.double)
    arguments = exact, mask, single_root, uniforms, trees
    call_in_groups(kernels.sample_trees, DOUBLE_LANES, _num_steps, *arguments)
    return trees.to(scores.dtype)


def log_partition_and_marginals(
    scores: Tensor, mask: BoolTensor, single_root: bool
) -> Tuple[Tensor, Tensor]:
    """
    Returns the log-partition in double precision and the marginals in the type of `scores`; the
    former differentiable twice, the latter once.
    """
    inference = ProjectiveTreeInference(single_root)
    return closed_form_autograd.log_partition_and_marginals(scores, mask, inference)


@dataclass(frozen=True)
class ProjectiveTreeInference(closed_form_autograd.Inference):
    """
    Sums over projective trees, with plain numbers where these suffice, and with extended ones for
    the sentences where the weights of trees lie too far apart.
    """

    single_root: bool

    def log_partition_and_marginals(
        self, scores: Tensor, mask: BoolTensor
    ) -> Tuple[Tensor, Tensor]:
        plain, extended = (
            sums.log_partition_and_marginals,
            sums.extended_log_partition_and_marginals,
        )
        return self._sum(plain, extended, scores, mask)

    def marginals_jvp(self, scores: Tensor, mask: BoolTensor, direction: Tensor) -> Tensor:
        plain, extended = sums.marginals_jvp, sums.extended_marginals_jvp
        return self._sum(plain, extended, scores, mask, direction)[1]

    def _sum(
        self,
        plain: Callable,
        extended: Callable,
        scores: Tensor,
        mask: BoolTensor,
        direction: Optional[Tensor] = None,
    ) -> Tuple[Tensor, Tensor]:
        exact = at_least_single(scores.detach()).contiguous()
        directions = () if direction is None else (direction.detach().to(exact.dtype).contiguous(),)
        totals, result = torch.empty(len(exact), dtype=torch.double), torch.empty_like(exact)
        arguments = exact, mask, *directions, self.single_root, totals, result
        call_in_groups(plain, DOUBLE_LANES, _num_steps, *arguments)
        needs_extended = totals.isnan()
        if needs_extended.any():
            members = needs_extended.nonzero().flatten()
            call_in_groups(extended, DOUBLE_LANES, _num_steps, *arguments, members=members)
        return totals, result.to(scores.dtype)


def _num_steps(length: int) -> int:
    """Returns the order of the elementary steps that a sentence takes."""
    return length**3
