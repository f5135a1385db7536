"""
The binary tree of a sentence, with the sentiment of every phrase.

The phrases follow the syntactic tree: a head first takes in what stands to its right, from near to
far, then what stands to its left. Each phrase is judged by the part of the semantic graph that lies
within it, so that the negation, the concession or the relative clause outside has no say yet.
"""

from typing import Tuple

from spigot_allennlp.data.formats.sst import SentimentTree
from spigot_allennlp.data.synthetic.treebank.arguments import Arguments
from spigot_allennlp.data.synthetic.treebank.graph_index import GraphIndex
from spigot_allennlp.data.synthetic.treebank.semantic_graph import SemanticGraph
from spigot_allennlp.data.synthetic.treebank.sentiment import STRONGEST, Judge
from spigot_allennlp.data.synthetic.treebank.tree import SyntaxTree


def sentiment_tree(tree: SyntaxTree, graph: SemanticGraph) -> SentimentTree:
    """The tree of phrases of a sentence, labelled from 0, very negative, to 4, very positive."""
    return _Phrases(tree, graph).under(tree.heads.index(0) + 1)[0]


class _Phrases:
    def __init__(self, tree: SyntaxTree, graph: SemanticGraph) -> None:
        self._words = tree.words
        self._syntax = Arguments(tree)
        self._frames = graph.frames
        self._graph = GraphIndex(tree.words, graph)

    def under(self, head: int) -> Tuple[SentimentTree, range]:
        """The phrase of a word with all its dependents, and where it is."""
        span = range(head, head + 1)
        phrase = SentimentTree(self._label(head, span), self._words[head - 1].form)
        children = self._syntax.children[head]
        nearest_left = [child for child in reversed(children) if child < head]
        for child in [child for child in children if child > head] + nearest_left:
            other, other_span = self.under(child)
            parts = (phrase, other) if child > head else (other, phrase)
            span = range(min(span.start, other_span.start), max(span.stop, other_span.stop))
            # A word that is no part of the graph changes nothing.
            mute = len(other_span) == 1 and self._frames[child - 1] == "_"
            label = phrase.label if mute else self._label(head, span)
            phrase = SentimentTree(label, children=parts)
        return phrase, span

    def _label(self, head: int, span: range) -> int:
        top = self._syntax.event(head)
        if top not in span:
            top = head
        return Judge(self._graph.within(span), top).value(top) + STRONGEST
