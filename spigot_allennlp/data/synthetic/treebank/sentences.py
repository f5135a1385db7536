"""From a seed to the tree of a sentence."""

from spigot_allennlp.data.synthetic.treebank import (  # noqa: F401  (they register their productions)
    adjectives,
    adjuncts,
    clauses,
    complements,
    noun_modifiers,
    noun_phrases,
    relative_clauses,
    verb_phrases,
)
from spigot_allennlp.data.synthetic.treebank.draw import Draw
from spigot_allennlp.data.synthetic.treebank.grammar import Derivation
from spigot_allennlp.data.synthetic.treebank.node import linearize
from spigot_allennlp.data.synthetic.treebank.tree import SyntaxTree


def draw_tree(draw: Draw, min_length: int, max_length: int) -> SyntaxTree:
    """
    The tree of the first sentence drawn that has a length within the bounds, both included.

    # Raises

    `ValueError`, if many sentences were drawn and none had.
    """
    for _ in range(1000):
        tree = linearize(Derivation(draw).expand("sentence"))
        if min_length <= len(tree.words) <= max_length:
            first = tree.words[0]
            capital = first._replace(form=first.form[0].upper() + first.form[1:])
            return tree._replace(words=(capital,) + tree.words[1:])
    raise ValueError(f"of 1000 sentences none has {min_length} to {max_length} tokens")
