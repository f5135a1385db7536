"""Projective trees on the CPU: tensors to and from the kernels. Arguments as in `eisner.py`."""

from dataclasses import dataclass
from typing import Callable, Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn import closed_form_autograd
from spigot_allennlp.nn.eisner import kernels, sums
from spigot_allennlp.nn.instances import at_least_single
from spigot_allennlp.nn.semirings.batching import DOUBLE_LANES, SINGLE_LANES, call_in_groups


def best_tree(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """Returns the best tree of each sentence, in the type of `scores`."""
    contiguous_scores = at_least_single(scores.detach()).contiguous()
    trees = torch.zeros_like(contiguous_scores)
    lanes = SINGLE_LANES if contiguous_scores.dtype == torch.float32 else DOUBLE_LANES
    arguments = contiguous_scores, mask, single_root, trees
    call_in_groups(kernels.best_trees, lanes, _num_steps, *arguments)
    return trees.to(scores.dtype)


def sample_tree(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """Returns a random tree for each sentence, in the type of `scores`."""
    contiguous_scores = at_least_single(scores.detach()).contiguous()
    trees = torch.zeros_like(contiguous_scores)
    uniforms = torch.rand(scores.size(0), 2 * scores.size(1), dtype=torch.double)
    arguments = contiguous_scores, mask, single_root, uniforms, trees
    call_in_groups(kernels.sample_trees, DOUBLE_LANES, _num_steps, *arguments)
    return trees.to(scores.dtype)


@dataclass(frozen=True)
class ProjectiveTreeInference(closed_form_autograd.Inference):
    """
    Sums over projective trees, with plain numbers where these suffice, and with extended ones for
    the sentences where the weights of trees lie too far apart. The log-partition is in double
    precision, the marginals in the type of the scores.
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
        *directions: Tensor,
    ) -> Tuple[Tensor, Tensor]:
        """
        Returns totals, and the result of the kernel `plain`, or of `extended` for those sentences
        where the former's totals are NaN, in the type of the scores.
        """
        contiguous_scores = at_least_single(scores.detach()).contiguous()
        contiguous_directions = [
            direction.detach().to(contiguous_scores.dtype).contiguous() for direction in directions
        ]
        totals = torch.empty(len(scores), dtype=torch.double)
        result = torch.empty_like(contiguous_scores)
        inputs = contiguous_scores, mask, *contiguous_directions
        arguments = *inputs, self.single_root, totals, result
        call_in_groups(plain, DOUBLE_LANES, _num_steps, *arguments)
        needs_extended = totals.isnan()
        if needs_extended.any():
            members = needs_extended.nonzero().flatten()
            call_in_groups(extended, DOUBLE_LANES, _num_steps, *arguments, members=members)
        return totals, result.to(scores.dtype)


def _num_steps(length: int) -> int:
    """Returns the order of the elementary steps that a sentence takes."""
    return length**3
