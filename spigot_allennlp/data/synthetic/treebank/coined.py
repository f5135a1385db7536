"""Words made on the spot, so that a development set holds words that training never saw."""

from spigot_allennlp.data.synthetic.treebank.draw import Draw, zipf
from spigot_allennlp.data.synthetic.treebank.entries import Word
from spigot_allennlp.data.synthetic.treebank.nouns import NOUNS

_FIRST_NAMES = zipf("Anna Peter Maria John Clara Hugo Nora Felix Ida Oscar".split())
_ONSETS = zipf("Mar Hal Ben Cor Tes Wil Ron Kel Dar Fen Lor Vas Bran Oster Quin Zam".split())
_MIDDLES = zipf(["", "l", "ing", "en", "ber", "o", "wick", "ar", "ti", "sel"])
_ENDS = zipf("ow er ton ley man son by ski ini well sen dotter".split())
_NUMBERS = zipf("two three four five six seven eight nine ten twelve".split())
_COMPARED = zipf(["place", "occasion", "instrument", "part"])
_DIGITS = zipf(list("123456789"))


def surname(draw: Draw) -> Word:
    """One of about two thousand surnames, some of them frequent."""
    name = draw.pick(_ONSETS) + draw.pick(_MIDDLES) + draw.pick(_ENDS)
    return Word(name, name, "NNP")


def first_name(draw: Draw) -> Word:
    """One of ten first names."""
    name = draw.pick(_FIRST_NAMES)
    return Word(name, name, "NNP")


def adjective(draw: Draw) -> Word:
    """A neutral adjective of comparison: "garden-like"."""
    form = draw.pick(NOUNS[draw.pick(_COMPARED)]).lemma + "-like"
    return Word(form, form, "JJ")


def number(draw: Draw) -> Word:
    """A number above one, in letters or in digits."""
    if draw.chance(0.8):
        form = draw.pick(_NUMBERS)
    else:
        form = draw.pick(_DIGITS) + draw.pick(_DIGITS)
    return Word(form, form, "CD")
