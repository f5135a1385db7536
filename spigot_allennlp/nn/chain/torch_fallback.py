"""
Chains of tags in vectorised torch: the recurrence of `chain.py`, position by position.
"""

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.arcs import lengths_from_arc_mask
from spigot_allennlp.nn.recurrence import IMPOSSIBLE, Recurrence, Reduce, no_choice


def chain_recurrence(mask: BoolTensor) -> Recurrence:
    """
    Returns the recurrence over the sequences of the parts in `mask`, for `nn/recurrence.py`. It
    computes zero for an empty sentence.
    """

    def reduced(scores: Tensor, reduce: Reduce) -> Tensor:
        if scores.size(1) < 2:
            return no_choice(scores)
        lengths = lengths_from_arc_mask(mask.flatten(2))
        # (batch_size, tag): all sequences so far that end with a tag
        ending = scores.new_full((scores.size(0), scores.size(2)), IMPOSSIBLE)
        ending[:, 0] = 0
        for position in range(1, scores.size(1)):
            longer = reduce(scores[:, position] + ending.unsqueeze(1))
            ending = torch.where((position <= lengths).unsqueeze(1), longer, ending)
        return reduce(ending)

    return reduced
