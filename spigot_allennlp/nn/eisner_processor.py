"""
Projective trees on the processor: tensors to and from the kernels. Arguments as in `nn/eisner.py`.
"""

from dataclasses import dataclass
from typing import Callable, Tuple, Union

import numpy
import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn import analytic, eisner_kernels, eisner_sweep
from spigot_allennlp.nn.lanes import BYTES
from spigot_allennlp.nn.precision import at_least_single
from spigot_allennlp.nn.threads import share

# Every token's best head has weight one. Where all trees together weigh less than this, what was
# too small for a float64 may have mattered; the sweep, which adds logarithms, does not lose it.
LEAST_TOTAL = 1e-150

# Elementary steps from which on a second thread gains more than it costs.
MANY_STEPS = 500_000


def best_tree(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """The best tree, in the type of `scores`."""
    exact = at_least_single(scores.detach()).contiguous()
    trees = torch.zeros(exact.shape, dtype=exact.dtype)
    arguments = exact, mask.contiguous(), int(single_root), trees
    _in_groups(eisner_kernels.best_trees, mask, *arguments)
    return trees.to(scores.dtype)


def log_partition(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tensor:
    """The log-partition in double precision, differentiable twice."""
    return analytic.log_partition(scores.double(), mask, SumOverTrees(single_root))


@dataclass(frozen=True)
class SumOverTrees(analytic.Inference):
    """
    In linear space: the best score of each token is taken away from all scores of that token, which
    changes no probability, and the exponentials of the rest are the weights of arcs.
    """

    single_root: bool

    def expectations(self, scores: Tensor, mask: BoolTensor) -> Tuple[Tensor, Tensor]:
        weights, taken_away = _weights(scores, mask)
        totals, marginals = _zeros(len(scores)), _zeros(*scores.shape)
        arguments = weights, int(self.single_root), totals, marginals
        _in_groups(eisner_kernels.expectations, mask, *arguments)
        log_totals, lost = totals.log() + taken_away, ~(totals > LEAST_TOTAL)
        if lost.any():
            swept = eisner_sweep.expectations(scores[lost], mask[lost], self.single_root)
            log_totals[lost], marginals[lost] = swept
        return log_totals, marginals

    def derivative(self, scores: Tensor, mask: BoolTensor, direction: Tensor) -> Tensor:
        weights, _ = _weights(scores, mask)
        totals, derivatives = _zeros(len(scores)), _zeros(*scores.shape)
        direction = direction.detach().masked_fill(~mask, 0).contiguous()
        arguments = weights, direction, int(self.single_root), totals, derivatives
        _in_groups(eisner_kernels.derivatives, mask, *arguments)
        lost = ~(totals > LEAST_TOTAL)
        if lost.any():
            given = scores[lost], mask[lost], direction[lost], self.single_root
            derivatives[lost] = eisner_sweep.derivative(*given)
        return derivatives


def _weights(scores: Tensor, mask: BoolTensor) -> Tuple[Tensor, Tensor]:
    """
    Arc weights, zero where there is no arc; and the sum of what was taken away, `(batch_size,)`.
    """
    legal = scores.detach().masked_fill(~mask, -torch.inf)
    best = legal.amax(dim=-1, keepdim=True)
    best = best.masked_fill(best == -torch.inf, 0)
    return (legal - best).exp().contiguous(), best.sum(dim=(1, 2))


def _in_groups(
    kernel: Callable, mask: BoolTensor, scores: Tensor, *others: Union[Tensor, int]
) -> None:
    """
    Calls `kernel` with groups of sentences, as many as there are lanes, from the longest to the
    shortest; and with `scores`, whose type says how many lanes, and `others`.
    """
    arrays = [each.numpy() if isinstance(each, Tensor) else each for each in (scores, *others)]
    lengths = eisner_kernels.sentence_lengths(mask.contiguous().numpy())
    order, lanes = numpy.argsort(-lengths, kind="stable"), BYTES // scores.element_size()
    groups = [order[start : start + lanes] for start in range(0, len(order), lanes)]
    steps = len(groups) * lengths.max(initial=0) ** 3
    share(lambda members: kernel(members, lengths, *arrays), groups, steps > MANY_STEPS)


def _zeros(*shape: int) -> Tensor:
    return torch.zeros(shape, dtype=torch.double)
