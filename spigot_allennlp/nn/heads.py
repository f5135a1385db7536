"""Trees as a head for every token, and as arcs."""

from typing import Tuple

import torch
from torch import BoolTensor, LongTensor, Tensor


def arcs_from_heads(heads: LongTensor, part_mask: BoolTensor) -> Tuple[LongTensor, BoolTensor]:
    """
    # Parameters

    heads : `LongTensor`
        Shape `(batch_size, length)`: the position of each token's head, the root's being 0.
    part_mask : `BoolTensor`
        Shape `(batch_size, 1 + length, 1 + length)`: the legal arcs, `[batch, dependent, head]`.

    # Returns

    `Tuple[LongTensor, BoolTensor]`
        The heads with the root in front, shape `(batch_size, 1 + length)`, and the same as arcs, of
        the shape of `part_mask`.
    """
    heads = torch.nn.functional.pad(heads, (1, 0))
    positions = torch.arange(part_mask.size(2), device=heads.device)
    return heads, (heads.unsqueeze(-1) == positions) & part_mask


def at_heads(scores: Tensor, heads: LongTensor) -> Tensor:
    """
    `scores[b, d, heads[b, d]]`, shape `(batch_size, length, num_outputs)`, from scores of pairs
    `(batch_size, dependent, head, num_outputs)`.
    """
    index = heads[..., None, None].expand(-1, -1, 1, scores.size(-1))
    return scores.gather(2, index).squeeze(2)
