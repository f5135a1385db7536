"""
Sums over all dependency trees, whether their arcs cross or not, in vectorised torch: for devices
without kernels, and for what is too small for a number that is no logarithm.
"""

from dataclasses import dataclass
from typing import Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn import closed_form_autograd
from spigot_allennlp.nn.arborescence.branches import Walk, all_but_one, places_of_ends
from spigot_allennlp.nn.arcs import lengths_from_arc_mask
from spigot_allennlp.nn.recurrence import IMPOSSIBLE


@dataclass(frozen=True)
class SumOverTrees(closed_form_autograd.Inference):
    """In double precision, on any device."""

    single_root: bool

    def log_partition_and_marginals(
        self, scores: Tensor, mask: BoolTensor
    ) -> Tuple[Tensor, Tensor]:
        return _expectations(scores.detach().double().contiguous(), mask, self.single_root)

    def marginals_jvp(self, scores: Tensor, mask: BoolTensor, direction: Tensor) -> Tensor:
        def marginals(point: Tensor) -> Tensor:
            return _expectations(point, mask, self.single_root)[1]

        along = direction.detach().double().masked_fill(~mask, 0)
        return torch.func.jvp(marginals, (scores.detach().double(),), (along,))[1]


def _expectations(scores: Tensor, mask: BoolTensor, single_root: bool) -> Tuple[Tensor, Tensor]:
    """The log-partition and the marginals."""
    if scores.size(1) < 2:
        return scores.new_zeros(len(scores)), torch.zeros_like(scores)
    weights, taken_away = _log_weights(scores, mask)
    # (batch_size, 1, dependent, head), the root not counted
    arcs, root = weights[:, None, :, 1:], weights[:, None, :, 0]
    free = torch.full_like(root[..., 0], not single_root, dtype=torch.bool)
    ends = all_but_one(Walk(arcs, root, free, torch.zeros_like(root[..., 0])))
    places = places_of_ends(scores.size(1) - 1)
    order = [places.index(token) for token in range(scores.size(1) - 1)]
    escapes, free = ends.escapes[:, 0, order], ends.free[:, 0, order]
    # an infinitely small weight counts for nothing beside others
    to_root = weights[..., 0].masked_fill(free & single_root, IMPOSSIBLE)
    heads = torch.cat([to_root.unsqueeze(-1), weights[..., 1:] + escapes], dim=-1).softmax(dim=-1)
    total = ends.total[:, 0, order[0]]
    possible = total > IMPOSSIBLE / 2
    marginals = torch.nn.functional.pad(heads, (0, 0, 1, 0))
    marginals = marginals.masked_fill(~mask | ~possible[:, None, None], 0)
    return (total + taken_away).masked_fill(~possible, -torch.inf), marginals


def _log_weights(scores: Tensor, mask: BoolTensor) -> Tuple[Tensor, Tensor]:
    """
    The logarithms of arc weights that sum to one for each token, `(batch_size, dependent, head)`
    without a row for the root; and the sum of what was taken away, `(batch_size,)`. Padding hangs
    on what is before it.
    """
    lengths = lengths_from_arc_mask(mask).unsqueeze(1)
    positions = torch.arange(scores.size(1), device=mask.device)
    is_head = (positions <= lengths).unsqueeze(1)
    legal = scores.masked_fill(~(mask & is_head) | (scores == -torch.inf), IMPOSSIBLE)[:, 1:]
    total = legal.logsumexp(dim=-1)
    total = total.masked_fill(total < IMPOSSIBLE / 2, 0)
    before = torch.full_like(legal, IMPOSSIBLE)
    before.diagonal(dim1=1, dim2=2).zero_()
    is_padding = positions[1:] > lengths
    weights = torch.where(is_padding.unsqueeze(-1), before, legal - total.unsqueeze(-1))
    return weights, total.masked_fill(is_padding, 0).sum(dim=-1)
