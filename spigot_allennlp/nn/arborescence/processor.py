"""
Dependency trees on the processor, whether their arcs cross or not: tensors to and from the kernels.
Arguments as in `arborescence.py`.
"""

from dataclasses import dataclass
from typing import Callable, Sequence, Tuple, Union

import numpy
import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn import closed_form_autograd
from spigot_allennlp.nn.arborescence import contraction, kernels, logarithms, walks
from spigot_allennlp.nn.devices import share
from spigot_allennlp.nn.instances import at_least_single
from spigot_allennlp.nn.randomness import seeds
from spigot_allennlp.nn.semirings.batching import (
    DOUBLE_LANES,
    MANY_STEPS,
    groups_by_length,
    sentence_lengths,
)

# How many sentences a call takes that does not do one in each lane.
GROUP = 16

# Arcs (of such calls) from which on a second thread gains more than it costs.
MANY_ARCS = 100_000

# How long a random walk may take; see `walks.py`.
PATIENCE = 1


def best_tree(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """The best tree, in the type of `scores`."""
    exact = at_least_single(scores.detach()).contiguous()
    trees = torch.zeros(exact.shape, dtype=exact.dtype)
    lengths = _lengths(mask)
    arguments = exact, mask.contiguous(), int(single_root), trees
    worth_it = (lengths**2).sum() > MANY_ARCS
    _in_groups(contraction.best_trees, lengths, GROUP, worth_it, *arguments)
    return trees.to(scores.dtype)


def draw_tree(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """One tree for each sentence, drawn at random, in the type of `scores`."""
    legal = torch.where(mask, scores.detach(), -torch.inf).double().contiguous()
    tops, trees = legal[:, :, 0], torch.zeros(legal.shape, dtype=torch.double)
    if single_root:
        tops = SumOverTrees(single_root).log_partition_and_marginals(legal, mask)[1][:, :, 0]
    arguments = legal, tops, int(single_root), PATIENCE, seeds(len(legal)), trees
    lengths = _lengths(mask)
    worth_it = (lengths**2).sum() > MANY_ARCS
    _in_groups(walks.draw_trees, lengths, GROUP, worth_it, *arguments)
    return trees.to(scores.dtype)


@dataclass(frozen=True)
class SumOverTrees(closed_form_autograd.Inference):
    """
    In linear space: the weights of arcs are their exponentiated scores, divided so that those of
    each token sum to one, which changes no probability.
    """

    single_root: bool

    def log_partition_and_marginals(
        self, scores: Tensor, mask: BoolTensor
    ) -> Tuple[Tensor, Tensor]:
        weights, taken_away = _weights(scores, mask)
        totals, lost, marginals = _results(scores)
        arguments = weights, int(self.single_root), totals, lost, marginals
        _in_lanes(kernels.expectations, mask, *arguments)
        log_totals = totals.log() + taken_away
        for some in _few_at_a_time(lost):
            found = self._with_logarithms().log_partition_and_marginals(scores[some], mask[some])
            log_totals[some], marginals[some] = found
        return log_totals, marginals

    def marginals_jvp(self, scores: Tensor, mask: BoolTensor, direction: Tensor) -> Tensor:
        weights, _ = _weights(scores, mask)
        totals, lost, derivatives = _results(scores)
        direction = direction.detach().contiguous()
        arguments = weights, direction, int(self.single_root), totals, lost, derivatives
        _in_lanes(kernels.derivatives, mask, *arguments)
        for some in _few_at_a_time(lost):
            given = scores[some], mask[some], direction[some]
            derivatives[some] = self._with_logarithms().marginals_jvp(*given)
        return derivatives

    def _with_logarithms(self) -> closed_form_autograd.Inference:
        return logarithms.SumOverTrees(self.single_root)


def _weights(scores: Tensor, mask: BoolTensor) -> Tuple[Tensor, Tensor]:
    """
    Arc weights, zero where there is no arc; and the logarithm of what they were divided by,
    `(batch_size,)`.
    """
    legal = torch.where(mask, scores.detach(), -torch.inf).double().contiguous()  # a new tensor
    best = legal.amax(dim=-1, keepdim=True)
    best = best.masked_fill(best == -torch.inf, 0)
    weights = legal.sub_(best).exp_()
    total = weights.sum(dim=-1, keepdim=True)
    total = total.masked_fill(total == 0, 1)
    return weights.div_(total), (best + total.log()).sum(dim=(1, 2))


def _results(scores: Tensor) -> Tuple[Tensor, BoolTensor, Tensor]:
    """Totals, who is lost, and something for each arc, still without content."""
    totals = torch.ones(len(scores), dtype=torch.double)
    lost = torch.zeros(len(scores), dtype=torch.bool)
    return totals, lost, torch.zeros(scores.shape, dtype=torch.double)


def _few_at_a_time(lost: BoolTensor) -> Sequence[Tensor]:
    """The indices of those who are lost, in groups that do not take much memory."""
    indices = lost.nonzero().flatten()
    return indices.split(GROUP) if len(indices) else ()


def _in_lanes(kernel: Callable, mask: BoolTensor, *arguments: Union[Tensor, int]) -> None:
    lengths = _lengths(mask)
    worth_it = (lengths**3).sum() > MANY_STEPS * DOUBLE_LANES
    _in_groups(kernel, lengths, DOUBLE_LANES, worth_it, *arguments)


def _in_groups(
    kernel: Callable,
    lengths: numpy.ndarray,
    size: int,
    worth_it: bool,
    *arguments: Union[Tensor, int],
) -> None:
    """
    Calls `kernel` with groups of up to `size` sentences, from the longest to the shortest, and with
    `arguments`; in several threads if that is `worth_it`.
    """
    arrays = [each.numpy() if isinstance(each, Tensor) else each for each in arguments]
    groups = groups_by_length(lengths, size)
    share(lambda members: kernel(members, lengths, *arrays), groups, worth_it)


def _lengths(mask: BoolTensor) -> numpy.ndarray:
    return sentence_lengths(mask.contiguous().numpy())
