"""
Mendings for the files of pretrained word vectors, which AllenNLP reads without errors of its own.
"""

import logging
from typing import Any, Iterator, List

from spigot_allennlp.compat.mending import mends

logger = logging.getLogger(__name__)


@mends(
    "allennlp.modules.token_embedders.embedding",
    since="AllenNLP: damaged files of word vectors end in bare errors, or lose words silently",
    until="AllenNLP names file and line, and knows byte order marks and words with spaces",
)
def word_vectors_are_read_or_the_line_is_named(module: Any) -> Iterator[None]:
    """Every `pretrained_file` comes here, but for HDF5. Random numbers are drawn as before."""
    yield

    def _read_embeddings_from_text_file(
        file_uri: str, embedding_dim: int, vocab: Any, namespace: str = "tokens"
    ) -> Any:
        from spigot_allennlp.data.formats.embeddings import read_vectors

        words = vocab.get_index_to_token_vocabulary(namespace)
        size = vocab.get_vocab_size(namespace)
        vectors = read_vectors(file_uri, embedding_dim, set(words.values()))
        if not vectors:
            raise module.ConfigurationError(
                f"{file_uri} has none of the {size} words of the vocabulary (namespace "
                f'"{namespace}"). Check that both are of one language and in one case, and that '
                "the vocabulary was built before."
            )
        matrix = module.numpy.asarray(list(vectors.values()))
        weight = module.torch.FloatTensor(size, embedding_dim).normal_(
            float(matrix.mean()), float(matrix.std())
        )
        for index in range(size):
            if words[index] in vectors:
                weight[index] = module.torch.from_numpy(vectors[words[index]])
        logger.info("Pretrained embeddings were found for %d out of %d tokens", len(vectors), size)
        return weight

    module._read_embeddings_from_text_file = _read_embeddings_from_text_file


@mends(
    "allennlp.data.vocabulary",
    since="AllenNLP: as for the vectors; the words of such files choose those of a vocabulary",
    until="AllenNLP reads both in one place",
)
def words_of_vectors_are_read_as_their_vectors_are(module: Any) -> Iterator[None]:
    yield

    def _read_pretrained_tokens(embeddings_file_uri: str) -> List[str]:
        from spigot_allennlp.data.formats.embeddings import read_words

        return read_words(embeddings_file_uri)

    module._read_pretrained_tokens = _read_pretrained_tokens
