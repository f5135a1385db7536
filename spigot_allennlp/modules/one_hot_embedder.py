"""Embeds each symbol of a small vocabulary as a one-hot vector."""

import torch
from allennlp.data import Vocabulary
from allennlp.modules import TokenEmbedder
from torch import LongTensor, Tensor


@TokenEmbedder.register("one_hot")
class OneHotEmbedder(TokenEmbedder):
    """
    Embeds a symbol as the vector that is one at its index, and zero elsewhere.

    Registered as a `TokenEmbedder` with name "one_hot".

    # Parameters

    vocab : `Vocabulary`
    vocab_namespace : `str`, optional (default = `"tokens"`)
        Its size, including padding and the unknown symbol, is the length of the vectors.
    """

    def __init__(self, vocab: Vocabulary, vocab_namespace: str = "tokens") -> None:
        super().__init__()
        self._size = vocab.get_vocab_size(vocab_namespace)
        # Tracks the floating-point type of the model.
        self.register_buffer("_one", torch.ones(()), persistent=False)

    def get_output_dim(self) -> int:
        return self._size

    def forward(self, tokens: LongTensor) -> Tensor:
        """Returns vectors `(batch_size, length, output_dim)` for indices `(batch_size, length)`."""
        return torch.nn.functional.one_hot(tokens, self._size).to(self._one.dtype)
