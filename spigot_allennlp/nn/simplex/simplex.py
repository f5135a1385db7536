"""
Euclidean projections onto the box, the simplex and the capped simplex, as *projected steps*.

A projected step from `origin` along `-step` is `origin - P(origin - step)`, where P is the
projection: the actual movement of a point that has to stay in the set. Computing `P` first and
subtracting it afterwards loses every step that is small compared with one (in float32, below 1e-7).
The forms below never subtract two numbers near one, so a step of 1e-12 is not lost. `P(point)`
itself is the projected step from zero along `-point`, negated.

The functions named `..._jvp` multiply the Jacobian of a projection with a direction. A projection
is linear on every face: when a point moves parallel to the face, its projection moves with it; when
it moves at right angles, the projection stays. `point` is the projection itself, and `direction` is
the movement of the projected point. Entries off a mask are zero in `point`, and in the result. The
Jacobians are symmetric, so these functions are also the backward passes. On the edge between two
faces, where there is no derivative, that of the smaller face is used.

Arguments are never modified, and nothing is differentiable. For tensors on the CPU, a compiled
kernel searches the rows; on other devices, torch sorts them, with the same results.
"""

from typing import NamedTuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.devices import has_kernels
from spigot_allennlp.nn.instances import at_least_single
from spigot_allennlp.nn.simplex import torch_fallback
from spigot_allennlp.nn.tensor_checks import ROWS, check_pair, check_scores


def box_step(origin: Tensor, step: Tensor, mask: BoolTensor) -> Tensor:
    """
    Returns `origin - argmin_{0 <= z <= 1} ||z - (origin - step)||`, elementwise, zero off `mask`.

    For `origin` in the box it is `clip(step, origin - 1, origin)`. Arguments of other shapes are
    broadcast.
    """
    origin, step, mask = _in_one_shape(origin, step, mask)
    if origin.dtype is step.dtype is torch.float32:  # the usual case: nothing to convert
        return torch.minimum(torch.maximum(step, origin - 1), origin).masked_fill(~mask, 0)
    dtype = torch.promote_types(origin.dtype, step.dtype)
    exact_origin, exact_step = at_least_single(origin), at_least_single(step)
    moved = torch.minimum(torch.maximum(exact_step, exact_origin - 1), exact_origin)
    return moved.masked_fill(~mask, 0).to(dtype)


def simplex_step(origin: Tensor, step: Tensor, mask: BoolTensor) -> Tensor:
    """
    Returns `origin - argmin ||z - (origin - step)||` over `{z >= 0, sum z = 1}` in each row of the
    last dimension.

    The projection is `max(0, origin - step - tau)` with the unique `tau` that makes it sum to one.
    Hence the step is `min(origin, step + tau)`, with
    `tau = (sum origin - 1 - sum_{S} step - sum_{not S} origin) / |S|` on the support S ([Held et
    al., 1974](https://doi.org/10.1007/BF01580223)). Adding a constant to the steps of a row changes
    nothing, so the smallest is subtracted, and large steps cost no precision. If the sum of an
    origin differs from one only by rounding, the origin does not move for that reason.

    # Parameters

    origin, step : `Tensor`
        Shape `(..., size)`, any origin (a point of the simplex, or zero).
    mask : `BoolTensor`
        Shape `(..., size)`. Entries outside are ignored, and zero in the result; a row without
        entries is zero. Arguments of other shapes are broadcast.

    # Raises

    `TypeError`, `ValueError`
        If this is not possible; see `nn/tensor_checks.py`.
    """
    origin, step, mask = _in_one_shape(origin, step, mask)
    return _projected_step(origin, step, mask, is_capped=False)


def project_onto_simplex(point: Tensor, mask: BoolTensor) -> Tensor:
    """
    Returns `argmin ||z - point||` over `{z >= 0, sum z = 1}` in each row of the last dimension:
    `simplex_step` from zero along `-point`, negated, but cheaper. Both arguments have the same
    shape, `(..., size)`; legal entries are less than infinity. Entries outside the mask are zero in
    the result, and so are rows without a finite legal entry.
    """
    check_scores(ROWS, point, mask, "point")
    if point.numel() == 0 or not has_kernels(point.device):
        return -_projected_step(torch.zeros_like(point), -point, mask, is_capped=False)
    from spigot_allennlp.nn.simplex import cpu

    return cpu.project(at_least_single(point.detach()), mask).to(point.dtype)


def capped_simplex_step(origin: Tensor, step: Tensor, mask: BoolTensor) -> Tensor:
    """
    Returns `origin - argmin ||z - (origin - step)||` over `{z >= 0, sum z <= 1}` in each row of the
    last dimension.

    If clipping at zero gives a sum of at most one, that is the projection. Otherwise the bound
    holds with equality, and the projection is that onto the simplex. Shapes as in `simplex_step`.
    """
    origin, step, mask = _in_one_shape(origin, step, mask)
    return _projected_step(origin, step, mask, is_capped=True)


def sequential_step(origin: Tensor, step: Tensor, mask: BoolTensor) -> Tensor:
    """
    Returns `origin - P(origin - step)`. P maps to `{z >= 0, sum z <= 1}` in each row of the last
    dimension, not to the nearest point, but sequentially: first the sum is clipped to `[0, 1]`,
    then the entries are projected onto those with that sum.

    The step of the sum is that of its entries, each weighted by its share of the sum; if all are
    zero, it is the smallest step, that of the entry that would enter first. Arguments as in
    `simplex_step`, but of equal shape, and with origins in the set.
    """
    check_pair(("origin", "step"), ROWS, origin, step, mask)
    dtype = torch.promote_types(origin.dtype, step.dtype)
    if origin.numel() == 0:
        return torch.zeros_like(origin, dtype=dtype)
    exact = at_least_single(origin.detach()), at_least_single(step.detach())
    return torch_fallback.sequential_step(*exact, mask).to(dtype)


def box_jvp(point: Tensor, direction: Tensor) -> Tensor:
    """
    Returns the Jacobian of the projection onto `0 <= z <= 1` times `direction`, elementwise: only
    entries inside move.
    """
    check_pair(("point", "direction"), ROWS, point, direction)
    return direction.masked_fill((point <= 0) | (point >= 1), 0)


def simplex_jvp(point: Tensor, direction: Tensor) -> Tensor:
    """
    Returns the Jacobian of the projection onto `{z >= 0, sum z = 1}` times `direction`, in each row
    of the last dimension: on the support, `direction` without its mean there
    ([Martins & Astudillo, 2016](https://arxiv.org/abs/1602.02068), equation 11).
    """
    check_pair(("point", "direction"), ROWS, point, direction)
    support = point > 0
    moved = direction.masked_fill(~support, 0)
    mean = moved.sum(dim=-1, keepdim=True) / support.sum(dim=-1, keepdim=True).clamp(min=1)
    return (moved - mean).masked_fill(~support, 0)


def capped_simplex_jvp(point: Tensor, direction: Tensor) -> Tensor:
    """
    Returns the Jacobian of the projection onto `{z >= 0, sum z <= 1}` times `direction`, in each
    row of the last dimension: as for the simplex if the bound is reached, up to rounding, otherwise
    `direction` on the support.
    """
    check_pair(("point", "direction"), ROWS, point, direction)
    rounding = point.size(-1) * torch.finfo(point.dtype).eps
    is_reached = point.sum(dim=-1, keepdim=True) >= 1 - rounding
    unbound = direction.masked_fill(point <= 0, 0)
    return torch.where(is_reached, simplex_jvp(point, direction), unbound)


class _Step(NamedTuple):
    """The arguments of a projected step, all of the same shape."""

    origin: Tensor
    step: Tensor
    mask: BoolTensor


def _in_one_shape(origin: Tensor, step: Tensor, mask: BoolTensor) -> _Step:
    """
    Returns the arguments, broadcast to one shape.

    # Raises

    `TypeError`, `ValueError`
        If this is not possible; see `nn/tensor_checks.py`.
    """
    try:
        if not origin.shape == step.shape == mask.shape:
            origin, step, mask = torch.broadcast_tensors(origin, step, mask)
    except (AttributeError, RuntimeError, TypeError):
        pass  # the check raises the error
    check_pair(("origin", "step"), ROWS, origin, step, mask)
    return _Step(origin, step, mask)


def _projected_step(origin: Tensor, step: Tensor, mask: BoolTensor, is_capped: bool) -> Tensor:
    """Returns the projected step, with kernels or torch, computed in at least single precision."""
    dtype = torch.promote_types(origin.dtype, step.dtype)
    inside = torch.promote_types(dtype, torch.float32)
    tensors = origin.detach().to(inside), step.detach().to(inside), mask
    if origin.numel() == 0:
        return torch.zeros_like(origin, dtype=dtype)
    if has_kernels(origin.device):
        from spigot_allennlp.nn.simplex import cpu  # numba is slow to import

        return cpu.projected_step(*tensors, is_capped).to(dtype)
    return torch_fallback.projected_step(*tensors, is_capped).to(dtype)
