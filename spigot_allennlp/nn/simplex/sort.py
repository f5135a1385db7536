"""
Projected steps on the simplex and the capped simplex by sorting each row, in vectorised torch.
Arguments as in `simplex.py`.
"""

import torch
from torch import BoolTensor, Tensor

# An origin of the simplex may miss a sum of one by as many units of rounding.
ROUNDING = 4


def step(origin: Tensor, step: Tensor, mask: BoolTensor, capped: bool) -> Tensor:
    """The projected step onto the simplex; if `capped`, onto the capped one."""
    legal_origin = origin.masked_fill(~mask, 0)
    excess = legal_origin.sum(dim=-1, keepdim=True) - 1
    excess = excess.masked_fill(excess.abs() <= ROUNDING * torch.finfo(excess.dtype).eps, 0)
    fixed = _from_the_least(step, mask)
    moved = torch.minimum(origin, fixed + _threshold(legal_origin, fixed, mask, excess))
    if capped:
        clipped = torch.minimum(origin, step)
        over = clipped.masked_fill(~mask, 0).sum(dim=-1, keepdim=True) < excess
        moved = torch.where(over, moved, clipped)
    return moved.masked_fill(~mask, 0)


def _threshold(origin: Tensor, step: Tensor, mask: BoolTensor, excess: Tensor) -> Tensor:
    """The tau of `simplex_step`, one for each row, of shape `(..., 1)`."""
    point = (origin - step).masked_fill(~mask, -torch.inf)
    order = point.argsort(dim=-1, descending=True)
    # (..., size): entries from the best to the worst
    sorted_point = point.gather(-1, order)
    sorted_mask = mask.gather(-1, order)
    sorted_step = step.gather(-1, order).masked_fill(~sorted_mask, 0)
    sorted_origin = origin.gather(-1, order)
    rank = torch.arange(1, point.size(-1) + 1, device=point.device, dtype=point.dtype)
    outside = _sum_of_the_rest(sorted_origin)
    # (..., size): tau, were the support the first 1, 2, ... entries
    taus = (excess - sorted_step.cumsum(dim=-1) - outside) / rank
    # an entry belongs to the support while it lies above the tau that it would give
    support = (sorted_mask & (sorted_point > taus)).sum(dim=-1, keepdim=True)
    tau = taus.gather(-1, (support - 1).clamp(min=0))
    # where all steps lead away for good, no tau brings anything back
    return tau.masked_fill(tau == -torch.inf, 0)


def _from_the_least(step: Tensor, mask: BoolTensor) -> Tensor:
    """`step` minus the least legal step of its row; unchanged in rows without any finite one."""
    least = step.masked_fill(~mask, torch.inf).amin(dim=-1, keepdim=True)
    return step - least.masked_fill(least == torch.inf, 0)


def _sum_of_the_rest(values: Tensor) -> Tensor:
    """
    For each position of the last dimension the sum of what comes after it, added up from the end.
    """
    from_here = values.flip(-1).cumsum(dim=-1).flip(-1)
    return torch.nn.functional.pad(from_here[..., 1:], (0, 1))
