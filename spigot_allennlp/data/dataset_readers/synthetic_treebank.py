"""The reader of the embedded treebank: no file, no format."""

from typing import Iterator, Optional

from allennlp.data import DatasetReader

from spigot_allennlp.config_checks import check_choice
from spigot_allennlp.data.annotated_sentence import AnnotatedSentence
from spigot_allennlp.data.dataset_readers.data_path import DataPath, config_errors, name_of
from spigot_allennlp.data.dataset_readers.sentence_reader import SentenceResult
from spigot_allennlp.data.dataset_readers.treebank_reader import TreebankReader
from spigot_allennlp.data.errors import attempt
from spigot_allennlp.data.formats.sentiment import CLASSES
from spigot_allennlp.data.synthetic.specification import parse_specification
from spigot_allennlp.data.synthetic.treebank.treebank import SyntheticSentence, generate_sentences


@DatasetReader.register("synthetic_treebank")
class SyntheticTreebankReader(TreebankReader):
    """
    Samples sentences from a grammar, with their trees, semantic graphs and sentiment. The data path
    is a specification, `"synthetic:size=2000,seed=1"`; see `Specification` for its keys.

    The readers of the file formats accept such a path too, and make the same instances from it.
    This one provides all layers at once, without writing and parsing text.

    Registered as a `DatasetReader` with name "synthetic_treebank".

    # Parameters

    graphs : `bool`, optional (default = `True`)
        Whether to include the semantic graphs.
    sentiment : `str`, optional
        If given, there is a field `label`, a `LabelField`: with `"5-class"`, from "0" (very
        negative) to "4" (very positive); with `"3-class"`, "0", "1" or "2"; with `"2-class"`, "0"
        or "1", and neutral sentences are left out, as in most work with the Stanford Sentiment
        Treebank.
    """

    def __init__(self, graphs: bool = True, sentiment: Optional[str] = None, **kwargs) -> None:
        super().__init__(**kwargs)
        if sentiment is not None:
            check_choice("sentiment", sentiment, CLASSES)
        self._graphs = graphs
        self._classes = CLASSES[sentiment] if sentiment is not None else None

    def _sentences(self, path: DataPath) -> Iterator[SentenceResult]:
        path = name_of(path)
        with config_errors():
            sentences = generate_sentences(**parse_specification(path)._asdict())
            for number, sentence in enumerate(sentences, start=1):
                label = None
                if self._classes is not None:
                    label = self._classes[sentence.label]
                    if label is None:  # a neutral sentence, which is left out
                        continue
                yield attempt(self._annotate, sentence, label, path, number)

    def _annotate(
        self, sentence: SyntheticSentence, label: Optional[str], path: str, number: int
    ) -> AnnotatedSentence:
        tree, graph = sentence.tree, sentence.graph
        lines = [number] * len(tree.words)
        annotated = AnnotatedSentence(
            words=[word.form for word in tree.words],
            lemmas=[word.lemma for word in tree.words],
            pos=[word.pos for word in tree.words],
            identifier=sentence.identifier,
            source=f"{path}:{number}",
            label=label,
        )
        if self._trees:
            annotated.heads = self._tree_rules.check(tree.heads, path, lines)
            annotated.relations = list(tree.relations)
        if self._graphs:
            annotated.arcs = self._graph_rules.check(list(graph.arcs), path, lines)
            annotated.tops = list(graph.tops)
        return annotated
