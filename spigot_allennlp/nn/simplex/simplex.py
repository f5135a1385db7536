"""
Euclidean projections onto the box, the simplex and the capped simplex, as *projected steps*.

A projected step from `origin` along `-step` is `origin - P(origin - step)`, P being the projection:
the way that a point really moves when it is told to move by `step` and may not leave the set.
Computing `P` first and subtracting it afterwards loses every step that is small beside one (in
float32, below 1e-7); the forms below never subtract two numbers near one, so that a step of 1e-12
comes through. `P(point)` itself is the projected step from zero along `-point`, negated.

Arguments are read, never changed, and nothing is differentiable. Rows are searched by a compiled
kernel on the processor, and sorted elsewhere, with the same results.
"""

from typing import Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.devices import has_kernels
from spigot_allennlp.nn.precision import at_least_single
from spigot_allennlp.nn.simplex import sort
from spigot_allennlp.nn.tensor_checks import ROWS, check_pair


def box_step(origin: Tensor, step: Tensor, mask: BoolTensor) -> Tensor:
    """
    `origin - argmin_{0 <= z <= 1} ||z - (origin - step)||`, elementwise, zero off `mask`.

    For `origin` in the box it is `clip(step, origin - 1, origin)`. Arguments of other shapes are
    broadcast.
    """
    origin, step, mask = _in_one_shape(origin, step, mask)
    if origin.dtype is step.dtype is torch.float32:  # as nearly always: nothing to convert
        return torch.minimum(torch.maximum(step, origin - 1), origin).masked_fill(~mask, 0)
    dtype = torch.promote_types(origin.dtype, step.dtype)
    exact, way = at_least_single(origin), at_least_single(step)
    moved = torch.minimum(torch.maximum(way, exact - 1), exact)
    return moved.masked_fill(~mask, 0).to(dtype)


def simplex_step(origin: Tensor, step: Tensor, mask: BoolTensor) -> Tensor:
    """
    `origin - argmin ||z - (origin - step)||` over `{z >= 0, sum z = 1}` in each row of the last
    dimension.

    The projection is `max(0, origin - step - tau)` for the one `tau` that makes it sum to one;
    hence the step is `min(origin, step + tau)`, with
    `tau = (sum origin - 1 - sum_{S} step - sum_{not S} origin) / |S|` on the support S
    ([Held et al., 1974](https://doi.org/10.1007/BF01580223)). A constant added to the steps of a
    row changes nothing; the least of them is made zero, so that large ones cost no precision. By
    what an origin misses a sum of one through rounding alone, nothing moves.

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
    return _step(origin, step, mask, capped=False)


def capped_simplex_step(origin: Tensor, step: Tensor, mask: BoolTensor) -> Tensor:
    """
    `origin - argmin ||z - (origin - step)||` over `{z >= 0, sum z <= 1}` in each row of the last
    dimension.

    If clipping at zero alone leaves a sum of at most one, that is the projection; otherwise the
    bound holds with equality and the projection is that onto the simplex. Shapes as in
    `simplex_step`.
    """
    origin, step, mask = _in_one_shape(origin, step, mask)
    return _step(origin, step, mask, capped=True)


def _in_one_shape(origin: Tensor, step: Tensor, mask: BoolTensor) -> Tuple[Tensor, Tensor, Tensor]:
    """
    The arguments, broadcast where they are to be.

    # Raises

    `TypeError`, `ValueError`
        If they cannot be; see `nn/tensor_checks.py`.
    """
    try:
        if not origin.shape == step.shape == mask.shape:
            origin, step, mask = torch.broadcast_tensors(origin, step, mask)
    except (AttributeError, RuntimeError, TypeError):
        pass  # the check will say so
    check_pair(("origin", "step"), ROWS, origin, step, mask)
    return origin, step, mask


def _step(origin: Tensor, step: Tensor, mask: BoolTensor, capped: bool) -> Tensor:
    dtype = torch.promote_types(origin.dtype, step.dtype)
    inside = torch.promote_types(dtype, torch.float32)
    tensors = origin.detach().to(inside), step.detach().to(inside), mask
    if origin.numel() == 0:
        return torch.zeros_like(origin, dtype=dtype)
    if has_kernels(origin.device):
        from spigot_allennlp.nn.simplex import processor  # numba takes its time to be imported

        return processor.step(*tensors, capped).to(dtype)
    return sort.step(*tensors, capped).to(dtype)
