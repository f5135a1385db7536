"""A product of the present state and the stored one."""

import math
from typing import Tuple

import torch
from torch import Tensor

from spigot_allennlp.modules.memory_score.memory_score import MemoryScore


@MemoryScore.register("bilinear")
class BilinearMemoryScore(MemoryScore):
    """
    `(Q present + b) . (K stored) / sqrt(size)`: a bilinear form of rank `size`, the cheapest score
    that depends on both. See `MemoryScore` for the parameters.

    Registered as a `MemoryScore` with name "bilinear".
    """

    def __init__(self, hidden_size: int, size: int = 32) -> None:
        super().__init__(hidden_size, size)
        self._query = torch.nn.Linear(hidden_size, size)
        self._key = torch.nn.Linear(hidden_size, size, bias=False)
        for layer in (self._query, self._key):
            torch.nn.init.xavier_uniform_(layer.weight)
        torch.nn.init.zeros_(self._query.bias)

    def key(self, value: Tensor) -> Tensor:
        return self._key(value)

    def forward(self, hidden: Tensor, keys: Tensor) -> Tensor:
        query = self._query(hidden).unsqueeze(1) / math.sqrt(self.size)
        return (query @ keys.transpose(1, 2)).squeeze(1)

    def as_bilinear(self) -> Tuple[Tensor, Tensor, Tensor]:
        scale = math.sqrt(self.size)
        return self._query.weight / scale, self._query.bias / scale, self._key.weight
