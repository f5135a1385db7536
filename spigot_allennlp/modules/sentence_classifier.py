"""Scores the classes of a sentence from the vectors of its tokens."""

from typing import Optional

import torch
from allennlp.common import FromParams, Lazy
from allennlp.common.checks import check_dimensions_match
from allennlp.modules import FeedForward, Seq2VecEncoder
from allennlp.modules.seq2vec_encoders import BagOfEmbeddingsEncoder
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.dropout import Dropout


class SentenceClassifier(torch.nn.Module, FromParams):
    """
    Pools the tokens, and scores the classes from the result.

    # Parameters

    input_dim : `int`
        The size of a token vector. Given by the model, not by the config.
    num_classes : `int`
        Given by the model.
    pooler : `Seq2VecEncoder`, optional (default = `None`)
        The sum over the tokens by default, as in
        [Peng et al. (2018)](https://aclanthology.org/P18-1173).
    feedforward : `Lazy[FeedForward]`, optional (default = `None`)
        Between the pooler and the output layer; its `input_dim` need not be given.
    dropout : `float`, optional (default = `0.0`)
        The dropout of the token vectors.
    """

    def __init__(
        self,
        input_dim: int,
        num_classes: int,
        pooler: Optional[Seq2VecEncoder] = None,
        feedforward: Optional[Lazy[FeedForward]] = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self._dropout = Dropout(dropout)
        self._pooler = pooler or BagOfEmbeddingsEncoder(input_dim)
        check_dimensions_match(
            input_dim,
            self._pooler.get_input_dim(),
            "the size of a token's vector",
            "the input size of the pooler",
        )
        dim = self._pooler.get_output_dim()
        self._feedforward = None
        if feedforward is not None:
            self._feedforward = feedforward.construct(input_dim=dim)
            dim = self._feedforward.get_output_dim()
        self._classes = torch.nn.Linear(dim, num_classes)

    def forward(self, tokens: Tensor, mask: BoolTensor) -> Tensor:
        """
        # Parameters

        tokens : `Tensor`
            Shape `(batch_size, length, input_dim)`.
        mask : `BoolTensor`
            Shape `(batch_size, length)`.

        # Returns

        `Tensor`
            Shape `(batch_size, num_classes)`: unnormalised log probabilities.
        """
        vector = self._pooler(self._dropout(tokens), mask)
        if self._feedforward is not None:
            vector = self._feedforward(vector)
        return self._classes(vector)
