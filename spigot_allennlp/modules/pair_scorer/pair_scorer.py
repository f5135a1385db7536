"""Scores of every pair of a dependent and a head, from the vectors of the tokens."""

import torch
from allennlp.common import Registrable
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
