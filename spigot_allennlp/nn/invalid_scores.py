"""
Scores that are no numbers: NaN comes out where NaN went in, and nowhere else.

Minus infinity is a score, and means "impossible". NaN and plus infinity, on a legal part, make an
instance *invalid*: all that is computed from it is NaN, and so are all its derivatives, while the
other instances of the batch are what they would be without it. No algorithm has to see to that (a
comparison with NaN is false, so that each would do something else, or never end): invalid instances
are taken out of a batch before it is worked on, and NaN is put in their place afterwards.
"""

import math
from typing import Any, Callable, Optional, Tuple

import torch
from torch import BoolTensor, Tensor
from torch.autograd.function import FunctionCtx

from spigot_allennlp.nn.devices import answers_at_once
from spigot_allennlp.nn.masking import flatten_parts, per_instance
from spigot_allennlp.nn.precision import at_least_single

# Scores from which on sums of them might overflow, and by what they are then multiplied, exactly: a
# power of two after which the largest number of a type is about as large.
LARGE = 1e18
SCALES = {torch.float32: 2.0**-64, torch.float64: 2.0**-960}
# What scores are brought down to from which an object is to be drawn: far from -1e12, which the
# kernels take for impossible, and still so large that differences decide for certain.
EXCESSIVE = 1e11


def known_moderate(tensor: Tensor) -> bool:
    """
    Whether a quick look tells that all numbers of `tensor` are finite, and that no sum of them
    overflows, since not even that of their squares does. There is no look where it would have to be
    waited for, nor at what is no tensor of floats.
    """
    if not (
        isinstance(tensor, Tensor)
        and tensor.is_floating_point()
        and tensor.layout is torch.strided
        and answers_at_once(tensor.device)
    ):
        return False
    # this is on the way of every operation, so each call counts
    numbers = tensor.detach() if tensor.requires_grad else tensor
    return math.isfinite(torch.linalg.vector_norm(numbers).item())


def invalid_instances(
    mask: BoolTensor, is_valid: Callable[..., BoolTensor], *tensors: Tensor
) -> Optional[BoolTensor]:
    """
    Which instances are invalid, shape `(batch_size,)`; or None if it is known that none is.

    # Parameters

    mask : `BoolTensor`
        The legal parts, of the shape of the tensors.
    is_valid : `Callable[..., BoolTensor]`
        Which parts of `tensors` are valid, as all finite numbers are: one of the functions below.
    tensors : `Tensor`
        Shape `(batch_size, *parts)`.
    """
    if all(map(known_moderate, tensors)):
        return None
    if not fit(mask, *tensors):
        return None  # whoever is to compute with them refuses them
    is_allowed = is_valid(*(tensor.detach() for tensor in tensors)) | ~mask
    invalid = ~flatten_parts(is_allowed).all(dim=-1)
    return None if answers_at_once(invalid.device) and not invalid.any() else invalid


def fit(mask: BoolTensor, *tensors: Tensor) -> bool:
    """
    Whether all are tensors of floats, of the shape of the mask and beside it, with data to look at.
    """
    return (
        isinstance(mask, Tensor)
        and mask.dtype is torch.bool
        and mask.layout is torch.strided
        and all(
            isinstance(each, Tensor)
            and each.is_floating_point()
            and each.shape == mask.shape
            and each.device == mask.device
            and each.layout is torch.strided
            and not each.is_meta
            for each in tensors
        )
    )


def is_score(scores: Tensor) -> BoolTensor:
    """Neither NaN nor plus infinity."""
    return scores < torch.inf


def is_step(origin: Tensor, step: Tensor) -> BoolTensor:
    """
    `origin - step` is a point that can be projected: plus infinity is a step away from a part, for
    good.
    """
    return origin.isfinite() & (step > -torch.inf)


def are_finite(*tensors: Tensor) -> BoolTensor:
    """All of them."""
    return torch.stack([tensor.isfinite() for tensor in tensors]).all(dim=0)


def compute_valid(
    compute: Callable[..., Any],
    invalid: Optional[BoolTensor],
    mask: BoolTensor,
    *tensors: Tensor,
) -> Any:
    """
    `compute(*tensors, mask)`, a tensor or a tuple of them, with NaN for `invalid` instances, which
    it does not see: on the legal parts of what has parts, and in what is one number for each.
    """
    if invalid is None:
        return compute(*tensors, mask)
    valid = [without_invalid(tensor, invalid, mask) for tensor in tensors]
    found = compute(*valid, mask)
    if isinstance(found, Tensor):
        return _with_nan(found, invalid, mask)
    return tuple(_with_nan(tensor, invalid, mask) for tensor in found)


def _with_nan(tensor: Tensor, invalid: BoolTensor, mask: BoolTensor) -> Tensor:
    return nan_for_invalid(tensor, invalid, mask if tensor.dim() > 1 else None)


def without_overflow(scores: Tensor, mask: BoolTensor) -> Tensor:
    """
    Scores of which the best object is the same, in single precision at least: those of instances
    that have large ones are scaled down.
    """
    exact = at_least_single(scores.detach())
    finite = flatten_parts(exact.masked_fill(~mask | (exact == -torch.inf), 0))
    is_large = (finite.abs() > LARGE).any(dim=-1)
    return torch.where(per_instance(is_large, exact), exact * SCALES[exact.dtype], exact)


def without_excess(scores: Tensor, mask: BoolTensor) -> Tensor:
    """
    Scores from which to draw, in single precision at least: those of an instance that has a finite
    one beyond `EXCESSIVE` are scaled so that it is just that. What differs by less than a rounding
    error of the largest is then as likely as each other.
    """
    exact = at_least_single(scores.detach())
    finite = flatten_parts(exact.masked_fill(~mask | (exact == -torch.inf), 0)).abs()
    largest = finite.amax(dim=-1) if finite.size(-1) else finite.sum(dim=-1)
    scale = torch.where(largest > EXCESSIVE, EXCESSIVE / largest, 1)
    return exact * per_instance(scale, exact)


def without_invalid(tensor: Tensor, invalid: BoolTensor, mask: Optional[BoolTensor]) -> Tensor:
    """
    `tensor`, shape `(batch_size, *parts)`, with zeros for invalid instances. The gradient of these
    is NaN on the legal parts, whatever arrives from behind, and zero on the others.
    """
    return _WithoutInvalid.apply(tensor, invalid, mask)


def nan_for_invalid(tensor: Tensor, invalid: BoolTensor, mask: Optional[BoolTensor]) -> Tensor:
    """
    `tensor`, shape `(batch_size, ...)`, with NaN for invalid instances: on the legal parts, or
    everywhere if there is no `mask`. No gradient passes to them.
    """
    return _NaNForInvalid.apply(tensor, invalid, mask)


class _WithoutInvalid(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx, tensor: Tensor, invalid: BoolTensor, mask: Optional[BoolTensor]
    ) -> Tensor:
        ctx.save_for_backward(invalid, mask)
        return tensor.masked_fill(per_instance(invalid, tensor), 0)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tuple[Tensor, None, None]:
        return nan_for_invalid(gradient, *ctx.saved_tensors), None, None


class _NaNForInvalid(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx, tensor: Tensor, invalid: BoolTensor, mask: Optional[BoolTensor]
    ) -> Tensor:
        ctx.save_for_backward(invalid, mask)
        place = per_instance(invalid, tensor)
        return tensor.masked_fill(place if mask is None else place & mask, torch.nan)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tuple[Tensor, None, None]:
        return without_invalid(gradient, *ctx.saved_tensors), None, None
