"""
Sums over dependency trees, with or without crossing arcs, in vectorised torch with the logarithms
of all numbers: for devices without kernels, and for sentences where the kernels meet a pivot of
zero.

The elimination is that of `sums.py`: for each token, all others are eliminated from a walk, in
branches. Each half of the tokens is eliminated for the other half; if their number is odd, the
middle token belongs to both. A step eliminates one token from every branch, so there are as many
steps as tokens, and as many on the way back.
"""

from dataclasses import dataclass
from typing import List, NamedTuple, Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn import closed_form_autograd
from spigot_allennlp.nn.arcs import lengths_from_arc_mask
from spigot_allennlp.nn.recurrence import IMPOSSIBLE


class Walks(NamedTuple):
    """
    Copies of a walk among the remaining tokens, `branches` for each sentence.

    # Parameters

    arcs : `Tensor`
        Shape `(batch_size, branches, size, size)`: the log-weights from dependents to heads. The
        diagonal is ignored.
    root : `Tensor`
        Shape `(batch_size, branches, size)`: the log-weights from dependents to the root.
    multi_root : `BoolTensor`
        Shape `(batch_size, branches)`: whether the root may have any number of dependents. If it
        must have exactly one, `root` counts in an infinitely small unit, until a token is
        eliminated that leads to no remaining token: then that is the one dependent, and arcs to it
        lead to the root.
    product : `Tensor`
        Shape `(batch_size, branches)`: the logarithm of the product of the pivots so far.
    """

    arcs: Tensor
    root: Tensor
    multi_root: Tensor
    product: Tensor


class Transitions(NamedTuple):
    """
    The probabilities of a step from an eliminated token, as logarithms.

    # Parameters

    arcs : `Tensor`
        Shape `(batch_size, branches, size)`: to each remaining token.
    root : `Tensor`
        Shape `(batch_size, branches)`: to the root.
    is_infinitesimal : `BoolTensor`
        Shape `(batch_size, branches)`: whether `root` counts in an infinitely small unit.
    """

    arcs: Tensor
    root: Tensor
    is_infinitesimal: Tensor


class Ends(NamedTuple):
    """
    Walks with one remaining token, a different one for each of the `ends` of every branch.

    # Parameters

    total : `Tensor`
        Shape `(batch_size, branches, ends)`: the logarithm of the product of all pivots.
    multi_root : `BoolTensor`
        Of the same shape, as in `Walks`.
    absorption : `Tensor`
        Shape `(batch_size, branches, ends, size)`: the probability, as a logarithm, that the walk
        from each token of the branch reaches the root before the remaining token.
    """

    total: Tensor
    multi_root: Tensor
    absorption: Tensor


@dataclass(frozen=True)
class LogarithmicInference(closed_form_autograd.Inference):
    """
    Sums over non-projective trees, on any device. The log-partition is in double precision, the
    marginals in the type of the scores; both are computed in double precision.
    """

    single_root: bool

    def log_partition_and_marginals(
        self, scores: Tensor, mask: BoolTensor
    ) -> Tuple[Tensor, Tensor]:
        exact_scores = scores.detach().double().contiguous()
        total, marginals = _log_partition_and_marginals(exact_scores, mask, self.single_root)
        return total, marginals.to(scores.dtype)

    def marginals_jvp(self, scores: Tensor, mask: BoolTensor, direction: Tensor) -> Tensor:
        def marginals(point: Tensor) -> Tensor:
            return _log_partition_and_marginals(point, mask, self.single_root)[1]

        tangent = direction.detach().double().masked_fill(~mask, 0)
        result = torch.func.jvp(marginals, (scores.detach().double(),), (tangent,))[1]
        return result.to(scores.dtype)


def _log_partition_and_marginals(
    scores: Tensor, mask: BoolTensor, single_root: bool
) -> Tuple[Tensor, Tensor]:
    """Returns both as defined by `Inference`, differentiable in `scores`, in double precision."""
    if scores.size(1) < 2:
        return scores.new_zeros(len(scores)), torch.zeros_like(scores)
    weights, log_divisor = _log_weights(scores, mask)
    # (batch_size, 1, dependent, head), without the root
    arcs, root = weights[:, None, :, 1:], weights[:, None, :, 0]
    multi_root = torch.full_like(root[..., 0], not single_root, dtype=torch.bool)
    ends = eliminate_all_but_one(Walks(arcs, root, multi_root, torch.zeros_like(root[..., 0])))
    tokens = tokens_at_ends(scores.size(1) - 1)
    order = [tokens.index(token) for token in range(scores.size(1) - 1)]
    absorption, multi_root = ends.absorption[:, 0, order], ends.multi_root[:, 0, order]
    # an infinitely small weight is negligible beside others
    to_root = weights[..., 0].masked_fill(multi_root & single_root, IMPOSSIBLE)
    heads = torch.cat([to_root.unsqueeze(-1), weights[..., 1:] + absorption], dim=-1)
    total = ends.total[:, 0, order[0]]
    is_possible = total > IMPOSSIBLE / 2
    marginals = torch.nn.functional.pad(heads.softmax(dim=-1), (0, 0, 1, 0))
    marginals = marginals.masked_fill(~mask | ~is_possible[:, None, None], 0)
    return (total + log_divisor).masked_fill(~is_possible, -torch.inf), marginals


def _log_weights(scores: Tensor, mask: BoolTensor) -> Tuple[Tensor, Tensor]:
    """
    Returns the logarithms of arc weights that sum to one for each token,
    `(batch_size, dependent, head)` without a row for the root, and the logarithm of the divisor of
    all trees, `(batch_size,)`. Padding has one possible head, the position before it.
    """
    lengths = lengths_from_arc_mask(mask).unsqueeze(1)
    positions = torch.arange(scores.size(1), device=mask.device)
    is_head = (positions <= lengths).unsqueeze(1)
    legal = scores.masked_fill(~(mask & is_head) | (scores == -torch.inf), IMPOSSIBLE)[:, 1:]
    total = legal.logsumexp(dim=-1)
    total = total.masked_fill(total < IMPOSSIBLE / 2, 0)
    position_before = torch.full_like(legal, IMPOSSIBLE)
    position_before.diagonal(dim1=1, dim2=2).zero_()
    is_padding = positions[1:] > lengths
    weights = torch.where(is_padding.unsqueeze(-1), position_before, legal - total.unsqueeze(-1))
    return weights, total.masked_fill(is_padding, 0).sum(dim=-1)


def eliminate_all_but_one(walks: Walks) -> Ends:
    """Eliminates, for each token, all others, in the order of `tokens_at_ends`."""
    size = walks.root.size(-1)
    if size == 1:
        total = walks.product.unsqueeze(-1) + walks.root
        nowhere = torch.full_like(walks.arcs, IMPOSSIBLE)
        return Ends(total, walks.multi_root.unsqueeze(-1), nowhere)
    halves, steps = _with_reversed(walks), []
    for _ in range(size // 2):
        halves, transitions = _eliminate_last(halves)
        steps.append(transitions)
    ends = eliminate_all_but_one(halves)
    absorption = ends.absorption
    for transitions in reversed(steps):
        last = _absorption_of_last(transitions, absorption, ends.multi_root)
        absorption = torch.cat([absorption, last], dim=-1)
    in_order, in_reverse = absorption.unflatten(1, (-1, 2)).unbind(dim=2)
    return Ends(
        ends.total.unflatten(1, (-1, 2)).flatten(2, 3),
        ends.multi_root.unflatten(1, (-1, 2)).flatten(2, 3),
        torch.cat([in_order, in_reverse.flip(-1)], dim=2),
    )


def tokens_at_ends(size: int) -> List[int]:
    """
    Returns the token that remains at each end of a branch of `size` tokens. A token may remain at
    two ends.
    """
    if size == 1:
        return [0]
    in_order = tokens_at_ends(size - size // 2)
    return in_order + [size - 1 - token for token in in_order]


def _with_reversed(walks: Walks) -> Walks:
    """Returns each branch twice: with its tokens in order, and reversed."""
    # derivatives of impossible weights are meaningless, and must not grow from step to step
    arcs = walks.arcs.masked_fill(walks.arcs < IMPOSSIBLE / 2, IMPOSSIBLE)
    root = walks.root.masked_fill(walks.root < IMPOSSIBLE / 2, IMPOSSIBLE)
    return Walks(
        torch.stack([arcs, arcs.flip(-1, -2)], dim=2).flatten(1, 2),
        torch.stack([root, root.flip(-1)], dim=2).flatten(1, 2),
        walks.multi_root.repeat_interleave(2, dim=1),
        walks.product.repeat_interleave(2, dim=1),
    )


def _eliminate_last(walks: Walks) -> Tuple[Walks, Transitions]:
    """Returns the walks without their last token, and the steps from that token."""
    arcs, root, last = walks.arcs[..., -1, :-1], walks.root[..., -1], walks.root.size(-1) - 1
    to_tokens = arcs.logsumexp(dim=-1)
    is_root_dependent = ~walks.multi_root & (to_tokens < IMPOSSIBLE / 2)
    pivot = torch.where(walks.multi_root, torch.logaddexp(to_tokens, root), to_tokens)
    pivot = torch.where(is_root_dependent, root, pivot)
    divisor = pivot.masked_fill(pivot < IMPOSSIBLE / 2, 0)
    multi_root = walks.multi_root | is_root_dependent
    transitions = Transitions(arcs - divisor.unsqueeze(-1), root - divisor, ~multi_root)
    # (batch_size, branches, dependent, 1): what led to the token
    entering = walks.arcs[..., :last, last:]
    to_root = walks.root[..., :last].masked_fill(is_root_dependent.unsqueeze(-1), IMPOSSIBLE)
    left = Walks(
        torch.logaddexp(walks.arcs[..., :last, :last], entering + transitions.arcs.unsqueeze(-2)),
        torch.logaddexp(to_root, entering.squeeze(-1) + transitions.root.unsqueeze(-1)),
        multi_root,
        walks.product + pivot,
    )
    return left, transitions


def _absorption_of_last(transitions: Transitions, absorption: Tensor, multi_root: Tensor) -> Tensor:
    """
    Returns the absorption probabilities of an eliminated token, `(batch_size, branches, ends, 1)`,
    from those of the remaining tokens.
    """
    is_zero = transitions.is_infinitesimal.unsqueeze(-1) & multi_root
    # (batch_size, branches, ends)
    at_once = transitions.root.unsqueeze(-1).masked_fill(is_zero, IMPOSSIBLE)
    later = (transitions.arcs.unsqueeze(-2) + absorption).logsumexp(dim=-1)
    return torch.logaddexp(at_once, later).unsqueeze(-1)
