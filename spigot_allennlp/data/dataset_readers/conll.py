"""The reader of CoNLL-X and CoNLL-U."""

from typing import Iterator

from allennlp.data import DatasetReader

from spigot_allennlp.data.annotated_sentence import AnnotatedSentence
from spigot_allennlp.data.dataset_readers.data_path import text_source
from spigot_allennlp.data.dataset_readers.sentence_reader import SentenceResult
from spigot_allennlp.data.dataset_readers.treebank_reader import TreebankReader
from spigot_allennlp.data.errors import attempt
from spigot_allennlp.data.formats.conll import (
    ConllSentence,
    enhanced_graph,
    has_graph,
    scan_conll,
)
from spigot_allennlp.data.formats.source import Source


@DatasetReader.register("conll")
class ConllReader(TreebankReader):
    """
    Reads dependency trees in CoNLL-X or CoNLL-U, and from the latter enhanced graphs.

    The tokens are the words of the tree: multiword tokens and empty nodes are none. `pos_` is the
    fourth column, `tag_` the fifth. Set `trees` to `False` to read sentences without heads, as
    those that are still to be parsed.

    Registered as a `DatasetReader` with name "conll".

    # Parameters

    enhanced_graph : `bool`, optional (default = `False`)
        Whether to take the graph in the ninth column of CoNLL-U as `graph` and `tops`, as
        `formats.conll.enhanced_graph` makes them. If so, a sentence without one has an empty graph
        where another of the same file has one; where none has, it is an error.
    """

    def __init__(self, enhanced_graph: bool = False, **kwargs) -> None:
        super().__init__(**kwargs)
        self._enhanced_graph = enhanced_graph

    def _sentences(self, path: str) -> Iterator[SentenceResult]:
        source = text_source(path, "conllu" if self._enhanced_graph else "conllx")
        may_be_empty = self._enhanced_graph and _has_any_graph(source)
        for sentence in scan_conll(source):
            yield attempt(self._annotate, sentence, may_be_empty)

    def _annotate(self, sentence: ConllSentence, may_be_empty: bool) -> AnnotatedSentence:
        words = sentence.words
        annotated = AnnotatedSentence(
            words=[word.form for word in words],
            lemmas=[word.lemma for word in words],
            pos=[word.upos for word in words],
            tags=[word.xpos for word in words],
            identifier=sentence.identifier,
            source=f"{sentence.path}:{sentence.word_lines[0]}",
        )
        if self._trees:
            heads = [word.head for word in words]
            annotated.heads = self._tree_rules.check(heads, sentence.path, sentence.word_lines)
            annotated.relations = [word.relation for word in words]
        if self._enhanced_graph:
            graph = enhanced_graph(sentence, may_be_empty)
            annotated.arcs = self._graph_rules.check(graph.arcs, sentence.path, sentence.word_lines)
            annotated.tops = graph.tops
        return annotated


def _has_any_graph(source: Source) -> bool:
    """Returns whether any sentence has an enhanced graph; as a rule one of the first has."""
    sentences = scan_conll(source)
    return any(isinstance(result, ConllSentence) and has_graph(result) for result in sentences)
