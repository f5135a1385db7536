"""How well a stored state fits the present one."""

from typing import Optional, Tuple

import torch
from allennlp.common import Registrable
from torch import Tensor


class MemoryScore(torch.nn.Module, Registrable):
    """
    Scores stored states for a present one. What a stored state gives to its scores is computed
    once, its *key*; two holes to fill.

    A score must be more than a sum of something of the present state and something of the stored
    one: what a sum owes to the present state is the same for all memories, and no normalisation
    lets it choose between them.

    # Parameters

    hidden_size : `int`
        The size of states.
    size : `int`, optional (default = `32`)
        The size of keys.
    """

    def __init__(self, hidden_size: int, size: int = 32) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.size = size

    def key(self, value: Tensor) -> Tensor:
        """From stored states, `(..., hidden_size)`, to keys, `(..., size)`."""
        raise NotImplementedError

    def forward(self, hidden: Tensor, keys: Tensor) -> Tensor:
        """
        The scores of memories, given present states `(batch_size, hidden_size)` and keys
        `(batch_size, memories, size)`; shape `(batch_size, memories)`.
        """
        raise NotImplementedError

    def as_bilinear(self) -> Optional[Tuple[Tensor, Tensor, Tensor]]:
        """
        Weight `(size, hidden_size)` and bias of a query whose products with keys the scores are,
        and the weight of the key; `None` (default) for a score that is none.
        """
        return None
