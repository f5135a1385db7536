"""A sentence of the embedded treebank, with all that is known of it."""

from typing import NamedTuple

from spigot_allennlp.data.synthetic.treebank.semantic_graph import SemanticGraph
from spigot_allennlp.data.synthetic.treebank.tree import SyntaxTree


class SyntheticSentence(NamedTuple):
    """
    # Parameters

    identifier : `str`
        Seed and number, from 1: "1-20".
    tree : `SyntaxTree`
    graph : `SemanticGraph`
    label : `int`
        The sentiment, from 0, very negative, by 2, neutral, to 4, very positive.
    """

    identifier: str
    tree: SyntaxTree
    graph: SemanticGraph
    label: int
