"""Batches of independent instances, `(batch_size, *parts)`, with any kind of parts."""

import math

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.tensor_checks import ANY_TYPE, FLOATS, Argument, Signature

_WEIGHTS = Signature(
    Argument("weights", ANY_TYPE, ("batch_size",)),
    Argument("like", ANY_TYPE, ("batch_size", "...")),
)
_GRADIENT = Signature(Argument("tensor", FLOATS, ("...",)))


def flatten_parts(tensor: Tensor) -> Tensor:
    """
    Returns all parts of an instance in one row: `(batch_size, *parts)` becomes
    `(batch_size, num_parts)`.
    """
    if tensor.dim() == 0:
        raise ValueError("Expected shape (batch_size, *parts), but found a single number.")
    return tensor.reshape(tensor.size(0), math.prod(tensor.shape[1:]))


def per_instance(weights: Tensor, like: Tensor) -> Tensor:
    """
    Returns `weights`, shape `(batch_size,)`, with as many dimensions as `like`, to multiply with
    it.
    """
    _WEIGHTS.check(weights, like)
    return weights.reshape([-1] + [1] * (like.dim() - 1))


def are_choices(vertices: Tensor, mask: BoolTensor) -> BoolTensor:
    """
    Tells which instances hold only zeros, and ones on parts of `mask`: shape `(batch_size,)`, from
    `vertices` of shape `(batch_size, *parts)` and any type.
    """
    return flatten_parts((vertices == 0) | ((vertices == 1) & mask)).all(dim=-1)


def clip_norm(tensor: Tensor, max_norm: float) -> Tensor:
    """
    Scales each instance of `tensor`, shape `(batch_size, *parts)`, down to the Euclidean norm
    `max_norm` if it is longer. The norm runs over all parts of the instance, as in the gradient
    clipping of Peng et al. (2018), not over the batch.
    """
    _GRADIENT.check(tensor)
    if not tensor.numel():
        return tensor
    parts = flatten_parts(at_least_single(tensor))
    # (batch_size, 1). Without it, the squares of large numbers would overflow.
    largest = parts.abs().amax(dim=-1, keepdim=True).clamp(min=max_norm)
    relative = (parts / largest).norm(dim=-1, keepdim=True)
    is_longer = relative * largest > max_norm
    clipped = torch.where(is_longer, parts / largest * (max_norm / relative), parts)
    return clipped.reshape(tensor.shape).to(tensor.dtype)


def at_least_single(tensor: Tensor) -> Tensor:
    """
    Returns `tensor` itself, or a copy in single precision if it has half precision; differentiable.
    """
    if tensor.dtype is torch.float32 or tensor.dtype is torch.float64:
        return tensor
    if tensor.dtype not in FLOATS:
        raise TypeError(f"Expected floating point numbers, but found {tensor.dtype}.")
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
