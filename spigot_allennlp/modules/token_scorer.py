"""Scores every token from its vector."""

import torch
from allennlp.common import FromParams
from torch import Tensor

from spigot_allennlp.config_checks import check_least


class TokenScorer(torch.nn.Module, FromParams):
    """
    `w^T tanh(W_2 tanh(W_1 x + b_1) + b_2) + b`, the scorer of
    [Peng et al. (2018)](https://aclanthology.org/P18-1173) for predicates.

    # Parameters

    input_dim : `int`
        The size of a token vector. Given by the model, not by the config.
    hidden_dim : `int`, optional (default = `100`)
        The size of both layers.
    """

    def __init__(self, input_dim: int, hidden_dim: int = 100) -> None:
        super().__init__()
        check_least(1, hidden_dim=hidden_dim)
        self._layers = torch.nn.Sequential(
            torch.nn.Linear(input_dim, hidden_dim),
            torch.nn.Tanh(),
            torch.nn.Linear(hidden_dim, hidden_dim),
            torch.nn.Tanh(),
            torch.nn.Linear(hidden_dim, 1),
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """
        Returns the scores, shape `(batch_size, length)`, for vectors of shape
        `(batch_size, length, input_dim)`.
        """
        return self._layers(tokens).squeeze(-1)
