"""The reader of CoNLL-X and CoNLL-U."""

from typing import Dict, Iterator

from allennlp.data import DatasetReader, Vocabulary

from spigot_allennlp.config_checks import PlainConfigurationError
from spigot_allennlp.data.annotated_sentence import AnnotatedSentence
from spigot_allennlp.data.dataset_readers.data_path import DataPath, text_source
from spigot_allennlp.data.dataset_readers.sentence_reader import (
    OpenAdjacencyField,
    RoleCountingField,
    SentenceResult,
)
from spigot_allennlp.data.dataset_readers.treebank_reader import TreebankReader
from spigot_allennlp.data.errors import attempt
from spigot_allennlp.data.formats.conll import (
    ConllSentence,
    enhanced_graph,
    has_graph,
    scan_conll,
    without_lemmas,
)
from spigot_allennlp.data.formats.source import Source


@DatasetReader.register("conll")
class ConllReader(TreebankReader):
    """
    Reads dependency trees in CoNLL-X or CoNLL-U, and enhanced graphs in CoNLL-U.

    The tokens are the words of the tree, without multiword tokens and empty nodes. `pos_` is the
    fourth column, `tag_` the fifth; if a sentence has nothing but `_` in one of them, both are the
    other. Set `trees` to `False` to read sentences without heads, such as sentences to be parsed.

    Registered as a `DatasetReader` with name "conll".

    # Parameters

    enhanced_graph : `bool`, optional (default = `False`)
        Whether to read the graph in the ninth column of CoNLL-U into `graph` and `tops`, with
        `formats.conll.enhanced_graph`. A sentence without a graph then has an empty one if another
        sentence of the file has a graph. If none has, it is an error.
    back_off_labels : `bool`, optional (default = `False`)
        Whether a graph label that is not in the vocabulary (`nmod:atop`, if it is below
        `min_count`) counts as the label without lemma or subtype (`nmod`). For training only: in
        evaluation it would count wrong labels as right. Not together with `count_repeated_roles`.
    """

    def __init__(
        self, enhanced_graph: bool = False, back_off_labels: bool = False, **kwargs
    ) -> None:
        super().__init__(**kwargs)
        self._enhanced_graph = enhanced_graph
        if back_off_labels:
            if self._graph_field is RoleCountingField:
                raise PlainConfigurationError(
                    "back_off_labels and count_repeated_roles are both true. Set one of them to "
                    "false."
                )
            self._graph_field = BackingOffField

    def _sentences(self, path: DataPath) -> Iterator[SentenceResult]:
        source = text_source(path, "conllu" if self._enhanced_graph else "conllx")
        may_be_empty = self._enhanced_graph and _has_any_graph(source)
        for sentence in scan_conll(source):
            yield attempt(self._annotate, sentence, may_be_empty)

    def _annotate(self, sentence: ConllSentence, may_be_empty: bool) -> AnnotatedSentence:
        words, numbers = sentence.words, sentence.word_line_numbers
        annotated = AnnotatedSentence(
            words=[word.form for word in words],
            lemmas=[word.lemma for word in words],
            pos=[word.upos for word in words],
            tags=[word.xpos for word in words],
            identifier=sentence.identifier,
            source=f"{sentence.path}:{numbers[0]}",
        )
        if self._trees:
            heads = [word.head for word in words]
            annotated.heads = self._tree_rules.check(heads, sentence.path, numbers)
            annotated.relations = [word.relation for word in words]
        if self._enhanced_graph:
            graph = enhanced_graph(sentence, may_be_empty)
            annotated.arcs = self._graph_rules.check(graph.arcs, sentence.path, numbers)
            annotated.tops = graph.tops
        return annotated


class BackingOffField(OpenAdjacencyField):
    """A graph that replaces labels which are not in the vocabulary by shorter ones that may be."""

    __slots__ = ()

    def count_vocab_items(self, counter: Dict[str, Dict[str, int]]) -> None:
        super().count_vocab_items(counter)
        for label in self.labels or []:
            if without_lemmas(label) != label:
                counter[self._label_namespace][without_lemmas(label)] += 1

    def index(self, vocab: Vocabulary) -> None:
        namespace = self._label_namespace
        known = vocab.get_token_to_index_vocabulary(namespace)
        self._indexed_labels = [
            vocab.get_token_index(label if label in known else without_lemmas(label), namespace)
            for label in self.labels or []
        ]


def _has_any_graph(source: Source) -> bool:
    """Returns whether any sentence has an enhanced graph; usually one of the first has."""
    sentences = scan_conll(source)
    return any(isinstance(result, ConllSentence) and has_graph(result) for result in sentences)
