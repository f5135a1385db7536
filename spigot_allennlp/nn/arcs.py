"""
Dependency arcs, `(batch_size, dependent, head)`: which are legal, which follow from heads, and
which form a tree.
"""

from typing import Tuple

import torch
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.nn.tensor_checks import (
    ANY_TYPE,
    INTEGERS,
    TRUTH_VALUES,
    Argument,
    Signature,
)

_TOKENS = Signature(Argument("mask", TRUTH_VALUES, ("batch_size", "length")))
_HEADS = Signature(
    Argument("heads", INTEGERS, ("batch_size", "length")),
    Argument("part_mask", TRUTH_VALUES, ("batch_size", "num_positions", "num_positions")),
)
_ARCS = Signature(
    Argument("arcs", ANY_TYPE, ("batch_size", "length", "length")),
    Argument("mask", TRUTH_VALUES, ("batch_size", "length", "length")),
)
_SCORES = Signature(
    Argument("scores", ANY_TYPE, ("batch_size", "length", "head", "num_outputs")),
    Argument("heads", INTEGERS, ("batch_size", "length")),
)


def arc_mask(mask: BoolTensor) -> BoolTensor:
    """
    Returns the possible arcs of a sentence: any token may head any other, the root may head any
    token, nothing heads the root, and nothing heads itself.

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


def predicate_parts(shape: torch.Size, device: torch.device) -> BoolTensor:
    """
    Returns the parts of labelled arcs of this `shape`, `(batch_size, dependent, head, label)`, that
    can mark a head as a predicate: `[p, p, 0]`. They are free, since nothing heads itself. Shape
    `(dependent, head, label)`.
    """
    diagonal = torch.eye(shape[2], dtype=torch.bool, device=device)
    return diagonal.unsqueeze(-1) & (torch.arange(shape[3], device=device) == 0)


def lengths_from_arc_mask(mask: BoolTensor) -> LongTensor:
    """
    Returns the number of tokens, without the root, of each sentence in an arc mask
    `(batch_size, length, length)`: the last position that may have a head. Shape `(batch_size,)`.
    """
    has_head = mask.any(dim=-1)
    positions = torch.arange(mask.size(1), device=mask.device)
    return (
        (has_head * positions).amax(dim=-1) if mask.size(1) else positions.new_zeros(mask.size(0))
    )


def arcs_from_heads(heads: LongTensor, part_mask: BoolTensor) -> Tuple[LongTensor, BoolTensor]:
    """
    Returns the heads of all positions, including the root, and the arcs to them.

    # Parameters

    heads : `LongTensor`
        Shape `(batch_size, length)`: the position of each token's head; the root is 0.
    part_mask : `BoolTensor`
        Shape `(batch_size, 1 + length, 1 + length)`: the legal arcs, `[batch, dependent, head]`.

    # Returns

    `Tuple[LongTensor, BoolTensor]`
        The heads, starting with the root, shape `(batch_size, 1 + length)`, and the same as arcs,
        in the shape of `part_mask`.
    """
    _HEADS.check(heads, part_mask)
    if part_mask.size(1) != heads.size(1) + 1:
        raise ValueError(
            f"Expected heads of all positions but the root, of {part_mask.size(1)} in part_mask of "
            f"shape {tuple(part_mask.shape)}, but found heads of shape {tuple(heads.shape)}."
        )
    heads = torch.nn.functional.pad(heads, (1, 0))
    positions = torch.arange(part_mask.size(2), device=heads.device)
    return heads, (heads.unsqueeze(-1) == positions) & part_mask


def at_heads(scores: Tensor, heads: LongTensor) -> Tensor:
    """
    Returns `scores[b, d, heads[b, d]]`, shape `(batch_size, length, num_outputs)`, from scores of
    pairs `(batch_size, dependent, head, num_outputs)`.
    """
    _SCORES.check(scores, heads)
    index = heads[..., None, None].expand(-1, -1, 1, scores.size(-1))
    return scores.gather(2, index).squeeze(2)


def are_trees(
    arcs: Tensor, mask: BoolTensor, single_root: bool, projective: bool = False
) -> BoolTensor:
    """
    Tells which instances are dependency trees: every token has one head and descends from the root.

    # Parameters

    arcs : `Tensor`
        Shape `(batch_size, dependent, head)`, position 0 being the root. Anything other than zeros
        and ones is not a tree.
    mask : `BoolTensor`
        The legal arcs, of the same shape. Tokens after the last one that may have a head are
        padding.
    single_root : `bool`
        Whether the root must have exactly one dependent.
    projective : `bool`, optional (default = `False`)
        Whether no arcs may cross, including those from the root.

    # Returns

    `BoolTensor`
        Shape `(batch_size,)`. A sentence without tokens has one tree, without arcs.
    """
    _ARCS.check(arcs, mask)
    if mask.size(1) == 0:
        return mask.new_ones(len(mask))
    positions = torch.arange(mask.size(1), device=mask.device)
    is_token = (positions > 0) & (positions <= lengths_from_arc_mask(mask).unsqueeze(1))
    # (batch_size, length); the root and padding are attached to the root
    heads = _largest(arcs) * is_token
    index = heads.unsqueeze(-1)
    is_legal = (arcs.gather(2, index) == 1) & mask.expand(arcs.shape).gather(2, index)
    has_legal_head = (is_legal.squeeze(-1) | ~is_token).all(dim=-1)
    has_no_other = torch.count_nonzero(arcs, dim=(1, 2)) == is_token.sum(dim=-1)
    trees = has_legal_head & has_no_other & _reach_the_root(heads)
    if single_root:
        trees &= torch.count_nonzero(arcs[:, :, 0], dim=1) == is_token.any(dim=-1)
    if projective:
        trees &= ~_cross(heads.int(), positions.int())
    return trees


def _largest(arcs: Tensor) -> LongTensor:
    """Returns the index of the largest number in each row; 0 for rows without any."""
    if arcs.size(-1) == 0:
        return arcs.new_zeros(arcs.shape[:-1], dtype=torch.long)
    return (arcs.byte() if arcs.dtype == torch.bool else arcs).argmax(dim=-1)


def _reach_the_root(heads: LongTensor) -> BoolTensor:
    """Tells whether all tokens descend from the root: `2 ** n` steps up after n rounds."""
    for _ in range(heads.size(1).bit_length()):
        heads = heads.gather(1, heads)
    return (heads == 0).all(dim=-1)


def _cross(heads: Tensor, positions: Tensor) -> BoolTensor:
    """
    Tells whether any arc begins outside another and ends within it. Tokens must have one head.
    """
    left, right = torch.minimum(heads, positions), torch.maximum(heads, positions)
    # (batch_size, an arc, another)
    enters = (left.unsqueeze(2) < left.unsqueeze(1)) & (left.unsqueeze(1) < right.unsqueeze(2))
    return (enters & (right.unsqueeze(2) < right.unsqueeze(1))).flatten(1).any(dim=-1)
