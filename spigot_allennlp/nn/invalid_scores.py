"""
Scores that are NaN: results are NaN where scores were NaN, and nowhere else.

Minus infinity is a score, and means "impossible". NaN and plus infinity on a legal part make an
instance *invalid*: all its results and derivatives are NaN, while those of other instances in the
batch are unaffected. No algorithm has to handle this itself (comparisons with NaN are false, so
each would do something different, or never end): zeros replace the scores of invalid instances
before an algorithm runs, and NaN replaces its results afterwards.
"""

import math
from typing import Any, Callable, Optional, Tuple

import torch
from torch import BoolTensor, Tensor
from torch.autograd.function import FunctionCtx

from spigot_allennlp.nn.devices import answers_at_once
from spigot_allennlp.nn.instances import at_least_single, flatten_parts, per_instance
from spigot_allennlp.nn.transforms import is_mapped_over

# Sums of larger scores might overflow. Such scores are multiplied, exactly, by a power of two that
# brings the largest number of their type down to about this.
LARGE = 1e18
SCALES = {torch.float32: 2.0**-64, torch.float64: 2.0**-960}
# The largest score for sampling an object: far from `MIN_LOGARITHM` of `semirings/code.py`, which
# kernels treat as impossible, but still so large that differences decide for certain.
EXCESSIVE = 1e11


def known_moderate(tensor: Tensor) -> bool:
    """
    Tells whether a quick test shows that all numbers of `tensor` are finite and none of their sums
    overflows, since not even the sum of their squares does. False if the device would cause a wait,
    and for anything but a tensor of floats.

    # Raises

    `NotImplementedError` if `tensor` `is_mapped_over`, on any device.
    """
    if not isinstance(tensor, Tensor):
        return False
    if is_mapped_over(tensor):
        raise NotImplementedError(
            "torch.func.vmap cannot map over a structure, whose kernels it does not see, and "
            "neither can batches of gradients (is_grads_batched, vectorize=True). Put what is "
            "mapped into the batch, scores.flatten(0, 1), or call autograd once for each."
        )
    if not (
        tensor.is_floating_point()
        and tensor.layout is torch.strided
        and answers_at_once(tensor.device)
    ):
        return False
    # every operation calls this, so speed matters
    numbers = tensor.detach() if tensor.requires_grad else tensor
    return math.isfinite(torch.linalg.vector_norm(numbers).item())


def invalid_instances(
    mask: BoolTensor, is_valid: Callable[..., BoolTensor], *tensors: Tensor
) -> Optional[BoolTensor]:
    """
    Returns which instances are invalid, shape `(batch_size,)`; `None` if known that none is.

    # Parameters

    mask : `BoolTensor`
        The legal parts, in the shape of the tensors.
    is_valid : `Callable[..., BoolTensor]`
        Tells which parts of `tensors` are valid; all finite numbers are. One of the functions
        below.
    tensors : `Tensor`
        Shape `(batch_size, *parts)`.
    """
    if all(map(known_moderate, tensors)):
        return None
    if not all_fit_mask(mask, *tensors):
        return None  # the function that uses them rejects them
    is_allowed = is_valid(*(tensor.detach() for tensor in tensors)) | ~mask
    invalid = ~flatten_parts(is_allowed).all(dim=-1)
    return None if answers_at_once(invalid.device) and not invalid.any() else invalid


def all_fit_mask(mask: BoolTensor, *tensors: Tensor) -> bool:
    """
    Tells whether all are tensors of floats with data, in the shape and on the device of the mask.
    """
    return (
        isinstance(mask, Tensor)
        and mask.dtype is torch.bool
        and mask.layout is torch.strided
        and all(
            isinstance(tensor, Tensor)
            and tensor.is_floating_point()
            and tensor.shape == mask.shape
            and tensor.device == mask.device
            and tensor.layout is torch.strided
            and not tensor.is_meta
            for tensor in tensors
        )
    )


def is_score(scores: Tensor) -> BoolTensor:
    """Tells which scores are valid: neither NaN nor plus infinity."""
    return scores < torch.inf


def is_step(origin: Tensor, step: Tensor) -> BoolTensor:
    """Tells where `origin - step` can be projected: a step of plus infinity excludes a part."""
    return origin.isfinite() & (step > -torch.inf)


def are_finite(*tensors: Tensor) -> BoolTensor:
    """Tells where all tensors are finite."""
    return torch.stack([tensor.isfinite() for tensor in tensors]).all(dim=0)


def compute_valid(
    compute: Callable[..., Any],
    invalid: Optional[BoolTensor],
    mask: BoolTensor,
    *tensors: Tensor,
) -> Any:
    """
    Returns `compute(*tensors, mask)`, a tensor or a tuple of tensors, with NaN for `invalid`
    instances: on the legal parts of results that have parts, and in results with one number per
    instance. For these instances, `compute` gets zeros.
    """
    if invalid is None:
        return compute(*tensors, mask)
    valid = [without_invalid(tensor, invalid, mask) for tensor in tensors]
    results = compute(*valid, mask)
    if isinstance(results, Tensor):
        return _with_nan(results, invalid, mask)
    return tuple(_with_nan(result, invalid, mask) for result in results)


def _with_nan(tensor: Tensor, invalid: BoolTensor, mask: BoolTensor) -> Tensor:
    """Like `nan_for_invalid`, but also for a tensor without parts, `(batch_size,)`."""
    return nan_for_invalid(tensor, invalid, mask if tensor.dim() > 1 else None)


def without_overflow(scores: Tensor, mask: BoolTensor) -> Tensor:
    """
    Returns scores with the same best object, but without overflow in sums, in at least single
    precision: the scores of an instance that has large ones are scaled down.
    """
    scores = at_least_single(scores.detach())
    finite = flatten_parts(scores.masked_fill(~mask | (scores == -torch.inf), 0))
    is_large = (finite.abs() > LARGE).any(dim=-1)
    return torch.where(per_instance(is_large, scores), scores * SCALES[scores.dtype], scores)


def without_excess(scores: Tensor, mask: BoolTensor) -> Tensor:
    """
    Returns scores that kernels can sample from, in at least single precision: if the largest finite
    score of an instance is beyond `EXCESSIVE`, its scores are scaled down to that. Objects with
    scores that differ by less than a rounding error of the largest are then equally likely.
    """
    scores = at_least_single(scores.detach())
    finite = flatten_parts(scores.masked_fill(~mask | (scores == -torch.inf), 0)).abs()
    largest = finite.amax(dim=-1) if finite.size(-1) else finite.sum(dim=-1)
    scale = torch.where(largest > EXCESSIVE, EXCESSIVE / largest, 1)
    return scores * per_instance(scale, scores)


def without_invalid(tensor: Tensor, invalid: BoolTensor, mask: Optional[BoolTensor]) -> Tensor:
    """
    Returns `tensor`, shape `(batch_size, *parts)`, with zeros for invalid instances. Their gradient
    is NaN on the legal parts, whatever the incoming gradient, and zero on the others.
    """
    return _WithoutInvalid.apply(tensor, invalid, mask)


def nan_for_invalid(tensor: Tensor, invalid: BoolTensor, mask: Optional[BoolTensor]) -> Tensor:
    """
    Returns `tensor`, shape `(batch_size, ...)`, with NaN for invalid instances: on the legal parts,
    or everywhere if there is no `mask`. Their gradient is zero.
    """
    return _NaNForInvalid.apply(tensor, invalid, mask)


class _WithoutInvalid(torch.autograd.Function):
    """Replaces invalid instances by zeros, and their gradients by NaN."""

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
    """Replaces invalid instances by NaN, and their gradients by zeros."""

    @staticmethod
    def forward(
        ctx: FunctionCtx, tensor: Tensor, invalid: BoolTensor, mask: Optional[BoolTensor]
    ) -> Tensor:
        ctx.save_for_backward(invalid, mask)
        is_nan = per_instance(invalid, tensor)
        return tensor.masked_fill(is_nan if mask is None else is_nan & mask, torch.nan)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tuple[Tensor, None, None]:
        return without_invalid(gradient, *ctx.saved_tensors), None, None
