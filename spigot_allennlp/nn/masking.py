"""The legal parts and the lengths of padded arc tensors, `(batch_size, dependent, head)`."""

import math

import torch
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.nn.tensor_checks import ANY_TYPE, TRUTH_VALUES, Argument, Signature

_TOKENS = Signature(Argument("mask", TRUTH_VALUES, ("batch_size", "length")))
_WEIGHTS = Signature(
    Argument("weights", ANY_TYPE, ("batch_size",)),
    Argument("like", ANY_TYPE, ("batch_size", "...")),
)


def arc_mask(mask: BoolTensor) -> BoolTensor:
    """
    The arcs that a sentence may have: any token may head any other, the root may head any token,
    nothing heads the root and nothing heads itself.

    # Parameters

    mask : `BoolTensor`
        Shape `(batch_size, length)`, position 0 being the root.

    # Returns

    `BoolTensor`
        Shape `(batch_size, length, length)`, indexed `[batch, dependent, head]`.
    """
    _TOKENS.check(mask)
    length = mask.size(1)
    # (batch_size, dependent, head)
    legal = mask.unsqueeze(2) & mask.unsqueeze(1)
    distinct = ~torch.eye(length, dtype=torch.bool, device=mask.device)
    not_root = torch.arange(length, device=mask.device) > 0
    return legal & distinct & not_root.unsqueeze(1)


def lengths_from_arc_mask(mask: BoolTensor) -> LongTensor:
    """
    The number of tokens, the root not counted, of each sentence of an arc mask
    `(batch_size, length, length)`: the last position that may have a head. Shape `(batch_size,)`.
    """
    has_head = mask.any(dim=-1)
    positions = torch.arange(mask.size(1), device=mask.device)
    return (
        (has_head * positions).amax(dim=-1) if mask.size(1) else positions.new_zeros(mask.size(0))
    )


def flatten_parts(tensor: Tensor) -> Tensor:
    """All parts of an instance in one row: `(batch_size, *parts)` -> `(batch_size, num_parts)`."""
    if tensor.dim() == 0:
        raise ValueError("Expected shape (batch_size, *parts), but found a single number.")
    return tensor.reshape(tensor.size(0), math.prod(tensor.shape[1:]))


def are_choices(vertices: Tensor, mask: BoolTensor) -> BoolTensor:
    """
    Which instances hold nothing but zeros, and ones on parts of `mask`: shape `(batch_size,)`, from
    `vertices` of shape `(batch_size, *parts)` and any type.
    """
    return flatten_parts((vertices == 0) | ((vertices == 1) & mask)).all(dim=-1)


def per_instance(weights: Tensor, like: Tensor) -> Tensor:
    """
    `weights`, shape `(batch_size,)`, with as many dimensions as `like`, to be multiplied with it.
    """
    _WEIGHTS.check(weights, like)
    return weights.reshape([-1] + [1] * (like.dim() - 1))
