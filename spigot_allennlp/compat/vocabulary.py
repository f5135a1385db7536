"""
Patches for vocabulary files, which lose the counts of the words, and for pretrained word vectors,
which AllenNLP reads without its own error messages.
"""

import functools
import json
import logging
import os
from typing import Any, Dict, Iterator, List

from spigot_allennlp.compat.patching import patch

COUNTS = ".counts.json"  # hidden, since every visible file of the folder is a namespace


@patch(
    "allennlp.data.vocabulary",
    since="AllenNLP 2.10.1 itself: read from files, as the workers of a distributed run read it, a "
    "vocabulary has lost the counts that word dropout needs",
    until="AllenNLP saves the counts that it collects",
)
def vocabulary_keeps_its_counts(module: Any) -> Iterator[None]:
    yield
    save, load = module.Vocabulary.save_to_files, module.Vocabulary.from_files.__func__

    @functools.wraps(save)
    def save_to_files(self: Any, directory: str) -> None:
        save(self, directory)
        if self._retained_counter:
            with open(os.path.join(directory, COUNTS), "w", encoding="utf-8") as file:
                json.dump(self._retained_counter, file)

    @functools.wraps(load)
    def from_files(cls: Any, directory: Any, *options: Any, **named_options: Any) -> Any:
        vocabulary = load(cls, directory, *options, **named_options)
        folder = directory
        if not os.path.isdir(directory):
            folder = module.cached_path(directory, extract_archive=True)
        for place in (folder, os.path.join(folder, "vocabulary")):
            path = os.path.join(place, COUNTS)
            if not vocabulary._retained_counter and os.path.exists(path):
                vocabulary._retained_counter = counts_in(path)
        return vocabulary

    module.Vocabulary.save_to_files = save_to_files
    module.Vocabulary.from_files = classmethod(from_files)


def counts_in(path: str) -> Dict[str, Dict[str, int]]:
    """
    Reads how often each entry of each namespace was seen.

    # Raises

    `ConfigurationError`
        If the file does not hold such counts.
    """
    from allennlp.common.checks import ConfigurationError

    try:
        with open(path, encoding="utf-8") as file:
            counts = json.load(file)
        if all(count >= 0 for entries in counts.values() for count in entries.values()):
            return counts
        reason = "a count is below 0"
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        reason = str(error)[:200]
    raise ConfigurationError(
        f"{path} should have the counts of the vocabulary's entries, but {reason}. Without the "
        "file the vocabulary can be read, but word dropout has no counts to go by."
    )


logger = logging.getLogger(__name__)


@patch(
    "allennlp.modules.token_embedders.embedding",
    since="AllenNLP: damaged files of word vectors end in bare errors, or lose words silently",
    until="AllenNLP names file and line, and knows byte order marks and words with spaces",
)
def word_vectors_are_read_or_the_line_is_named(module: Any) -> Iterator[None]:
    """Handles every `pretrained_file` except HDF5. Random numbers are drawn as before."""
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


@patch(
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
