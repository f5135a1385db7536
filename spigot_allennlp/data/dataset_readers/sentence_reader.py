"""
The base of the sentence readers, and the instance that it makes from an annotated sentence.

A subclass reads a file as `AnnotatedSentence`s. This class checks them, divides them among
processes, and turns them into instances. Errors for unreadable sentences are raised or skipped.
"""

from collections import Counter
from itertools import chain
from os import PathLike
from typing import Any, Dict, Iterator, List, Optional, Sequence, Type, Union

from allennlp.common.checks import ConfigurationError
from allennlp.data import Field, Instance
from allennlp.data.fields import AdjacencyField, MetadataField, SequenceLabelField
from allennlp.data.token_indexers import SingleIdTokenIndexer, TokenIndexer
from allennlp.data.tokenizers import Token

from spigot_allennlp.config_checks import PlainConfigurationError
from spigot_allennlp.data.annotated_sentence import AnnotatedSentence, Arc
from spigot_allennlp.data.dataset_readers.annotated_tokens import NOT_GIVEN, AnnotatedTokens
from spigot_allennlp.data.dataset_readers.class_field import ClassField
from spigot_allennlp.data.dataset_readers.data_path import DataPath, name_of
from spigot_allennlp.data.dataset_readers.shared_reader import SharedReader
from spigot_allennlp.data.errors import MalformedInputError, attempt
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.formats.blocks import number_of
from spigot_allennlp.data.formats.source import Source
from spigot_allennlp.data.skipped_report import check_on_error, skip_faulty

# An entry of `repeated_semantic_roles` which shows that they were counted, even if there are none.
# `structures/semantic_graph.py`, which reads that namespace, has the same constant, since neither
# may import the other.
COUNTED = "@@COUNTED@@"

SentenceResult = Union[AnnotatedSentence, MalformedInputError]


class SentenceReader(SharedReader):
    """
    Reads sentences, one instance each. A subclass implements `_sentences`.

    A data path is a file (plain, or compressed with gzip, bzip2, xz or, where Python can read it,
    zstd; anything that `cached_path` accepts), a list of files, or the embedded data set,
    `"synthetic:size=2000,seed=1"`.

    Each process reads the whole text, and makes instances from its share of the valid sentences
    (see `SharedReader`). So the shares are equal, whatever is skipped.

    # Parameters

    token_indexers : `Dict[str, TokenIndexer]`, optional
        (default = `{"tokens": SingleIdTokenIndexer()}`) A token has `text`, `lemma_`, `pos_` and
        `tag_`, which an indexer selects by its `feature_name`.
    on_error : `str`, optional (default = `"raise"`)
        What to do with a sentence that cannot be read. `"raise"` ends the run, with file, line and
        reason. `"skip"` leaves it out, and warns at the end of the file how many were left out and
        why. With either, the run ends if nothing is left of a file.
    """

    #: The predictors to use instead of those that pass text to a reader, since this one takes
    #: words.
    predictors_instead = {"text_classifier": "sentiment"}

    def __init__(
        self,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        on_error: str = "raise",
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        check_on_error(on_error, "sentence")
        self._token_indexers = token_indexers or {"tokens": SingleIdTokenIndexer()}
        self._on_error = on_error
        #: What to do with sentences that have these faults, instead of `on_error`. Set by
        #: subclasses.
        self._on_faults: Dict[Fault, str] = {}
        #: The class of the field `graph`. Subclasses may set one that changes the vocabulary.
        self._graph_field: Type[AdjacencyField] = OpenAdjacencyField

    @property
    def token_indexers(self) -> Dict[str, TokenIndexer]:
        """Returns the indexers of the `tokens`, by name."""
        return self._token_indexers

    def _sentences(self, path: DataPath) -> Iterator[SentenceResult]:
        """
        Yields the sentences of one file, with a `MalformedInputError` in place of each that cannot
        be read. `path` is the user's path, or a source; `text_source` opens both. Subclasses need
        not check whether a sentence makes a valid instance, for example that arcs end at existing
        words: such errors are reported later, at the `source` of the sentence.
        """
        raise NotImplementedError

    def _read(self, file_path) -> Iterator[Instance]:
        paths = _paths(file_path)
        if not paths:
            raise PlainConfigurationError(
                "The data path is a list without a file. Name at least one."
            )
        for sentence in self.shard_iterable(self._sound_sentences(paths)):
            yield self.sentence_to_instance(sentence)

    def instances_and_errors(self, file_path: Any) -> Iterator[Union[Instance, Exception]]:
        """
        Yields an instance for each sentence, or the error in its place if it cannot be read.
        Nothing is left out: this is for predictors, which output a line for each sentence. The text
        comes from a data path or, if it can be read only once, from a `Source`.

        # Raises

        `MalformedInputError` if the fault hides how many sentences are missing.
        """
        for path in _paths(file_path):
            for result in self._checked_sentences(path):
                if isinstance(result, MalformedInputError):
                    if result.fault.is_of_file:
                        raise result
                    yield result
                    continue
                instance = self.sentence_to_instance(result)
                self.apply_token_indexers(instance)
                yield instance

    def _checked_sentences(self, path: DataPath) -> Iterator[SentenceResult]:
        """
        Yields the results of `_sentences`, with an error in place of each sentence that makes no
        valid instance.
        """
        for result in self._sentences(path):
            yield attempt(_checked, result, name_of(path))

    def _sound_sentences(self, paths: List[DataPath]) -> Iterator[AnnotatedSentence]:
        for path in paths:
            results = self._checked_sentences(path)
            for sentence in skip_faulty(
                results, name_of(path), self, self._on_error, on_faults=self._on_faults
            ):
                if sentence is not None:
                    yield sentence

    def text_to_instance(  # type: ignore[override]
        self,
        words: List[str],
        lemmas: Optional[List[str]] = None,
        pos: Optional[List[str]] = None,
        heads: Optional[List[int]] = None,
        relations: Optional[List[str]] = None,
        arcs: Optional[List[Arc]] = None,
        tops: Optional[List[int]] = None,
        identifier: Optional[str] = None,
        source: Optional[str] = None,
        tags: Optional[List[str]] = None,
        label: Optional[str] = None,
    ) -> Instance:
        """
        Returns the instance of a sentence. See `AnnotatedSentence` for the parameters, and
        `sentence_to_instance` for the fields.
        """
        return self.sentence_to_instance(
            AnnotatedSentence(
                words=words,
                lemmas=lemmas,
                pos=pos,
                tags=tags,
                heads=heads,
                relations=relations,
                arcs=arcs,
                tops=tops,
                identifier=identifier,
                source=source,
                label=label,
            )
        )

    def sentence_to_instance(self, sentence: AnnotatedSentence) -> Instance:
        """
        Returns an instance with a field for each available layer. The namespaces of relations and
        roles are padded: a label that is not in the training data becomes the unknown label.

        # Returns

        instance : `Instance`
            - `tokens`: a `TextField` without indexers; a token has `text`, `lemma_`, `pos_` and
              `tag_` (the fine part of speech, or `pos_` if there is only one kind), `_` where they
              are not given.
            - `heads`: the position of each head, from 1, 0 for the root.
            - `relations`: in the namespace `dependency_relations`.
            - `graph`: an `AdjacencyField` from pairs (argument, predicate), positions from 0, to
              roles, in the namespace `semantic_roles`.
            - `tops`: 0 or 1 for each token.
            - `metadata`: a dictionary with `id`, `words`, `lemmas`, `pos` and `source`.
            - `label`: a `LabelField`.

        # Raises

        `ConfigurationError` if there are no words, if a layer does not have one entry per word, if
        a position is outside the sentence, or if two arcs are between the same words.
        """
        detail = _what_does_not_fit(sentence)
        if detail is not None:
            raise ConfigurationError(f"{detail[0].upper()}{detail[1:]}.")
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
            fields["graph"] = self._graph_field(pairs, tokens, roles, "semantic_roles")
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
        if sentence.label is not None:
            fields["label"] = ClassField(sentence.label, sentence.source)
        return Instance(fields)

    def apply_token_indexers(self, instance: Instance) -> None:
        """Sets the indexers of the `tokens`, late, so that they are not sent between processes."""
        instance["tokens"].token_indexers = self._token_indexers  # type: ignore[attr-defined]


class _OpenNamespace:
    """
    Keeps a field from warning about its padded namespace. It must be the first base of such a
    field, before AllenNLP's class, since it replaces a method of that.

    AllenNLP recommends namespaces that end in `labels` or `tags`, which have no unknown label, and
    warns about others. In these, a role that occurs only in the test data ends the run with a
    `KeyError`, so the padded kind is intended here.
    """

    __slots__ = ()

    def _maybe_warn_for_namespace(self, label_namespace: str) -> None:
        del label_namespace


class OpenAdjacencyField(_OpenNamespace, AdjacencyField):
    """An `AdjacencyField` with an unknown label in its namespace."""

    __slots__ = ()


class RoleCountingField(OpenAdjacencyField):
    """
    An `OpenAdjacencyField` that tells the vocabulary which roles a predicate may have twice: they
    become entries of the namespace `repeated_semantic_roles`, beside `COUNTED`.
    """

    __slots__ = ()

    def count_vocab_items(self, counter: Dict[str, Dict[str, int]]) -> None:
        super().count_vocab_items(counter)
        roles = zip(self.indices, self.labels or [], strict=True)
        arguments = Counter((predicate, role) for (_, predicate), role in roles)
        repeated = counter["repeated_semantic_roles"]
        repeated[COUNTED] += 1
        for (_, role), number in arguments.items():
            if number > 1:
                repeated[role] += 1


class OpenSequenceLabelField(_OpenNamespace, SequenceLabelField):
    """A `SequenceLabelField` with an unknown label in its namespace, or with integer labels."""

    __slots__ = ()


def _paths(file_path: Any) -> List[DataPath]:
    """Returns a list of data paths or sources from a config value, which may be a single one."""
    is_alone = isinstance(file_path, (str, PathLike, Source))
    paths = [file_path] if is_alone else file_path
    return [path if isinstance(path, Source) else str(path) for path in paths]


def _what_does_not_fit(sentence: AnnotatedSentence) -> Optional[str]:
    """
    Returns what is wrong with a sentence: it has no words, or a word that is empty or not a text; a
    layer of a different length; a head that is not one of 0, ..., `length`; an arc or a top that is
    not at one of the words 1, ..., `length`; an arc without a role; or several arcs from one word
    to another. Returns `None` if nothing is wrong.
    """
    words = sentence.words
    length = len(words)
    if not words:
        return "a sentence without words cannot be an instance"
    if not all(words) or not all(isinstance(word, str) for word in words):
        return f"a word is empty, or no text: {words}"
    layers: Dict[str, Optional[Sequence]] = {
        "lemmas": sentence.lemmas,
        "pos": sentence.pos,
        "tags": sentence.tags,
        "heads": sentence.heads,
        "relations": sentence.relations,
    }
    for name, layer in layers.items():
        if layer is not None and len(layer) != length:
            return f"{len(layer)} {name} for {length} words: {words}"
    pairs = []
    for predicate, argument, role in sentence.arcs or ():
        if not role or not isinstance(role, str):
            return f"the arc from {predicate} to {argument} has the role {role!r}"
        pairs.append((predicate, argument))
    positions = [*chain(*pairs), *(sentence.tops or ())]
    wrong = [position for position in positions if position not in range(1, length + 1)]
    wrong += [head for head in sentence.heads or () if head not in range(length + 1)]
    if wrong:
        return (
            f"the positions {wrong} are outside a sentence of {length} words, which count from 1 "
            "in whole numbers; only a head may be 0, for the root"
        )
    if len(set(pairs)) < len(pairs):
        (predicate, argument), _ = Counter(pairs).most_common(1)[0]
        return f"there are several arcs from {predicate} to {argument}, where one is possible"
    return None


def _checked(sentence: AnnotatedSentence, path: str) -> AnnotatedSentence:
    """
    Returns a sentence that a subclass has read at `path`, after checking it.

    # Raises

    `MalformedInputError` if something in it is wrong.
    """
    detail = _what_does_not_fit(sentence)
    if detail is None:
        return sentence
    source, _, line = (sentence.source or path).rpartition(":")
    place = number_of(line)
    if not place:
        raise MalformedInputError(path, None, Fault.ANNOTATION, detail)
    raise MalformedInputError(source, place, Fault.ANNOTATION, detail)


def _tokens(sentence: AnnotatedSentence) -> AnnotatedTokens:
    """
    Returns the field of the tokens. If a sentence has only one kind of part of speech (the other
    may be a column of `_`), both `pos_` and `tag_` hold it.
    """
    missing = [NOT_GIVEN] * len(sentence.words)
    pos, tags = (None if values == missing else values for values in (sentence.pos, sentence.tags))
    columns = zip(
        sentence.words,
        sentence.lemmas or missing,
        pos or tags or missing,
        tags or pos or missing,
        strict=True,
    )
    return AnnotatedTokens(
        [Token(text=text, lemma_=lemma, pos_=pos, tag_=tag) for text, lemma, pos, tag in columns]
    )
