"""
The elimination of `elimination.py` in vectorised torch, with the logarithms of all
numbers: all tokens but one are taken out of a walk, for each of them, in branches.

One half of the tokens is taken out for the sake of the other; where their number is odd, the one in
the middle belongs to both. A step takes one token out of every branch, so there are as many steps
as tokens, and as many on the way back.
"""

from typing import List, NamedTuple, Tuple

import torch
from torch import Tensor

from spigot_allennlp.nn.recurrence import IMPOSSIBLE


class Walk(NamedTuple):
    """
    Copies of a walk, `branches` of them for each sentence, among the tokens that are left.

    # Parameters

    arcs : `Tensor`
        Shape `(batch_size, branches, size, size)`: the weights from dependents to heads; what
        stands on the diagonal does not matter.
    root : `Tensor`
        Shape `(batch_size, branches, size)`: the weights from dependents to the root.
    free : `BoolTensor`
        Shape `(batch_size, branches)`: whether the root may have any number of dependents. If one
        alone, `root` counts in an infinitely small unit, until a token is taken out that leads to
        none that is left: that token is then the one, and what leads to it leads to the root.
    product : `Tensor`
        Shape `(batch_size, branches)`: of the pivots up to now.
    """

    arcs: Tensor
    root: Tensor
    free: Tensor
    product: Tensor


class Step(NamedTuple):
    """
    Where a token led that was taken out: `arcs`, `(batch_size, branches, size)`, and `root`,
    `(batch_size, branches)`, in an infinitely small unit where it is `tiny`.
    """

    arcs: Tensor
    root: Tensor
    tiny: Tensor


class Ends(NamedTuple):
    """
    Walks of which one token is left, a different one in each of the `ends` of every branch.

    # Parameters

    total : `Tensor`
        Shape `(batch_size, branches, ends)`: the product of all pivots.
    free : `BoolTensor`
        Of the same shape, as in `Walk`.
    escapes : `Tensor`
        Shape `(batch_size, branches, ends, size)`: how probably the walk from each token of the
        branch reaches the root before the one that is left.
    """

    total: Tensor
    free: Tensor
    escapes: Tensor


def all_but_one(walk: Walk) -> Ends:
    """Takes out all tokens but one, for each of them; see `places_of_ends` for their order."""
    size = walk.root.size(-1)
    if size == 1:
        total = walk.product.unsqueeze(-1) + walk.root
        return Ends(total, walk.free.unsqueeze(-1), torch.full_like(walk.arcs, IMPOSSIBLE))
    halves, steps = _both_halves(walk), []
    for _ in range(size // 2):
        halves, step = _take_out_last(halves)
        steps.append(step)
    ends = all_but_one(halves)
    escapes = ends.escapes
    for step in reversed(steps):
        escapes = torch.cat([escapes, _escape(step, escapes, ends.free)], dim=-1)
    ahead, back = escapes.unflatten(1, (-1, 2)).unbind(dim=2)
    return Ends(
        ends.total.unflatten(1, (-1, 2)).flatten(2, 3),
        ends.free.unflatten(1, (-1, 2)).flatten(2, 3),
        torch.cat([ahead, back.flip(-1)], dim=2),
    )


def places_of_ends(size: int) -> List[int]:
    """Which token is left at each end of a branch of `size` tokens; a token may be left twice."""
    if size == 1:
        return [0]
    ahead = places_of_ends(size - size // 2)
    return ahead + [size - 1 - place for place in ahead]


def _both_halves(walk: Walk) -> Walk:
    """Each branch twice: with its tokens in order, and in reverse."""
    # their derivatives mean nothing, and shall not grow from step to step
    arcs = walk.arcs.masked_fill(walk.arcs < IMPOSSIBLE / 2, IMPOSSIBLE)
    root = walk.root.masked_fill(walk.root < IMPOSSIBLE / 2, IMPOSSIBLE)
    return Walk(
        torch.stack([arcs, arcs.flip(-1, -2)], dim=2).flatten(1, 2),
        torch.stack([root, root.flip(-1)], dim=2).flatten(1, 2),
        walk.free.repeat_interleave(2, dim=1),
        walk.product.repeat_interleave(2, dim=1),
    )


def _take_out_last(walk: Walk) -> Tuple[Walk, Step]:
    """The walk without its last token."""
    arcs, root, last = walk.arcs[..., -1, :-1], walk.root[..., -1], walk.root.size(-1) - 1
    inner = arcs.logsumexp(dim=-1)
    is_top = ~walk.free & (inner < IMPOSSIBLE / 2)
    pivot = torch.where(walk.free, torch.logaddexp(inner, root), inner)
    pivot = torch.where(is_top, root, pivot)
    divisor = pivot.masked_fill(pivot < IMPOSSIBLE / 2, 0)
    step = Step(arcs - divisor.unsqueeze(-1), root - divisor, ~(walk.free | is_top))
    # (batch_size, branches, dependent, 1): what led to the token
    entering = walk.arcs[..., :last, last:]
    others = walk.root[..., :last].masked_fill(is_top.unsqueeze(-1), IMPOSSIBLE)
    left = Walk(
        torch.logaddexp(walk.arcs[..., :last, :last], entering + step.arcs.unsqueeze(-2)),
        torch.logaddexp(others, entering.squeeze(-1) + step.root.unsqueeze(-1)),
        walk.free | is_top,
        walk.product + pivot,
    )
    return left, step


def _escape(step: Step, escapes: Tensor, free: Tensor) -> Tensor:
    """
    The escapes from a token that was taken out, `(batch_size, branches, ends, 1)`, given those from
    the tokens that were left.
    """
    is_nothing = step.tiny.unsqueeze(-1) & free
    # (batch_size, branches, ends)
    at_once = step.root.unsqueeze(-1).masked_fill(is_nothing, IMPOSSIBLE)
    later = (step.arcs.unsqueeze(-2) + escapes).logsumexp(dim=-1)
    return torch.logaddexp(at_once, later).unsqueeze(-1)
