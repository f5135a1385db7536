"""Scores every pair of a dependent and a head, from the vectors of the tokens."""

from typing import Optional

import torch
from allennlp.common import Registrable
from allennlp.nn import Activation
from torch import Tensor


class PairScorer(torch.nn.Module, Registrable):
    """
    Scores every pair of a dependent and a head: the arc, or each of its labels.

    # Parameters

    input_dim : `int`
        The size of a token vector. Given by the model, not by the config.
    num_outputs : `int`
        How many scores a pair has: 1 for arcs, the number of labels for labels. Given by the model.
    """

    def __init__(self, input_dim: int, num_outputs: int) -> None:
        super().__init__()
        self.input_dim = input_dim
        self.num_outputs = num_outputs

    def forward(self, tokens: Tensor) -> Tensor:
        """
        # Parameters

        tokens : `Tensor`
            Shape `(batch_size, length, input_dim)`.

        # Returns

        `Tensor`
            Shape `(batch_size, length, length, num_outputs)`, indexed
            `[batch, dependent, head, output]`.
        """
        raise NotImplementedError


@PairScorer.register("biaffine")
class BiaffineScorer(PairScorer):
    """
    `d^T U_l h + u_l^T d + v_l^T h + b_l`, where d and h are one-layer views of the dependent and of
    the head ([Dozat & Manning, 2017](https://arxiv.org/abs/1611.01734), equations 4 to 9).

    Registered as a `PairScorer` with name "biaffine".

    # Parameters

    hidden_dim : `int`, optional (default = `100`)
        The size of d and of h.
    activation : `Activation`, optional (default = `"elu"`)
    dropout : `float`, optional (default = `0.0`)
        Of d and of h.
    """

    def __init__(
        self,
        input_dim: int,
        num_outputs: int,
        hidden_dim: int = 100,
        activation: Optional[Activation] = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(input_dim, num_outputs)
        self._dependent = torch.nn.Linear(input_dim, hidden_dim)
        self._head = torch.nn.Linear(input_dim, hidden_dim)
        self._activation = activation or Activation.by_name("elu")()
        self._dropout = torch.nn.Dropout(dropout)
        self._bilinear = torch.nn.Parameter(torch.empty(num_outputs, hidden_dim, hidden_dim))
        self._from_dependent = torch.nn.Linear(hidden_dim, num_outputs)
        self._from_head = torch.nn.Linear(hidden_dim, num_outputs, bias=False)
        for matrix in self._bilinear:
            torch.nn.init.xavier_uniform_(matrix)

    def forward(self, tokens: Tensor) -> Tensor:
        # (batch_size, length, hidden_dim)
        dependents = self._dropout(self._activation(self._dependent(tokens)))
        heads = self._dropout(self._activation(self._head(tokens)))
        batch_size, length, hidden_dim = heads.shape
        # (batch_size, length * num_outputs, hidden_dim)
        turned = torch.einsum("bdi,lij->bdlj", dependents, self._bilinear)
        turned = turned.reshape(batch_size, length * self.num_outputs, hidden_dim)
        # (batch_size, dependent, output, head)
        both = torch.bmm(turned, heads.transpose(1, 2)).reshape(batch_size, length, -1, length)
        either = self._from_dependent(dependents).unsqueeze(2) + self._from_head(heads).unsqueeze(1)
        return both.transpose(2, 3) + either


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
