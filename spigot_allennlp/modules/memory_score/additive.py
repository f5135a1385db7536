"""A hidden layer over the present state and the stored one."""

import torch
from allennlp.nn import Activation
from torch import Tensor

from spigot_allennlp.modules.memory_score.memory_score import MemoryScore


@MemoryScore.register("additive")
class AdditiveMemoryScore(MemoryScore):
    """
    `v . activation(W [present; stored] + b)`: the perceptron that
    [Ke et al. (2018)](https://arxiv.org/abs/1809.03702) speak of, with a hidden layer, where the
    two states meet. (In the code they released there is none, and the present state cancels out.)

    Registered as a `MemoryScore` with name "additive".

    # Parameters

    activation : `Activation`, optional (default = `tanh`)
        Of the hidden layer; "relu" costs a fraction of "tanh" on a CPU. See `MemoryScore` for the
        others.
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
