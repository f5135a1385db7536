"""
Non-projective trees on the CPU: tensors to and from the kernels. Arguments as in `arborescence.py`.
"""

from dataclasses import dataclass
from typing import Any, Callable, Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn import closed_form_autograd
from spigot_allennlp.nn.arborescence import kernels, sums
from spigot_allennlp.nn.arborescence.torch_fallback import LogarithmicInference
from spigot_allennlp.nn.instances import at_least_single
from spigot_allennlp.nn.randomness import seeds
from spigot_allennlp.nn.semirings.batching import DOUBLE_LANES, call_in_groups

# The number of sentences in a group, for kernels that work on one after the other.
GROUP_SIZE = 16

# A random walk through `n` tokens is given up after so many times `n^3` steps, which take as long
# as to sample the tree in another way; see `kernels.sample_trees`.
WALK_LIMIT = 1


def best_tree(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """Returns the best tree of each sentence, in the type of `scores`."""
    contiguous_scores = at_least_single(scores.detach()).contiguous()
    trees = torch.zeros_like(contiguous_scores)
    arguments = contiguous_scores, mask, single_root, trees
    call_in_groups(kernels.best_trees, GROUP_SIZE, _num_sequential_steps, *arguments)
    return trees.to(scores.dtype)


def sample_tree(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """Returns a random tree for each sentence, in the type of `scores`."""
    exact_scores = scores.detach().double().contiguous()
    root_marginals = exact_scores[:, :, 0]
    if single_root:
        inference = ArborescenceInference(single_root)
        root_marginals = inference.log_partition_and_marginals(exact_scores, mask)[1][:, :, 0]
    trees = torch.zeros_like(exact_scores)
    sources = root_marginals, WALK_LIMIT, seeds(len(scores))
    arguments = exact_scores, mask, single_root, *sources, trees
    call_in_groups(kernels.sample_trees, GROUP_SIZE, _num_sequential_steps, *arguments)
    return trees.to(scores.dtype)


def log_partition(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """Returns the log-partition, in double precision, without gradient."""
    contiguous_scores = at_least_single(scores.detach()).contiguous()
    totals = torch.empty(len(scores), dtype=torch.double)
    arguments = contiguous_scores, mask, single_root, totals
    _call_plain_or_extended(sums.log_partition, sums.extended_log_partition, totals, *arguments)
    for members in _small_groups(totals):
        logarithmic = LogarithmicInference(single_root)
        totals[members] = logarithmic.log_partition_and_marginals(scores[members], mask[members])[0]
    return totals


@dataclass(frozen=True)
class ArborescenceInference(closed_form_autograd.Inference):
    """
    Sums over non-projective trees, with plain numbers where these suffice; with extended ones for
    the sentences where the weights of trees lie too far apart; and with logarithms for those of
    which the elimination meets a pivot of zero, since they have few arcs or no tree. The
    log-partition is in double precision, the marginals in the type of the scores.
    """

    single_root: bool

    def log_partition_and_marginals(
        self, scores: Tensor, mask: BoolTensor
    ) -> Tuple[Tensor, Tensor]:
        plain, extended = (
            sums.log_partition_and_marginals,
            sums.extended_log_partition_and_marginals,
        )
        totals, marginals = self._sum(plain, extended, scores, mask)
        for members in _small_groups(totals):
            totals[members], marginals[members] = LogarithmicInference(
                self.single_root
            ).log_partition_and_marginals(scores[members], mask[members])
        return totals, marginals

    def marginals_jvp(self, scores: Tensor, mask: BoolTensor, direction: Tensor) -> Tensor:
        plain, extended = sums.marginals_jvp, sums.extended_marginals_jvp
        totals, result = self._sum(plain, extended, scores, mask, direction)
        for members in _small_groups(totals):
            result[members] = LogarithmicInference(self.single_root).marginals_jvp(
                scores[members], mask[members], direction[members]
            )
        return result

    def _sum(
        self,
        plain: Callable,
        extended: Callable,
        scores: Tensor,
        mask: BoolTensor,
        *directions: Tensor,
    ) -> Tuple[Tensor, Tensor]:
        """
        Returns totals, NaN where neither kernel suffices, and the result, in the type of the
        scores.
        """
        contiguous_scores = at_least_single(scores.detach()).contiguous()
        contiguous_directions = [
            direction.detach().to(contiguous_scores.dtype).contiguous() for direction in directions
        ]
        totals = torch.empty(len(scores), dtype=torch.double)
        result = torch.empty_like(contiguous_scores)
        inputs = contiguous_scores, mask, *contiguous_directions
        arguments = *inputs, self.single_root, totals, result
        _call_plain_or_extended(plain, extended, totals, *arguments)
        return totals, result.to(scores.dtype)


def _call_plain_or_extended(
    plain: Callable,
    extended: Callable,
    totals: Tensor,
    *arguments: Any,
) -> None:
    """
    Calls the kernel `plain` with `arguments`, from scores and mask on, for all sentences, and
    `extended` for those whose `totals`, among the arguments, are NaN then.
    """
    call_in_groups(plain, DOUBLE_LANES, _num_steps, *arguments)
    needs_extended = totals.isnan()
    if needs_extended.any():
        members = needs_extended.nonzero().flatten()
        call_in_groups(extended, DOUBLE_LANES, _num_steps, *arguments, members=members)


def _small_groups(totals: Tensor) -> Tuple[Tensor, ...]:
    """
    Returns the indices of the sentences whose totals are NaN, in groups that do not take much
    memory.
    """
    is_missing = totals.isnan()
    return is_missing.nonzero().flatten().split(GROUP_SIZE) if is_missing.any() else ()


def _num_steps(length: int) -> int:
    """Returns the order of the elementary steps that a group of sentences, in lanes, takes."""
    return length**3


def _num_sequential_steps(length: int) -> int:
    """
    Returns it for a group of sentences, one after the other, with some five steps for each arc.
    """
    return 5 * GROUP_SIZE * length**2
