"""The productions of what follows a noun: prepositions, participles, relative clauses."""

from spigot_allennlp.data.synthetic.treebank.draw import weighted
from spigot_allennlp.data.synthetic.treebank.function_words import PREPOSITIONS
from spigot_allennlp.data.synthetic.treebank.grammar import Derivation, production
from spigot_allennlp.data.synthetic.treebank.node import Node
from spigot_allennlp.data.synthetic.treebank.noun_phrases import noun_phrase
from spigot_allennlp.data.synthetic.treebank.slots import PERSONS, WORKS

_WITH = weighted(**{"with": 4, "without": 1})
_WHERE = weighted(**{"in": 3, "near": 2, "from": 3})
_WHERE_WORK = weighted(**{"from": 2, "in": 1})


def prepositional(g: Derivation, preposition: str, slot: str, plain: bool = False) -> Node:
    """A preposition with its noun phrase."""
    return Node(PREPOSITIONS[preposition]).after(noun_phrase(g, slot, plain=plain), "pobj")


@production("noun modifier", 58)
@production("subject modifier", 46)
def nothing(g: Derivation, noun: Node, kind: str) -> None:
    """the film"""


@production("noun modifier", 7)
@production("subject modifier", 6)
def with_something(g: Derivation, noun: Node, kind: str) -> None:
    """the film with the sad ending; the singer with the camera; the actor without talent"""
    slots = weighted(part=1) if kind in WORKS else weighted(instrument=3, quality=1)
    if kind not in WORKS and kind not in PERSONS:
        return
    if kind in WORKS and g.draw.chance(0.2):
        slots = weighted(quality=1)
    slot = g.draw.pick(slots)
    noun.after(prepositional(g, g.draw.pick(_WITH), slot, plain=g.depth > 0), "prep")


@production("noun modifier", 6)
@production("subject modifier", 4)
def somewhere(g: Derivation, noun: Node, kind: str) -> None:
    """the critic from the city; the song from the cinema"""
    where = g.draw.pick(_WHERE if kind in PERSONS else _WHERE_WORK)
    noun.after(prepositional(g, where, "place", plain=g.depth > 0), "prep")


@production("noun modifier", 3)
@production("subject modifier", 2)
def about_something(g: Derivation, noun: Node, kind: str) -> None:
    """the film about the thief"""
    if kind in WORKS:
        noun.after(prepositional(g, "about", "doer", plain=g.depth > 0), "prep")


@production("noun modifier", 18)
@production("subject modifier", 90)
def relative_clause(g: Derivation, noun: Node, kind: str) -> None:
    """the critic who left"""
    if kind in PERSONS or kind in WORKS:
        g.expand("relative clause", noun, kind)
