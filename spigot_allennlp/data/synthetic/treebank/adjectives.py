"""The productions of attributive adjectives and of the noun before a noun."""

from spigot_allennlp.data.synthetic.treebank import coined
from spigot_allennlp.data.synthetic.treebank.draw import weighted
from spigot_allennlp.data.synthetic.treebank.entries import Modifier, Word
from spigot_allennlp.data.synthetic.treebank.function_words import CONJUNCTIONS
from spigot_allennlp.data.synthetic.treebank.grammar import Derivation, production
from spigot_allennlp.data.synthetic.treebank.modifiers import (
    ADVERBS,
    JUDGING_ADJECTIVES,
    NEUTRAL_ADJECTIVES,
)
from spigot_allennlp.data.synthetic.treebank.node import Node
from spigot_allennlp.data.synthetic.treebank.nouns import NOUNS
from spigot_allennlp.data.synthetic.treebank.slots import adjective_class

_COMPOUND_KINDS = weighted(work=3, occasion=1.5, place=1.5, instrument=0.5)


def adjective_word(entry: Modifier) -> Word:
    """The adjective as it stands in a sentence."""
    return Word(entry.lemma, entry.lemma, "JJ")


def adverb_word(entry: Modifier) -> Word:
    """The adverb as it stands in a sentence."""
    return Word(entry.lemma, entry.lemma, "RB")


def adjective(g: Derivation, kind: str, judging: bool) -> Node:
    """An adjective for a noun of this kind, now and then with an adverb of degree."""
    table = JUDGING_ADJECTIVES if judging else NEUTRAL_ADJECTIVES
    node = Node(adjective_word(g.draw.pick(table[adjective_class(kind)])))
    if g.draw.chance(0.1):
        node.before(Node(adverb_word(g.draw.pick(ADVERBS["degree"]))), "advmod")
    return node


@production("adjectives", 96)
def no_adjective(g: Derivation, noun: Node, kind: str) -> None:
    """film"""


@production("adjectives", 14)
def neutral_adjective(g: Derivation, noun: Node, kind: str) -> None:
    """new film"""
    noun.before(adjective(g, kind, judging=False), "amod")


@production("adjectives", 9)
def judging_adjective(g: Derivation, noun: Node, kind: str) -> None:
    """boring film"""
    noun.before(adjective(g, kind, judging=adjective_class(kind) != "any"), "amod")


@production("adjectives", 1)
def coined_adjective(g: Derivation, noun: Node, kind: str) -> None:
    """garden-like film"""
    noun.before(Node(coined.adjective(g.draw)), "amod")


@production("adjectives", 2)
def two_adjectives(g: Derivation, noun: Node, kind: str) -> None:
    """boring new film"""
    judging_adjective(g, noun, kind)
    neutral_adjective(g, noun, kind)


@production("adjectives", 2)
def coordinated_adjectives(g: Derivation, noun: Node, kind: str) -> None:
    """long and boring film"""
    first = adjective(g, kind, judging=False)
    first.after(Node(CONJUNCTIONS["and"]), "cc")
    noun.before(first.after(adjective(g, kind, judging=True), "conj"), "amod")


@production("adjectives", 4)
def compound(g: Derivation, noun: Node, kind: str) -> None:
    """film critic"""
    noun.before(_first_of_compound(g), "nn")


@production("adjectives", 3)
def adjective_of_compound(g: Derivation, noun: Node, kind: str) -> None:
    """boring (film critic): the critic is"""
    judging_adjective(g, noun, kind)
    compound(g, noun, kind)


@production("adjectives", 3)
def adjective_in_compound(g: Derivation, noun: Node, kind: str) -> None:
    """(boring film) critic: the film is"""
    first = _first_of_compound(g)
    first.before(adjective(g, "work", judging=g.draw.chance(0.6)), "amod")
    noun.before(first, "nn")


def _first_of_compound(g: Derivation) -> Node:
    return Node(g.draw.pick(NOUNS[g.draw.pick(_COMPOUND_KINDS)]).word())
