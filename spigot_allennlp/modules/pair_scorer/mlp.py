"""The two-layer perceptron of the original SPIGOT code."""

import torch
from torch import Tensor

from spigot_allennlp.modules.pair_scorer.pair_scorer import PairScorer


@PairScorer.register("mlp")
class MlpScorer(PairScorer):
    """
    `w_l^T tanh(W_2 tanh(W_d d + W_h h + b_1) + b_2) + b_l`, the scorer of
    [Peng et al. (2018)](https://aclanthology.org/P18-1173) for arcs and for labels. Takes
    `batch_size * length^2 * hidden_dim` numbers of memory twice, so it is dearer than "biaffine".

    Registered as a `PairScorer` with name "mlp".

    # Parameters

    hidden_dim : `int`, optional (default = `100`)
        The size of both layers.
    """

    def __init__(self, input_dim: int, num_outputs: int, hidden_dim: int = 100) -> None:
        super().__init__(input_dim, num_outputs)
        self._dependent = torch.nn.Linear(input_dim, hidden_dim)
        self._head = torch.nn.Linear(input_dim, hidden_dim, bias=False)
        self._hidden = torch.nn.Linear(hidden_dim, hidden_dim)
        self._output = torch.nn.Linear(hidden_dim, num_outputs)

    def forward(self, tokens: Tensor) -> Tensor:
        # (batch_size, dependent, head, hidden_dim)
        pairs = self._dependent(tokens).unsqueeze(2) + self._head(tokens).unsqueeze(1)
        return self._output(torch.tanh(self._hidden(torch.tanh(pairs))))
