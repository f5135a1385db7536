"""
Non-projective trees on the CPU: tensors to and from the kernels. Arguments as in `arborescence.py`.
"""

from typing import Any, Callable, Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.arborescence import kernels, sums
from spigot_allennlp.nn.arborescence.torch_fallback import LogarithmicInference
from spigot_allennlp.nn.instances import at_least_single
from spigot_allennlp.nn.kernel_calls import TreeInference, TreeKernels, parts_by_kernel
from spigot_allennlp.nn.randomness import seeds
from spigot_allennlp.nn.semirings.batching import call_in_groups

# The number of sentences in a group, for kernels that process them one by one.
GROUP_SIZE = 16

# A random walk through `n` tokens is given up after this many times `n^3` steps, which take as long
# as sampling the tree in the other way; see `kernels.sample_trees`.
WALK_LIMIT = 1


def best_tree(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """Returns the best tree of each sentence, in the type of `scores`."""
    return parts_by_kernel(_call_one_by_one, kernels.best_trees, scores, mask, single_root)


def sample_tree(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """Returns a random tree for each sentence, in the type of `scores`."""
    exact_scores = scores.detach().double().contiguous()
    root_marginals = exact_scores[:, :, 0]
    if single_root:
        inference = ArborescenceInference(single_root)
        root_marginals = inference.log_partition_and_marginals(exact_scores, mask)[1][:, :, 0]
    others = single_root, root_marginals, WALK_LIMIT, seeds(len(scores))
    trees = parts_by_kernel(_call_one_by_one, kernels.sample_trees, exact_scores, mask, *others)
    return trees.to(scores.dtype)


def log_partition(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """Returns the log-partition, in double precision, without gradient."""
    contiguous_scores = at_least_single(scores.detach()).contiguous()
    totals = scores.new_empty(len(scores), dtype=torch.double)
    tree_kernels = TreeKernels(sums.log_partition, sums.extended_log_partition)
    tree_kernels.call(totals, contiguous_scores, mask, single_root, totals)
    for members in _small_groups(totals):
        logarithmic = LogarithmicInference(single_root)
        totals[members] = logarithmic.log_partition_and_marginals(scores[members], mask[members])[0]
    return totals


class ArborescenceInference(TreeInference):
    """
    Sums over non-projective trees. It uses logarithms for sentences where the elimination meets a
    pivot of zero, because they have few arcs or no tree. `single_root` is as in `TreeInference`.
    """

    def __init__(self, single_root: bool) -> None:
        super().__init__(sums, single_root)

    def log_partition_and_marginals(
        self, scores: Tensor, mask: BoolTensor
    ) -> Tuple[Tensor, Tensor]:
        totals, marginals = super().log_partition_and_marginals(scores, mask)
        for members in _small_groups(totals):
            totals[members], marginals[members] = LogarithmicInference(
                self.single_root
            ).log_partition_and_marginals(scores[members], mask[members])
        return totals, marginals

    def marginals_jvp(self, scores: Tensor, mask: BoolTensor, direction: Tensor) -> Tensor:
        totals, result = self._sum(self._marginals_jvp, scores, mask, direction)
        for members in _small_groups(totals):
            result[members] = LogarithmicInference(self.single_root).marginals_jvp(
                scores[members], mask[members], direction[members]
            )
        return result


def _call_one_by_one(kernel: Callable, *arguments: Any) -> None:
    """Calls a kernel that processes the sentences of a group one by one."""
    call_in_groups(kernel, GROUP_SIZE, _num_sequential_steps, *arguments)


def _small_groups(totals: Tensor) -> Tuple[Tensor, ...]:
    """
    Returns the indices of the sentences with a total of NaN, in groups that do not take much
    memory.
    """
    is_missing = totals.isnan()
    return is_missing.nonzero().flatten().split(GROUP_SIZE) if is_missing.any() else ()


def _num_sequential_steps(length: int) -> int:
    """
    Returns the approximate number of elementary steps for a group of sentences, one by one, with
    about five steps per arc.
    """
    return 5 * GROUP_SIZE * length**2
