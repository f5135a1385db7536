"""
Embeds words with vectors from a file, which stay fixed; the vectors of other words are learned.
"""

from typing import Any, Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.modules import TokenEmbedder
from allennlp.modules.token_embedders import Embedding
from torch import LongTensor, Tensor

from spigot_allennlp.data.formats.embeddings import read_vectors


@TokenEmbedder.register("frozen_known_embedding")
class FrozenKnownEmbedding(TokenEmbedder):
    """
    AllenNLP's "embedding", but words that have a vector in `pretrained_file` keep it, and only the
    vectors of other words are learned, as in the sentiment classifier of
    [Peng et al. (2018)](https://aclanthology.org/P18-1173). The fixed vectors are not parameters:
    no optimizer touches them, and weight decay does not shrink them.

    Registered as a `TokenEmbedder` with name "frozen_known_embedding".

    # Parameters

    vocab : `Vocabulary`
    embedding_dim : `int`
    vocab_namespace : `str`, optional (default = `"tokens"`)
    pretrained_file : `str`, optional (default = `None`)
        As for "embedding". Without a file all vectors are learned. An archive needs no file, since
        it holds the vectors.
    """

    _known: Tensor
    _fixed: Tensor

    def __init__(
        self,
        vocab: Vocabulary,
        embedding_dim: int,
        vocab_namespace: str = "tokens",
        pretrained_file: Optional[str] = None,
    ) -> None:
        super().__init__()
        self._learned = Embedding(embedding_dim, vocab_namespace=vocab_namespace, vocab=vocab)
        size = vocab.get_vocab_size(vocab_namespace)
        self.register_buffer("_known", torch.zeros(size, dtype=torch.bool))
        self.register_buffer("_fixed", torch.zeros(size, embedding_dim))
        if pretrained_file is not None:
            words = vocab.get_token_to_index_vocabulary(vocab_namespace)
            vectors = read_vectors(pretrained_file, embedding_dim, words)
            if not vectors:
                raise ConfigurationError(
                    f"{pretrained_file} has none of the {size} words of the vocabulary (namespace "
                    f'"{vocab_namespace}"). Check that both are of one language and in one case.'
                )
            for word, vector in vectors.items():
                self._known[words[word]] = True
                self._fixed[words[word]] = torch.from_numpy(vector)

    def get_output_dim(self) -> int:
        return self._learned.get_output_dim()

    def extend_vocab(self, extended_vocab: Vocabulary, **embedding_sources: Any) -> None:
        """Makes room for words added to the vocabulary later; their vectors are learned."""
        self._learned.extend_vocab(extended_vocab, **embedding_sources)
        added = len(self._learned.weight) - len(self._known)
        self._known = torch.nn.functional.pad(self._known, (0, added))
        self._fixed = torch.nn.functional.pad(self._fixed, (0, 0, 0, added))

    def forward(self, tokens: LongTensor) -> Tensor:
        """Returns vectors `(batch_size, length, output_dim)` for indices `(batch_size, length)`."""
        learned = self._learned(tokens)
        return torch.where(self._known[tokens].unsqueeze(-1), self._fixed[tokens], learned)
