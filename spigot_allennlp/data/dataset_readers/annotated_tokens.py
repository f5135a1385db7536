"""Tokens that warn when they lack the annotation that a model learned from."""

import logging
from typing import Dict, List, Mapping, NamedTuple, Optional, Set
from weakref import finalize

from allennlp.data import Token, Vocabulary
from allennlp.data.fields import TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer, TokenIndexer

logger = logging.getLogger(__name__)

# Stands for a layer that a sentence lacks, here and in the formats.
NOT_GIVEN = "_"
# If more than this share of the training tokens had `NOT_GIVEN` for a layer, the model has learned
# to do without the layer.
RARE_SHARE = 0.1
# Among at least this many words, the vocabulary knows some part of speech if the tag set is the
# same.
ENOUGH_WORDS = 5
# The number of words, tags and known tags in a warning, and of characters of the words.
SHOWN_WORDS, SHOWN_CHARACTERS = 5, 100


class TokenLayer(NamedTuple):
    """A layer of annotation: its name in warnings, and its key in the JSON of a predictor."""

    name: str
    key: str


# By the token attribute that holds the layer, which AllenNLP calls a feature.
LAYERS = {
    "lemma_": TokenLayer("lemmas", "lemmas"),
    "pos_": TokenLayer("parts of speech", "pos"),
    "tag_": TokenLayer("parts of speech", "pos"),
}
TAGS = ("pos_", "tag_")

WAY_OUT = (
    'Give them: as "{key}" in the JSON of a line; in their column of a file; or, for text, by a '
    'spaCy pipeline that makes them, if one is installed: --predictor-args \'{{"language": '
    '"en_core_web_sm"}}\'. Or train a model that does without, as '
    "training_config/semantic_parser/raw_text.jsonnet does."
)

# The kinds of warnings already given for a vocabulary, by its `id`, since it has no hash.
_warned: Dict[int, Set[str]] = {}


class AnnotatedTokens(TextField):
    """
    Holds the tokens of a sentence with `lemma_`, `pos_` and `tag_`. When a vocabulary that has
    learned a layer indexes a sentence without it, or with another tag set, this logs a warning,
    once per vocabulary and layer: the model predicts poorly for such a sentence.
    """

    __slots__ = ()

    def index(self, vocab: Vocabulary) -> None:
        for indexer in self.token_indexers.values():
            for feature in LAYERS:
                namespace = _namespace_of(indexer, feature)
                if namespace is not None:
                    _warn_of_missing_layer(self.tokens, feature, namespace, vocab)
        super().index(vocab)


def learned_layers(indexers: Mapping[str, TokenIndexer], vocab: Vocabulary) -> Set[str]:
    """
    Returns the token features (`"lemma_"`, `"pos_"`, `"tag_"`) that a model with these indexers and
    this vocabulary learned from: those that were not always `_` in training.
    """
    namespaces = [
        (feature, _namespace_of(indexer, feature))
        for feature in LAYERS
        for indexer in indexers.values()
    ]
    return {
        feature
        for feature, namespace in namespaces
        if namespace is not None and _has_learned(namespace, vocab)
    }


def warn_once(vocab: Vocabulary, kind: str, message: str) -> None:
    """Logs the first warning of its kind for a vocabulary, and so for its model."""
    if id(vocab) not in _warned:
        _warned[id(vocab)] = set()
        finalize(vocab, _warned.pop, id(vocab), None)
    kinds = _warned[id(vocab)]
    if kind not in kinds:
        kinds.add(kind)
        logger.warning(message)


def _namespace_of(indexer: TokenIndexer, feature: str) -> Optional[str]:
    """
    Returns the namespace in which the indexer looks up this token feature; `None` if it does not
    look it up. The attribute is private to AllenNLP, but there is no other way to it.
    """
    if isinstance(indexer, SingleIdTokenIndexer) and indexer._feature_name == feature:
        return indexer.namespace
    return None


def _warn_of_missing_layer(
    tokens: List[Token], feature: str, namespace: str, vocab: Vocabulary
) -> None:
    """Warns if the tokens lack a layer that the vocabulary has learned, or have another tag set."""
    if not tokens:
        return
    known = vocab.get_token_to_index_vocabulary(namespace)
    first = getattr(tokens[0], feature)
    # For nearly all sentences, the first token shows that nothing is wrong.
    if first != NOT_GIVEN and (first in known or feature not in TAGS):
        return
    values = [getattr(token, feature) or NOT_GIVEN for token in tokens]
    layer = LAYERS[feature]
    sentence = " ".join(str(token) for token in tokens[:SHOWN_WORDS])[:SHOWN_CHARACTERS]
    if set(values) == {NOT_GIVEN}:
        if _has_learned(namespace, vocab):
            warn_once(
                vocab,
                f"{feature} is missing",
                f"This model learned from {layer.name}, but there are none in {sentence!r}, and "
                f"perhaps in more sentences. {WAY_OUT.format(key=layer.key)}",
            )
    elif feature in TAGS and len(tokens) >= ENOUGH_WORDS and not known.keys() & set(values):
        warn_once(
            vocab,
            f"{feature} is of another tag set",
            f"None of the {layer.name} of {sentence!r}, {values[:SHOWN_WORDS]}, was there in "
            f"training, which had {[tag for tag in known if tag.isalpha()][:SHOWN_WORDS]} and "
            "others: they are of another tag set, and tell this model nothing. (Of a spaCy "
            'pipeline the predictors take "pos_feature": "tag_" or "pos_".)',
        )


def _has_learned(namespace: str, vocab: Vocabulary) -> bool:
    """
    Returns whether the values of a namespace are meaningful: there are values other than `_`, and
    `_` is rare. The names of the special tokens and the counts are private to AllenNLP's
    vocabulary.
    """
    known = vocab.get_token_to_index_vocabulary(namespace)
    meaningless = (vocab._padding_token, vocab._oov_token, NOT_GIVEN)
    if len(known) <= sum(token in known for token in meaningless):
        return False
    counts = (vocab._retained_counter or {}).get(namespace)
    if not counts:  # in archives from before the counts were kept
        return NOT_GIVEN not in known
    return counts.get(NOT_GIVEN, 0) < RARE_SHARE * sum(counts.values())
