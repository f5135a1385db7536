"""Batches of arc scores at random."""

from typing import Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.arcs import arc_mask


def random_batch(
    seed: int, batch_size: int, length: int, scale: float = 1.0, kept: float = 1.0
) -> Tuple[Tensor, BoolTensor, Tensor]:
    """
    Scores, arc mask and a direction, `(batch_size, length, length)`; sentences of random lengths,
    some of them empty, some arcs pruned.
    """
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(0, length, (batch_size, 1), generator=generator)
    mask = arc_mask(torch.arange(length) <= lengths)
    mask &= torch.rand(mask.shape, generator=generator) < kept
    scores, direction = torch.randn(2, *mask.shape, generator=generator, dtype=torch.double)
    return scale * scores, mask, direction


def whole_sentences(batch_size: int, num_tokens: int) -> BoolTensor:
    """The arc mask of sentences of one length."""
    return arc_mask(torch.ones(batch_size, num_tokens + 1, dtype=torch.bool))
