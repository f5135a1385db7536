"""
The synthetic treebank: sentences with their syntactic trees, semantic graphs and sentiment.

The grammar samples a syntactic tree and its words together; the semantic graph is a function of the
tree, and the sentiment a function of the graph. So the graph cannot be inferred from the words
alone (some strings have several trees, with different graphs), nor the sentiment from words that
are next to each other.
"""

from typing import Iterator

from spigot_allennlp.data.synthetic.specification import (
    LONGEST,
    SHORTEST,
    Specification,
    check_lengths,
    parse_specification,
)
from spigot_allennlp.data.synthetic.treebank import (  # noqa: F401  (they register productions)
    clauses,
    noun_phrases,
    verb_phrases,
)
from spigot_allennlp.data.synthetic.treebank.grammar import Derivation
from spigot_allennlp.data.synthetic.treebank.sampling import Sampler
from spigot_allennlp.data.synthetic.treebank.semantic_graph import semantic_graph
from spigot_allennlp.data.synthetic.treebank.sentiment import STRONGEST, sentiment
from spigot_allennlp.data.synthetic.treebank.tree import SyntaxTree, linearize
from spigot_allennlp.data.synthetic.treebank.writing import LAYOUTS, SyntheticSentence

# So many sentences are sampled before a length is considered impossible.
_ATTEMPTS = 1000


def synthetic_text(spec: str, layout: str) -> str:
    """
    Returns the text of a file of the treebank. The same `spec` names the same sentences in every
    layout.

    # Parameters

    spec : `str`
        Such as `"synthetic:size=2000,seed=1"`; see `Specification` for the keys.
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
    Yields the sentences of a data set; see `Specification` for the parameters.

    # Raises

    `ValueError` if no sentence has a length within the bounds.
    """
    check_lengths(Specification(size, seed, min_length, max_length))
    for number in range(1, size + 1):
        sampler = Sampler(f"{seed}:{number}")
        yield annotate(sample_tree(sampler, min_length, max_length), f"{seed}-{number}")


def sample_tree(sampler: Sampler, min_length: int, max_length: int) -> SyntaxTree:
    """
    Samples trees until the length of a sentence is within the bounds, both included; returns that
    tree.

    # Raises

    `ValueError` if of many sentences none has such a length.
    """
    for _ in range(_ATTEMPTS):
        tree = linearize(Derivation(sampler).expand("sentence"))
        if min_length <= len(tree.words) <= max_length:
            first = tree.words[0]
            capitalized = first._replace(form=first.form[0].upper() + first.form[1:])
            return tree._replace(words=(capitalized,) + tree.words[1:])
    raise ValueError(f"of {_ATTEMPTS} sentences none has {min_length} to {max_length} tokens")


def annotate(tree: SyntaxTree, identifier: str) -> SyntheticSentence:
    """Returns the sentence with the graph that follows from its tree, and with its sentiment."""
    graph = semantic_graph(tree)
    label = sentiment(tree.words, graph) + STRONGEST
    return SyntheticSentence(identifier, tree, graph, label)
