"""The frame column: the name of the predicate that a word stands for."""

from spigot_allennlp.data.synthetic.treebank.entries import Noun, Word
from spigot_allennlp.data.synthetic.treebank.lexicon import look_up

_BY_TAG = {"PRP": "pron", "PRP$": "pron", "NNP": "named", "CD": "card", "TO": "_in+order+to_x"}
_SENSE = {"persuade": "of", "attribution": "to", "transfer": "to"}


def frame(word: Word) -> str:
    """The frame of a word that is a node of the graph."""
    if word.pos in _BY_TAG:
        return _BY_TAG[word.pos]
    if word.lemma == "not":
        return "neg"
    if word.pos == "DT":
        return f"_{word.lemma}_q"
    if word.pos == "IN":
        return f"_{word.lemma}_p"
    entry = look_up(word)
    if isinstance(entry, Noun):
        return f"_{word.lemma}_n_{'of' if entry.relational else 1}"
    if word.pos[0] == "N":
        return f"_{word.lemma}_n_1"
    if word.pos[0] == "V":
        return f"_{word.lemma}_v_{_SENSE.get(entry.kind, '1') if entry else 'id'}"
    return f"_{word.lemma}_a_1"
