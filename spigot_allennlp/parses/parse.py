"""The parse of a sentence: its tokens, tree and graph as plain data, and methods to write it."""

from dataclasses import dataclass
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from spigot_allennlp.data.annotated_sentence import AnnotatedSentence, Arc
from spigot_allennlp.data.formats.conll import annotation_to_conll, format_conll
from spigot_allennlp.data.formats.sdp import SdpLayout, annotation_to_sdp, format_sdp
from spigot_allennlp.data.formats.sentiment import CLASSES, GRADES
from spigot_allennlp.parses.picture import ArcKey, Arcs, Layer, draw

ROOT, TOP = "root", "top"  # the labels of arcs from the root that have none of their own

#: What the colours of a comparison mean, for a picture that stands alone.
LEGEND = "grey: in both; orange: in this parse alone; blue, broken: in gold alone"


class Tree(NamedTuple):
    """
    A dependency tree.

    # Parameters

    heads : `List[int]`
        The position of each token's head, from 1; 0 is the root.
    labels : `Optional[List[str]]`
        The relation of each token to its head; `None` for unlabelled trees.
    probabilities : `Optional[List[float]]`
        The probability of each token's head, between 0 and 1, if requested.
    """

    heads: List[int]
    labels: Optional[List[str]] = None
    probabilities: Optional[List[float]] = None


class Graph(NamedTuple):
    """
    A semantic graph.

    # Parameters

    arcs : `List[Arc]`
        `(predicate, argument, role)`, with positions from 1, sorted.
    tops : `List[int]`
        The positions of the tops, sorted.
    probabilities : `Optional[List[float]]`
        The probability of each labelled arc, between 0 and 1, if requested.
    top_probabilities : `Optional[List[float]]`
        The probability of each top.
    """

    arcs: List[Arc]
    tops: List[int]
    probabilities: Optional[List[float]] = None
    top_probabilities: Optional[List[float]] = None


class Sentiment(NamedTuple):
    """
    The sentiment of a sentence.

    # Parameters

    label : `str`
        In words, such as `"very positive"`.
    probabilities : `Dict[str, float]`
        The probability of each class, by its name.
    """

    label: str
    probabilities: Dict[str, float]


@dataclass(frozen=True)
class Parse:
    """
    The parse of a sentence; whatever the parser does not predict is `None`.

    # Parameters

    tokens : `List[str]`
    tree : `Tree`, optional
    graph : `Graph`, optional
    sentiment : `Sentiment`, optional
    lemmas, pos : `List[str]`, optional
        Lemma and part of speech of each token, as given to the parser.
    identifier : `str`, optional
        The name of the sentence.
    """

    tokens: List[str]
    tree: Optional[Tree] = None
    graph: Optional[Graph] = None
    sentiment: Optional[Sentiment] = None
    lemmas: Optional[List[str]] = None
    pos: Optional[List[str]] = None
    identifier: Optional[str] = None

    @classmethod
    def from_output(cls, output: Dict[str, Any]) -> "Parse":
        """
        Returns the parse in an output of one of our predictors.

        # Raises

        `ValueError` if the output has no words.
        """
        if "words" not in output:
            raise ValueError(
                "The model's output has no words. Its forward has to return the metadata of the "
                "sentences, from which make_output_human_readable takes them: in a "
                "ClassificationModel, readable_classes does."
            )
        tree = graph = sentiment = None
        if "heads" in output:
            tree = Tree(output["heads"], output.get("relations"), output.get("head_probabilities"))
        if "arcs" in output:
            arcs = [Arc(*arc) for arc in output["arcs"]]
            graph = Graph(
                arcs,
                output.get("tops", []),
                output.get("arc_probabilities"),
                output.get("top_probabilities"),
            )
        if "label" in output:
            names = sentiment_names(list(output["probabilities"]))
            probabilities = {names[key]: value for key, value in output["probabilities"].items()}
            sentiment = Sentiment(names[output["label"]], probabilities)
        return cls(
            output["words"],
            tree,
            graph,
            sentiment,
            output.get("lemmas"),
            output.get("pos"),
            output.get("id"),
        )

    @classmethod
    def from_annotation(cls, sentence: AnnotatedSentence) -> "Parse":
        """Returns the gold parse of a sentence that was read from a file."""
        graph = None
        if sentence.arcs is not None:
            graph = Graph(sorted(sentence.arcs), sorted(sentence.tops or []))
        return cls(
            sentence.words,
            None if sentence.heads is None else Tree(sentence.heads, sentence.relations),
            graph,
            lemmas=sentence.lemmas,
            pos=sentence.pos or sentence.tags,
            identifier=sentence.identifier,
        )

    def to_annotation(self) -> AnnotatedSentence:
        """Returns the record that the formats write."""
        return AnnotatedSentence(
            words=self.tokens,
            lemmas=self.lemmas,
            pos=self.pos,
            heads=None if self.tree is None else self.tree.heads,
            relations=None if self.tree is None else self.tree.labels,
            arcs=None if self.graph is None else self.graph.arcs,
            tops=None if self.graph is None else self.graph.tops,
            identifier=self.identifier,
        )

    def to_sdp(self) -> str:
        """
        Returns the sentence in the layout of SDP 2015, in the augmented form if there is a tree. A
        file begins with the line `#SDP 2015`, which is not included.

        # Raises

        `ValueError` if there is no graph, or if a value cannot be written in its column.
        """
        if self.graph is None:
            raise ValueError(f"This parse has no graph, which SDP is for. {self._ways()}")
        layout = SdpLayout(syntax=self.tree is not None)
        return format_sdp(annotation_to_sdp(self.to_annotation(), layout))

    def to_conllu(self) -> str:
        """
        Returns the sentence in CoNLL-U: the tree in HEAD and DEPREL, the graph in DEPS, where a top
        is `0:root`.

        # Raises

        `ValueError` if a value cannot be written in its column.
        """
        return format_conll(annotation_to_conll(self.to_annotation()))

    def to_json(self) -> Dict[str, Any]:
        """Returns all that is known as JSON values, under the names of this class."""
        parts: Dict[str, Any] = {"id": self.identifier, "tokens": self.tokens}
        parts.update(lemmas=self.lemmas, pos=self.pos)
        for name in ("tree", "graph", "sentiment"):
            layer = getattr(self, name)
            if layer is not None:
                known = layer._asdict().items()
                parts[name] = {key: value for key, value in known if value is not None}
        return {key: value for key, value in parts.items() if value is not None}

    def to_svg(self, gold: Optional["Parse"] = None, with_style: bool = True) -> str:
        """
        Returns a picture of the sentence: the tree above the words, the graph below, with the
        probabilities of arcs where they are known.

        # Parameters

        gold : `Parse`, optional
            A parse of the same tokens. The arcs of both parses are then drawn, with arcs that are
            only in one of them in two colours. Arcs of trees are the same if head and label agree
            or, if one of the trees has no labels, if the head agrees.
        with_style : `bool`, optional (default = `True`)
            Without it, the page around the picture must contain the style.

        # Raises

        `ValueError` if gold has different tokens.
        """
        if gold is not None and gold.tokens != self.tokens:
            ours, theirs = " ".join(self.tokens), " ".join(gold.tokens)
            raise ValueError(f"Gold has other tokens than the parse: {theirs!r} and {ours!r}.")
        tree = Layer(_tree_arcs(self, gold), None if gold is None else _tree_arcs(gold, self))
        graph = Layer(_graph_arcs(self), None if gold is None else _graph_arcs(gold))
        legend = LEGEND if gold is not None and with_style else ""
        caption = "; ".join(filter(None, [self._caption(), legend]))
        return draw(self.tokens, self.pos, tree, graph, caption, with_style)

    def _repr_html_(self) -> str:
        """Returns what a notebook shows: the picture, scrollable if it is wide."""
        return f'<div style="overflow-x: auto">{self.to_svg()}</div>'

    def _caption(self) -> str:
        if self.sentiment is None:
            return ""
        probability = self.sentiment.probabilities[self.sentiment.label]
        return f"{self.sentiment.label}, probability {probability:.2f}"

    def _ways(self) -> str:
        of_tree = "to_conllu() writes its tree, " if self.tree is not None else ""
        return f"Use another form: {of_tree}to_json() writes whatever there is."


def _tree_arcs(parse: Parse, other: Optional[Parse]) -> Optional[Arcs]:
    """
    Returns the arcs of the tree; if they have no labels, they get those of the other tree's arcs.
    """
    if parse.tree is None:
        return None
    heads, labels, probabilities = parse.tree
    names = labels or [ROOT if head == 0 else "" for head in heads]
    if not labels and other is not None and other.tree is not None and other.tree.labels:
        theirs = zip(other.tree.heads, other.tree.labels, strict=True)
        names = [
            other_name if head == other_head else name
            for head, name, (other_head, other_name) in zip(heads, names, theirs, strict=True)
        ]
    pairs = enumerate(zip(heads, names, strict=True), start=1)
    keys = [ArcKey(head, word, name) for word, (head, name) in pairs]
    return _with_probabilities(keys, probabilities)


def _graph_arcs(parse: Parse) -> Optional[Arcs]:
    if parse.graph is None:
        return None
    arcs, tops, of_arcs, of_tops = parse.graph
    of_root = _with_probabilities([ArcKey(0, top, TOP) for top in tops], of_tops)
    return {**of_root, **_with_probabilities([ArcKey(*arc) for arc in arcs], of_arcs)}


def _with_probabilities(keys: Sequence[ArcKey], probabilities: Optional[List[float]]) -> Arcs:
    if probabilities is None:
        return dict.fromkeys(keys)
    return dict(zip(keys, probabilities, strict=True))


def sentiment_names(labels: List[str]) -> Dict[str, str]:
    """
    Returns the name of each class: a word such as `"positive"` if the classes are the numbers of
    one of `CLASSES`, otherwise the label itself.
    """
    for classes in CLASSES.values():
        if set(labels) == set(filter(None, classes)):
            names: Dict[str, str] = {}
            for number, grade in zip(classes, GRADES, strict=True):
                # If a class has two grades, the plain one: "negative" rather than "very negative".
                if number is not None and (number not in names or " " in names[number]):
                    names[number] = grade
            return names
    return {label: label for label in labels}
