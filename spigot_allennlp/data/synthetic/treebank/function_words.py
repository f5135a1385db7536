"""The closed classes: determiners, pronouns, prepositions, conjunctions and the like."""

from typing import Dict

from spigot_allennlp.data.synthetic.treebank.lexicon import Word
from spigot_allennlp.data.synthetic.treebank.sampling import Weighted


def _uninflected(pos: str, *forms: str) -> Dict[str, Word]:
    return {form: Word(form, form.lower(), pos) for form in forms}


PREPOSITIONS = _uninflected("IN", "of", "with", "without", "in", "near", "from", "by", "at")
PREPOSITIONS.update(_uninflected("IN", "during", "after", "before", "about"))
CONJUNCTIONS = _uninflected("CC", "and", "or", "but")
SUBORDINATORS = _uninflected("IN", "although", "because", "while", "that", "though")
RELATIVE_PRONOUNS = _uninflected("WP", "who", "whom")
RELATIVE_PRONOUNS.update(_uninflected("WDT", "which", "that"))

TO = Word("to", "to", "TO")
NOT = Word("not", "not", "RB")
CONTRACTED_NOT = Word("n't", "not", "RB")
POSSESSIVE = Word("'s", "'s", "POS")
POSSESSIVE_AFTER_S = Word("'", "'s", "POS")
COMMA = Word(",", ",", ",")
STOP = Word(".", ".", ".")
WILL = Word("will", "will", "MD")
DID = Word("did", "do", "VBD")
DOES = Word("does", "do", "VBZ")
DO = Word("do", "do", "VBP")
HAS = Word("has", "have", "VBZ")
HAVE = Word("have", "have", "VBP")

#: Determiners before a singular and before a plural. "a" becomes "an" before a vowel.
SINGULAR_DETERMINERS = Weighted(
    [Word(form, form, "DT") for form in ("the", "a", "this", "every", "some", "no", "another")],
    [50, 28, 6, 3, 2, 1.5, 2],
)
PLURAL_DETERMINERS = Weighted(
    [
        Word("the", "the", "DT"),
        Word("these", "this", "DT"),
        Word("some", "some", "DT"),
        Word("all", "all", "DT"),
        Word("no", "no", "DT"),
    ],
    [55, 6, 10, 3, 1.5],
)
INDEFINITE_BEFORE_VOWEL = Word("an", "a", "DT")

SUBJECT_PRONOUNS = Weighted(
    [Word(form, form.lower(), "PRP") for form in ("he", "she", "they", "we")],
    [5, 5, 4, 2],
)
#: Pronouns that take the plural form of a verb.
PLURAL_PRONOUNS = frozenset(("they", "we"))
OBJECT_PRONOUNS = Weighted(
    [Word("him", "he", "PRP"), Word("her", "she", "PRP"), Word("them", "they", "PRP")], [4, 4, 3]
)
POSSESSIVE_PRONOUNS = Weighted(
    [Word("his", "he", "PRP$"), Word("her", "she", "PRP$"), Word("their", "they", "PRP$")],
    [4, 4, 3],
)
NOBODY = Word("nobody", "nobody", "NN")
NOTHING = Word("nothing", "nothing", "NN")
