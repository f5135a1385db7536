"""A vector of zeros with a one, for each symbol of a small vocabulary."""

import torch
from allennlp.data import Vocabulary
from allennlp.modules import TokenEmbedder
from torch import LongTensor, Tensor


@TokenEmbedder.register("one_hot")
class OneHotEmbedder(TokenEmbedder):
    """
    Registered as a `TokenEmbedder` with name "one_hot".

    # Parameters

    vocab : `Vocabulary`
    vocab_namespace : `str`, optional (default = `"tokens"`)
        The vectors are as long as it is large, padding and the unknown one included.
    """

    def __init__(self, vocab: Vocabulary, vocab_namespace: str = "tokens") -> None:
        super().__init__()
        self._size = vocab.get_vocab_size(vocab_namespace)
        # Says which type of numbers the model has.
        self.register_buffer("_one", torch.ones(()), persistent=False)

    def get_output_dim(self) -> int:
        return self._size

    def forward(self, tokens: LongTensor) -> Tensor:
        """From `(batch_size, length)` to `(batch_size, length, output_dim)`."""
        return torch.nn.functional.one_hot(tokens, self._size).to(self._one.dtype)
