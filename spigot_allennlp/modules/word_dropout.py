"""Replaces words by the unknown word in training, rare words more often."""

from typing import Any, List, Optional

import torch
from allennlp.common import FromParams
from allennlp.common.checks import ConfigurationError
from allennlp.data import TextFieldTensors, Vocabulary
from torch import Tensor

from spigot_allennlp.config_checks import check_least, check_namespace


class WordDropout(torch.nn.Module, FromParams):
    """
    Replaces a word by the unknown word with probability `alpha / (count + alpha)` in training, so
    that the unknown word is learned and the model does not rely on rare words
    ([Kiperwasser & Goldberg, 2016](https://aclanthology.org/Q16-1023), section 4.3).

    # Parameters

    vocab : `Vocabulary`
        The source of the counts, if it was made from instances; afterwards they are saved with the
        weights.
    indexer : `str`, optional (default = `"words"`)
        The name of the token indexer whose ids are replaced; a single-id indexer.
    namespace : `str`, optional (default = `"tokens"`)
        Its vocabulary namespace.
    alpha : `float`, optional (default = `0.25`)
    together : `List[str]`, optional (default = `None`)
        Other single-id indexers that lose the same tokens (the original syntactic parser drops
        lemma and POS with the word, the semantic parser only the word).
    """

    _counts: Tensor

    def __init__(
        self,
        vocab: Vocabulary,
        indexer: str = "words",
        namespace: str = "tokens",
        alpha: float = 0.25,
        together: Optional[List[str]] = None,
    ) -> None:
        super().__init__()
        check_least(0, alpha=alpha)
        check_namespace(vocab, namespace, "words to drop")
        self._alpha = alpha
        self._namespace = namespace
        self._indexers = [indexer] + (together or [])
        self._unknown = vocab.get_token_index(vocab._oov_token, namespace)
        self.register_buffer("_counts", _counts(vocab, namespace))

    def extend_vocab(self, extended_vocab: Vocabulary, **embedding_sources: Any) -> None:
        """
        Makes room for words added to the vocabulary later, as if each had been seen once. Called by
        `Model.extend_embedder_vocab` when training continues from an archive.
        """
        added = extended_vocab.get_vocab_size(self._namespace) - len(self._counts)
        self._counts = torch.nn.functional.pad(self._counts, (0, added), value=1.0)

    def forward(self, tokens: TextFieldTensors) -> TextFieldTensors:
        """Returns the tensors with the ids of some tokens replaced; unchanged in evaluation."""
        if not self.training or self._alpha == 0:
            return tokens
        if not self._counts.any():
            raise ConfigurationError(
                "Word dropout needs to know how frequent the words are, but the namespace "
                f"'{self._namespace}' of this vocabulary was not counted: it was read from files. "
                "Make it from instances (vocabulary type 'from_instances'), or leave word_dropout "
                "out."
            )
        ids = _single_ids(tokens, self._indexers[0])
        try:
            counts = self._counts[ids]
        except IndexError:
            raise ConfigurationError(
                f"Word dropout knows the {len(self._counts)} entries of the namespace "
                f"'{self._namespace}', but the indexer '{self._indexers[0]}' gives a number "
                f"{int(ids.max())}. Set the 'namespace' of word_dropout to that of the indexer."
            ) from None
        chance = self._alpha / (counts + self._alpha)
        dropped = torch.rand_like(chance) < chance
        changed = dict(tokens)
        for name in self._indexers:
            # Ids are unknown (1) in every padded namespace; padding (0) is masked anyway.
            replaced = _single_ids(tokens, name).masked_fill(dropped, self._unknown)
            changed[name] = {**tokens[name], "tokens": replaced}
        return changed


def _single_ids(tokens: TextFieldTensors, indexer: str) -> Tensor:
    if indexer not in tokens or "tokens" not in tokens[indexer]:
        raise ConfigurationError(
            f"Word dropout looks for a single-id token indexer named '{indexer}', but the "
            f"instances have {sorted(tokens)}. Set 'indexer' and 'together' of word_dropout to "
            "names of your token_indexers."
        )
    return tokens[indexer]["tokens"]


def _counts(vocab: Vocabulary, namespace: str) -> Tensor:
    """
    Returns how often each word occurred in the instances from which the vocabulary was made, shape
    `(vocabulary_size,)`.
    """
    counts = torch.zeros(vocab.get_vocab_size(namespace))
    # AllenNLP keeps the counts in this attribute for its own min_count; there is no public access.
    counted = (vocab._retained_counter or {}).get(namespace, {})
    for token, count in counted.items():
        counts[vocab.get_token_index(token, namespace)] += count
    return counts
