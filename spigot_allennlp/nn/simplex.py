"""
Euclidean projections onto the box, the simplex and the capped simplex, as *projected steps*.

A projected step from `origin` along `-step` is `origin - P(origin - step)`, P being the projection:
the way that a point really moves when it is told to move by `step` and may not leave the set.
Computing `P` first and subtracting it afterwards loses every step that is small beside one (in
float32, below 1e-7); the forms below never subtract two numbers near one, so that a step of 1e-12
comes through. `P(point)` itself is the projected step from zero along `-point`, negated.
"""

import torch
from torch import BoolTensor, Tensor


def box_step(origin: Tensor, step: Tensor, mask: BoolTensor) -> Tensor:
    """
    `origin - argmin_{0 <= z <= 1} ||z - (origin - step)||`, elementwise, zero off `mask`.

    For `origin` in the box it is `clip(step, origin - 1, origin)`. All arguments have one shape.
    """
    moved = torch.minimum(torch.maximum(step, origin - 1), origin)
    return moved.masked_fill(~mask, 0)


def simplex_step(origin: Tensor, step: Tensor, mask: BoolTensor) -> Tensor:
    """
    `origin - argmin ||z - (origin - step)||` over `{z >= 0, sum z = 1}` in each row of the last
    dimension.

    The projection is `max(0, origin - step - tau)` for the one `tau` that makes it sum to one;
    hence the step is `min(origin, step + tau)`, with
    `tau = (sum origin - 1 - sum_{S} step - sum_{not S} origin) / |S|` on the support S. S is found
    by sorting ([Held et al., 1974](https://doi.org/10.1007/BF01580223)). A constant added to the
    steps of a row changes nothing; the least of them is made zero, so that large ones cost no
    precision.

    # Parameters

    origin, step : `Tensor`
        Shape `(..., size)`, any origin (a point of the simplex, or zero).
    mask : `BoolTensor`
        Shape `(..., size)`: entries outside take no part and are zero in the result; a row without
        any entry is zero.
    """
    step = _from_the_least(step, mask)
    legal_origin = origin.masked_fill(~mask, 0)
    excess = legal_origin.sum(dim=-1, keepdim=True) - 1
    point = (origin - step).masked_fill(~mask, -torch.inf)
    order = point.argsort(dim=-1, descending=True)
    # (..., size): entries from the best to the worst
    sorted_point = point.gather(-1, order)
    sorted_mask = mask.gather(-1, order)
    sorted_step = step.gather(-1, order).masked_fill(~sorted_mask, 0)
    sorted_origin = legal_origin.gather(-1, order)
    rank = torch.arange(1, point.size(-1) + 1, device=point.device, dtype=point.dtype)
    outside = _sum_of_the_rest(sorted_origin)
    # (..., size): tau, were the support the first 1, 2, ... entries
    taus = (excess - sorted_step.cumsum(dim=-1) - outside) / rank
    # an entry belongs to the support while it lies above the tau that it would give
    support = (sorted_mask & (sorted_point > taus)).sum(dim=-1, keepdim=True)
    tau = taus.gather(-1, (support - 1).clamp(min=0))
    return torch.minimum(origin, step + tau).masked_fill(~mask, 0)


def capped_simplex_step(origin: Tensor, step: Tensor, mask: BoolTensor) -> Tensor:
    """
    `origin - argmin ||z - (origin - step)||` over `{z >= 0, sum z <= 1}` in each row of the last
    dimension.

    If clipping at zero alone leaves a sum of at most one, that is the projection; otherwise the
    bound holds with equality and the projection is that onto the simplex. Shapes as in
    `simplex_step`.
    """
    clipped = torch.minimum(origin, step).masked_fill(~mask, 0)
    excess = origin.masked_fill(~mask, 0).sum(dim=-1, keepdim=True) - 1
    over = (clipped.sum(dim=-1, keepdim=True) < excess).squeeze(-1)
    if not over.any():
        return clipped
    result = clipped.clone()
    result[over] = simplex_step(origin[over], step[over], mask[over])
    return result


def _from_the_least(step: Tensor, mask: BoolTensor) -> Tensor:
    """`step` minus the least legal step of its row; unchanged in rows without any."""
    least = step.masked_fill(~mask, torch.inf).amin(dim=-1, keepdim=True)
    return step - least.masked_fill(~mask.any(dim=-1, keepdim=True), 0)


def _sum_of_the_rest(values: Tensor) -> Tensor:
    """
    For each position of the last dimension the sum of what comes after it, added up from the end.
    """
    from_here = values.flip(-1).cumsum(dim=-1).flip(-1)
    return torch.nn.functional.pad(from_here[..., 1:], (0, 1))
