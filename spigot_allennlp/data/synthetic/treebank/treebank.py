"""
The embedded treebank: sentences drawn from a grammar, with tree, semantic graph and sentiment.

The grammar draws a syntactic tree and its words together; the semantic graph is a function of the
tree, and the sentiment one of the graph. So the graph cannot be read off the words (some strings
have several trees, with different graphs), nor the sentiment off words that stand side by side.
"""

from typing import Iterator

from spigot_allennlp.data.synthetic.specification import (
    LONGEST,
    SHORTEST,
    Specification,
    check_lengths,
    parse_specification,
)
from spigot_allennlp.data.synthetic.treebank.draw import Draw
from spigot_allennlp.data.synthetic.treebank.semantic_graph import semantic_graph
from spigot_allennlp.data.synthetic.treebank.sentence import SyntheticSentence
from spigot_allennlp.data.synthetic.treebank.sentences import draw_tree
from spigot_allennlp.data.synthetic.treebank.sentiment import STRONGEST, sentiment
from spigot_allennlp.data.synthetic.treebank.tree import SyntaxTree
from spigot_allennlp.data.synthetic.treebank.writing import LAYOUTS


def synthetic_text(spec: str, layout: str) -> str:
    """
    The text of a file. The same `spec` names the same sentences in every layout.

    # Parameters

    spec : `str`
        Such as "synthetic:size=2000,seed=1"; see `Specification` for the keys.
    layout : `str`
        "sdp" (2015), "sdp2014", "sdp_augmented" (with the trees), "conllx", "conllu" (with the
        semantic graph as the enhanced one), "sst" (the sentiment of every phrase), "sst_columns"
        (with lemmas and parts of speech) or "sst_lines" (the sentiment of the sentence).

    # Raises

    `ValueError` that says what in `spec` or `layout` is wrong.
    """
    if layout not in LAYOUTS:
        raise ValueError(f"{layout!r} is no layout; those known are {', '.join(LAYOUTS)}.")
    write = LAYOUTS[layout].write
    sentences = generate(*parse_specification(spec))
    return LAYOUTS[layout].header + "".join(map(write, sentences))


def generate(
    size: int, seed: int, min_length: int = SHORTEST, max_length: int = LONGEST
) -> Iterator[SyntheticSentence]:
    """
    The sentences of a data set; see `Specification` for the parameters.

    # Raises

    `ValueError` if no sentence has a length within the bounds.
    """
    check_lengths(Specification(size, seed, min_length, max_length))
    for number in range(1, size + 1):
        draw = Draw(f"{seed}:{number}")
        yield annotate(draw_tree(draw, min_length, max_length), f"{seed}-{number}")


def annotate(tree: SyntaxTree, identifier: str) -> SyntheticSentence:
    """The sentence with the graph that follows from its tree, and the sentiment of that graph."""
    graph = semantic_graph(tree)
    label = sentiment(tree.words, graph) + STRONGEST
    return SyntheticSentence(identifier, tree, graph, label)
