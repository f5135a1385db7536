"""The productions of what may follow a verb: place, time, manner, means, purpose."""

from spigot_allennlp.data.synthetic.treebank.adjectives import adverb_word
from spigot_allennlp.data.synthetic.treebank.draw import weighted
from spigot_allennlp.data.synthetic.treebank.entries import Word
from spigot_allennlp.data.synthetic.treebank.function_words import COMMA
from spigot_allennlp.data.synthetic.treebank.grammar import Derivation, production
from spigot_allennlp.data.synthetic.treebank.modifiers import ADVERBS
from spigot_allennlp.data.synthetic.treebank.node import Node
from spigot_allennlp.data.synthetic.treebank.noun_modifiers import prepositional
from spigot_allennlp.data.synthetic.treebank.predicate import Form, Predicate, inflect
from spigot_allennlp.data.synthetic.treebank.slots import SLOTS_OF_PERSONS

_WHERE = weighted(**{"in": 4, "near": 1, "at": 1})
_WHEN = weighted(during=2, after=2, before=1)
_TENSES = weighted(past=4, present=2, future=2)
_AUGHT = weighted(instrument=3, manner=2, part=0.5)


@production("adjunct", 150)
@production("late adjunct", 140)
def nothing(g: Derivation, predicate: Predicate) -> None:
    """left"""


@production("adjunct", 7)
@production("late adjunct", 4)
def in_a_place(g: Derivation, predicate: Predicate) -> None:
    """left in the garden"""
    place = prepositional(g, g.draw.pick(_WHERE), "place", plain=g.depth > 0)
    predicate.node.after(place, "prep")


@production("adjunct", 5)
@production("late adjunct", 4)
def on_an_occasion(g: Derivation, predicate: Predicate) -> None:
    """left during the interval"""
    occasion = prepositional(g, g.draw.pick(_WHEN), "occasion", plain=g.depth > 0)
    predicate.node.after(occasion, "prep")


@production("adjunct", 7)
def with_something(g: Derivation, predicate: Predicate) -> None:
    """left with the camera; left with ease"""
    predicate.node.after(prepositional(g, "with", g.draw.pick(_AUGHT), plain=True), "prep")


@production("adjunct", 5)
@production("late adjunct", 10)
def at_a_time(g: Derivation, predicate: Predicate) -> None:
    """left yesterday: the adverb asks for a tense"""
    predicate.tense = predicate.tense or g.draw.pick(_TENSES)
    adverb = g.draw.pick(ADVERBS[predicate.tense])
    predicate.node.after(Node(Word(adverb.lemma, adverb.lemma, "RB")), "tmod")


@production("adjunct", 7)
def in_a_manner(g: Derivation, predicate: Predicate) -> None:
    """left quietly; quietly left"""
    word = adverb_word(g.draw.pick(ADVERBS["manner"]))
    if predicate.preverbal is None and g.draw.chance(0.35):
        predicate.preverbal = word
    else:
        predicate.node.after(Node(word), "advmod")


@production("adjunct", 2)
def there(g: Derivation, predicate: Predicate) -> None:
    """left there"""
    predicate.node.after(Node(adverb_word(g.draw.pick(ADVERBS["place"]))), "advmod")


@production("adjunct", 3, recursive=True)
@production("late adjunct", 3, recursive=True)
def purpose(g: Derivation, predicate: Predicate) -> None:
    """left to meet the singer"""
    if predicate.subject not in SLOTS_OF_PERSONS:
        return
    inner: Predicate = g.expand("controlled predicate")
    predicate.node.after(inflect(inner, Form("infinitive")).node, "advcl")


@production("adjunct", 5, recursive=True)
@production("late adjunct", 3, recursive=True)
def while_doing(g: Derivation, predicate: Predicate) -> None:
    """watched the actor, leaving the cinema: who watches is who leaves"""
    if predicate.subject not in SLOTS_OF_PERSONS:
        return
    if g.draw.chance(0.5):
        predicate.node.after(Node(COMMA), "punct")
    predicate.node.after(participle(g), "advcl")


def participle(g: Derivation) -> Node:
    """leaving the cinema"""
    inner: Predicate = g.expand("controlled predicate")
    return inflect(inner, Form("gerund")).node
