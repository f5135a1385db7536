"""
Projected steps on the simplex and the capped simplex by sorting each row, in vectorised torch.
Arguments as in `simplex.py`.
"""

import torch
from torch import BoolTensor, Tensor

# The number of rounding units by which the sum of an origin in the simplex may differ from one.
ROUNDING = 4


def projected_step(origin: Tensor, step: Tensor, mask: BoolTensor, is_capped: bool) -> Tensor:
    """Returns the projected step onto the simplex; if `is_capped`, onto the capped simplex."""
    legal_origin = origin.masked_fill(~mask, 0)
    excess = legal_origin.sum(dim=-1, keepdim=True) - 1
    excess = excess.masked_fill(excess.abs() <= ROUNDING * torch.finfo(excess.dtype).eps, 0)
    fixed = _subtract_least(step, mask)
    moved = torch.minimum(origin, fixed + _threshold(legal_origin, fixed, mask, excess))
    if is_capped:
        clipped = torch.minimum(origin, step)
        exceeds_cap = clipped.masked_fill(~mask, 0).sum(dim=-1, keepdim=True) < excess
        moved = torch.where(exceeds_cap, moved, clipped)
    return moved.masked_fill(~mask, 0)


def sequential_step(origin: Tensor, step: Tensor, mask: BoolTensor) -> Tensor:
    """Returns the result of `sequential_step` in `simplex.py`."""
    origin, legal_step = origin.masked_fill(~mask, 0), step.masked_fill(~mask, torch.inf)
    total = origin.sum(dim=-1, keepdim=True)
    weighted = (origin * legal_step.masked_fill(origin == 0, 0)).sum(dim=-1, keepdim=True)
    least = legal_step.amin(dim=-1, keepdim=True)
    of_sum = torch.where(total > 0, weighted / total.where(total > 0, 1), least)
    lost = torch.minimum(torch.maximum(of_sum, (total - 1).clamp(max=0)), total)
    fixed = _subtract_least(step, mask)
    moved = torch.minimum(origin, fixed + _threshold(origin, fixed, mask, lost))
    return moved.masked_fill(~mask, 0)


def _threshold(origin: Tensor, step: Tensor, mask: BoolTensor, excess: Tensor) -> Tensor:
    """Returns the tau of `simplex_step` for each row, shape `(..., 1)`."""
    point = (origin - step).masked_fill(~mask, -torch.inf)
    order = point.argsort(dim=-1, descending=True)
    # (..., size): entries from the best to the worst
    sorted_point = point.gather(-1, order)
    sorted_mask = mask.gather(-1, order)
    sorted_step = step.gather(-1, order).masked_fill(~sorted_mask, 0)
    sorted_origin = origin.gather(-1, order)
    rank = torch.arange(1, point.size(-1) + 1, device=point.device, dtype=point.dtype)
    outside = _sum_of_later(sorted_origin)
    # (..., size): tau, if the support were the first 1, 2, ... entries
    taus = (excess - sorted_step.cumsum(dim=-1) - outside) / rank
    # an entry belongs to the support if it is above the tau that it would give
    support = (sorted_mask & (sorted_point > taus)).sum(dim=-1, keepdim=True)
    tau = taus.gather(-1, (support - 1).clamp(min=0))
    # if all steps are plus infinity, no tau brings anything back
    return tau.masked_fill(tau == -torch.inf, 0)


def _subtract_least(step: Tensor, mask: BoolTensor) -> Tensor:
    """Subtracts the smallest legal step of each row. Rows without a finite one are unchanged."""
    least = step.masked_fill(~mask, torch.inf).amin(dim=-1, keepdim=True)
    return step - least.masked_fill(least == torch.inf, 0)


def _sum_of_later(values: Tensor) -> Tensor:
    """
    Returns, for each position of the last dimension, the sum of the values after it, added from the
    end.
    """
    from_here = values.flip(-1).cumsum(dim=-1).flip(-1)
    return torch.nn.functional.pad(from_here[..., 1:], (0, 1))
