"""An annotated sentence as the instance that the parsers take."""

from typing import Dict

from allennlp.data import Field, Instance
from allennlp.data.fields import MetadataField
from allennlp.data.tokenizers import Token

from spigot_allennlp.data.annotated_sentence import AnnotatedSentence
from spigot_allennlp.data.dataset_readers.annotated_tokens import NOT_GIVEN, AnnotatedTokens
from spigot_allennlp.data.dataset_readers.layer_checks import check_layers, check_positions
from spigot_allennlp.data.dataset_readers.open_namespace_fields import (
    OpenAdjacencyField,
    OpenSequenceLabelField,
)


def treebank_instance(sentence: AnnotatedSentence) -> Instance:
    """
    An instance with a field for each layer that is there. Both namespaces are padded: a label that
    training never saw becomes the unknown label.

    # Returns

    instance : `Instance`
        - `tokens`: a `TextField` without indexers; a token has `text`, `lemma_`, `pos_` and `tag_`
          (the fine part of speech; the same as `pos_` where there is one kind), `_` where they are
          not given.
        - `heads`: the position of each head, from 1, 0 for the root.
        - `relations`: in the namespace `dependency_relations`.
        - `graph`: an `AdjacencyField` from pairs (argument, predicate), positions from 0, to roles,
          in the namespace `semantic_roles`.
        - `tops`: 0 or 1 for each token.
        - `metadata`: a dictionary with `id`, `words`, `lemmas`, `pos` and `source`.

    # Raises

    `ConfigurationError` if there is no word, if a layer has not one entry for each word, or a
    position is outside the sentence.
    """
    _check(sentence)
    tokens = _tokens(sentence)
    fields: Dict[str, Field] = {"tokens": tokens}
    if sentence.heads is not None:
        fields["heads"] = OpenSequenceLabelField(sentence.heads, tokens, "head_positions")
    if sentence.relations is not None:
        relations = sentence.relations
        fields["relations"] = OpenSequenceLabelField(relations, tokens, "dependency_relations")
    if sentence.arcs is not None:
        pairs = [(argument - 1, predicate - 1) for predicate, argument, _ in sentence.arcs]
        roles = [role for _, _, role in sentence.arcs]
        fields["graph"] = OpenAdjacencyField(pairs, tokens, roles, "semantic_roles")
    if sentence.tops is not None:
        flags = [int(position in sentence.tops) for position in range(1, len(tokens) + 1)]
        fields["tops"] = OpenSequenceLabelField(flags, tokens, "top_flags")
    fields["metadata"] = MetadataField(
        {
            "id": sentence.identifier,
            "words": sentence.words,
            "lemmas": sentence.lemmas,
            "pos": sentence.pos,
            "source": sentence.source,
        }
    )
    return Instance(fields)


def _tokens(sentence: AnnotatedSentence) -> AnnotatedTokens:
    missing = [NOT_GIVEN] * len(sentence.words)
    columns = zip(
        sentence.words,
        sentence.lemmas or missing,
        sentence.pos or sentence.tags or missing,
        sentence.tags or sentence.pos or missing,
        strict=True,
    )
    return AnnotatedTokens(
        [Token(text=text, lemma_=lemma, pos_=pos, tag_=tag) for text, lemma, pos, tag in columns]
    )


def _check(sentence: AnnotatedSentence) -> None:
    check_layers(
        sentence.words,
        lemmas=sentence.lemmas,
        pos=sentence.pos,
        tags=sentence.tags,
        heads=sentence.heads,
        relations=sentence.relations,
    )
    check_positions(len(sentence.words), sentence.heads, sentence.arcs, sentence.tops)
