"""Scores memories by how well each stored state fits the present state."""

import math
from typing import NamedTuple, Optional

import torch
from allennlp.common import Registrable
from allennlp.nn import Activation
from torch import Tensor

from spigot_allennlp.config_checks import check_least


class BilinearForm(NamedTuple):
    """
    The parameters of a score that is the product of a query and a key, both linear in a state.

    # Parameters

    query_weight : `Tensor`
        Shape `(size, hidden_size)`.
    query_bias : `Tensor`
        Shape `(size,)`.
    key_weight : `Tensor`
        Shape `(size, hidden_size)`.
    """

    query_weight: Tensor
    query_bias: Tensor
    key_weight: Tensor


class MemoryScore(torch.nn.Module, Registrable):
    """
    Scores stored states for a present state. The part of the score that depends only on a stored
    state, its *key*, is computed once, when the state is stored. Subclasses implement `key` and
    `forward`.

    A score must not be just a function of the present state plus a function of the stored one: the
    first term is the same for all memories, and no normalisation lets it choose between them.

    # Parameters

    hidden_size : `int`
        The size of a state.
    size : `int`, optional (default = `32`)
        The size of a key.
    """

    def __init__(self, hidden_size: int, size: int = 32) -> None:
        super().__init__()
        check_least(1, hidden_size=hidden_size, size=size)
        self.hidden_size = hidden_size
        self.size = size

    def key(self, value: Tensor) -> Tensor:
        """Returns the keys, `(..., size)`, for stored states `(..., hidden_size)`."""
        raise NotImplementedError

    def forward(self, hidden: Tensor, keys: Tensor) -> Tensor:
        """
        Returns the scores, `(batch_size, memories)`, for present states `(batch_size, hidden_size)`
        and keys `(batch_size, memories, size)`.
        """
        raise NotImplementedError

    def as_bilinear(self) -> Optional[BilinearForm]:
        """
        Returns all parameters if the score is a bilinear form; otherwise `None` (the default).
        """
        return None


@MemoryScore.register("bilinear")
class BilinearMemoryScore(MemoryScore):
    """
    Computes `(Q present + b) . (K stored) / sqrt(size)`: a bilinear form of rank `size`, the
    cheapest score that depends on both states. See `MemoryScore` for the parameters.

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

    def as_bilinear(self) -> BilinearForm:
        scale = math.sqrt(self.size)
        return BilinearForm(self._query.weight / scale, self._query.bias / scale, self._key.weight)


@MemoryScore.register("additive")
class AdditiveMemoryScore(MemoryScore):
    """
    Computes `v . activation(W [present; stored] + b)`: the perceptron of
    [Ke et al. (2018)](https://arxiv.org/abs/1809.03702), with a hidden layer that combines the two
    states. (Their released code has no hidden layer, and the present state cancels out.)

    Registered as a `MemoryScore` with name "additive".

    # Parameters

    activation : `Activation`, optional (default = `tanh`)
        The activation of the hidden layer; "relu" costs a fraction of "tanh" on a CPU. See
        `MemoryScore` for the other parameters.
    """

    def __init__(
        self,
        hidden_size: int,
        size: int = 32,
        activation: Activation = Activation.by_name("tanh")(),  # noqa: B008 (stateless)
    ) -> None:
        super().__init__(hidden_size, size)
        self._present = torch.nn.Linear(hidden_size, size)
        self._stored = torch.nn.Linear(hidden_size, size, bias=False)
        self._activation = activation
        self._output = torch.nn.Linear(size, 1, bias=False)
        for layer in (self._present, self._stored, self._output):
            torch.nn.init.xavier_uniform_(layer.weight)
        torch.nn.init.zeros_(self._present.bias)

    def key(self, value: Tensor) -> Tensor:
        return self._stored(value)

    def forward(self, hidden: Tensor, keys: Tensor) -> Tensor:
        layer = self._activation(self._present(hidden).unsqueeze(1) + keys)
        return self._output(layer).squeeze(-1)
