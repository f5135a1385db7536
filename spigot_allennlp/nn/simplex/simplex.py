"""
Euclidean projections onto the box, the simplex and the capped simplex, as *projected steps*.

A projected step from `origin` along `-step` is `origin - P(origin - step)`, P being the projection:
the way that a point really moves if it has to stay in the set. Computing `P` first and subtracting
it afterwards loses every step that is small beside one (in float32, below 1e-7); the forms below
never subtract two numbers near one, so that a step of 1e-12 is not lost. `P(point)` itself is the
projected step from zero along `-point`, negated.

The functions named `..._jvp` multiply the Jacobian of a projection with a direction. A projection
is linear on every face: a point that moves along the face takes its projection with it, one that
moves at right angles to the face does not. `point` is the projection itself, and `direction` tells
how the point that is projected moves; entries off a mask are zero in `point`, and in the result.
The Jacobians are symmetric, so that these are the backward passes, too. On the edge between two
faces, where there is no derivative, it is that of the smaller one.

Arguments are read, never changed, and nothing is differentiable. A compiled kernel searches rows of
tensors on the CPU; on other devices torch sorts them, with the same results.
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
    if origin.dtype is step.dtype is torch.float32:  # as nearly always: nothing to convert
        return torch.minimum(torch.maximum(step, origin - 1), origin).masked_fill(~mask, 0)
    dtype = torch.promote_types(origin.dtype, step.dtype)
    exact_origin, exact_step = at_least_single(origin), at_least_single(step)
    moved = torch.minimum(torch.maximum(exact_step, exact_origin - 1), exact_origin)
    return moved.masked_fill(~mask, 0).to(dtype)


def simplex_step(origin: Tensor, step: Tensor, mask: BoolTensor) -> Tensor:
    """
    Returns `origin - argmin ||z - (origin - step)||` over `{z >= 0, sum z = 1}` in each row of the
    last dimension.

    The projection is `max(0, origin - step - tau)` for the one `tau` that makes it sum to one;
    hence the step is `min(origin, step + tau)`, with
    `tau = (sum origin - 1 - sum_{S} step - sum_{not S} origin) / |S|` on the support S
    ([Held et al., 1974](https://doi.org/10.1007/BF01580223)). A constant added to the steps of a
    row changes nothing; so the least of them is subtracted, and large ones cost no precision. An
    origin whose sum misses one through rounding alone does not move for that reason.

    # Parameters

    origin, step : `Tensor`
        Shape `(..., size)`, any origin (a point of the simplex, or zero).
    mask : `BoolTensor`
        Shape `(..., size)`: entries outside take no part and are zero in the result; a row without
        any entry is zero. Arguments of other shapes are broadcast.

    # Raises

    `TypeError`, `ValueError`
        If they cannot be; see `nn/tensor_checks.py`.
    """
    origin, step, mask = _in_one_shape(origin, step, mask)
    return _projected_step(origin, step, mask, is_capped=False)


def project_onto_simplex(point: Tensor, mask: BoolTensor) -> Tensor:
    """
    Returns `argmin ||z - point||` over `{z >= 0, sum z = 1}` in each row of the last dimension:
    `simplex_step` from zero along `-point`, negated, for less. Both arguments have one shape,
    `(..., size)`, legal entries less than infinity. Entries outside the mask are zero, and so is a
    row of which no other is finite.
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

    If clipping at zero alone leaves a sum of at most one, that is the projection; otherwise the
    bound holds with equality and the projection is that onto the simplex. Shapes as in
    `simplex_step`.
    """
    origin, step, mask = _in_one_shape(origin, step, mask)
    return _projected_step(origin, step, mask, is_capped=True)


def sequential_step(origin: Tensor, step: Tensor, mask: BoolTensor) -> Tensor:
    """
    Returns `origin - P(origin - step)`, where P keeps to `{z >= 0, sum z <= 1}` in each row of the
    last dimension, not at the nearest point, but one variable after the other: first the sum is
    clipped to `[0, 1]`, then the entries are projected onto those of that sum.

    The sum takes the step of its entries, each weighted by its share of the sum; if all are zero,
    that of the entry that would enter first, the least. Arguments as in `simplex_step`, but of one
    shape, and origins in the set.
    """
    check_pair(("origin", "step"), ROWS, origin, step, mask)
    dtype = torch.promote_types(origin.dtype, step.dtype)
    if origin.numel() == 0:
        return torch.zeros_like(origin, dtype=dtype)
    exact = at_least_single(origin.detach()), at_least_single(step.detach())
    return torch_fallback.sequential_step(*exact, mask).to(dtype)


def box_jvp(point: Tensor, direction: Tensor) -> Tensor:
    """
    Returns the Jacobian of the projection onto `0 <= z <= 1` times `direction`, elementwise: what
    is inside moves.
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
    row of the last dimension: as for the simplex where the bound is reached, up to rounding, and
    otherwise `direction` on the support.
    """
    check_pair(("point", "direction"), ROWS, point, direction)
    rounding = point.size(-1) * torch.finfo(point.dtype).eps
    is_reached = point.sum(dim=-1, keepdim=True) >= 1 - rounding
    unbound = direction.masked_fill(point <= 0, 0)
    return torch.where(is_reached, simplex_jvp(point, direction), unbound)


class _Step(NamedTuple):
    """The arguments of a projected step, all of one shape."""

    origin: Tensor
    step: Tensor
    mask: BoolTensor


def _in_one_shape(origin: Tensor, step: Tensor, mask: BoolTensor) -> _Step:
    """
    Returns the arguments, broadcast to one shape.

    # Raises

    `TypeError`, `ValueError`
        If they cannot be; see `nn/tensor_checks.py`.
    """
    try:
        if not origin.shape == step.shape == mask.shape:
            origin, step, mask = torch.broadcast_tensors(origin, step, mask)
    except (AttributeError, RuntimeError, TypeError):
        pass  # the check raises
    check_pair(("origin", "step"), ROWS, origin, step, mask)
    return _Step(origin, step, mask)


def _projected_step(origin: Tensor, step: Tensor, mask: BoolTensor, is_capped: bool) -> Tensor:
    """Returns the projected step, by kernels or by torch, computed in single precision at least."""
    dtype = torch.promote_types(origin.dtype, step.dtype)
    inside = torch.promote_types(dtype, torch.float32)
    tensors = origin.detach().to(inside), step.detach().to(inside), mask
    if origin.numel() == 0:
        return torch.zeros_like(origin, dtype=dtype)
    if has_kernels(origin.device):
        from spigot_allennlp.nn.simplex import cpu  # numba takes its time to be imported

        return cpu.projected_step(*tensors, is_capped).to(dtype)
    return torch_fallback.projected_step(*tensors, is_capped).to(dtype)
