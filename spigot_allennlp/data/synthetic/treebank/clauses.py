"""The productions of finite clauses, and of sentences."""

from spigot_allennlp.data.synthetic.treebank.adjectives import adverb_word
from spigot_allennlp.data.synthetic.treebank.adjuncts import participle
from spigot_allennlp.data.synthetic.treebank.draw import weighted
from spigot_allennlp.data.synthetic.treebank.function_words import (
    COMMA,
    CONJUNCTIONS,
    STOP,
    SUBORDINATORS,
)
from spigot_allennlp.data.synthetic.treebank.grammar import Derivation, production
from spigot_allennlp.data.synthetic.treebank.modifiers import ADVERBS
from spigot_allennlp.data.synthetic.treebank.node import Node
from spigot_allennlp.data.synthetic.treebank.noun_modifiers import prepositional
from spigot_allennlp.data.synthetic.treebank.noun_phrases import noun_phrase
from spigot_allennlp.data.synthetic.treebank.predicate import Form, Predicate, inflect

_TENSES = weighted(past=5, present=3, future=1, perfect=1)
_CONCESSIVE = weighted(although=5, though=2, **{"while": 1})
_OF_PLACE_OR_TIME = weighted(place=1, occasion=1)


def finite(g: Derivation, predicate: Predicate, plural: bool) -> Node:
    """The predicate in a finite form that is drawn, without its subject."""
    tense = predicate.tense or g.draw.pick(_TENSES)
    negated = g.draw.chance(0.1)
    if not negated and predicate.preverbal is None and g.draw.chance(0.02):
        predicate.preverbal = adverb_word(g.draw.pick(ADVERBS["never"]))
    return inflect(predicate, Form(tense, plural, negated, contracted=g.draw.chance(0.3))).node


def with_subject(g: Derivation, predicate: Predicate, plain: bool = False) -> Node:
    """The finite clause of a predicate."""
    subject = noun_phrase(g, predicate.subject, case="subject", plain=plain)
    node = finite(g, predicate, subject.plural)
    return node.in_front(subject, predicate.subject_relation)


@production("clause", 62)
def clause_about_person(g: Derivation) -> Node:
    """the critic left"""
    return with_subject(g, g.expand("person predicate"))


@production("clause", 38)
def clause_about_work(g: Derivation) -> Node:
    """the film bored the critic"""
    return with_subject(g, g.expand("work predicate"))


@production("clauses", 56)
def one_clause(g: Derivation) -> Node:
    """the film bored the critic"""
    return g.expand("clause")


@production("clauses", 10, recursive=True)
def contrast(g: Derivation) -> Node:
    """the film bored the critic, but the ending charmed the visitors"""
    return _coordinated(g, "but", comma=0.9)


@production("clauses", 4, recursive=True)
def two_clauses(g: Derivation) -> Node:
    """the film bored the critic and the villain left"""
    return _coordinated(g, "and", comma=0.6)


def _coordinated(g: Derivation, conjunction: str, comma: float) -> Node:
    first, second = g.expand("clause"), g.expand("clause")
    if g.draw.chance(comma):
        first.after(Node(COMMA), "punct")
    return first.after(Node(CONJUNCTIONS[conjunction]), "cc").after(second, "conj")


@production("clauses", 10, recursive=True)
def concession_first(g: Derivation) -> Node:
    """although the ending charmed the visitors, the film bored the critic"""
    concession = _subordinate(g, g.draw.pick(_CONCESSIVE))
    return g.expand("clause").in_front(Node(COMMA), "punct").in_front(concession, "advcl")


@production("clauses", 11, recursive=True)
def concession_last(g: Derivation) -> Node:
    """the film bored the critic although the ending charmed the visitors"""
    main = g.expand("clause")
    if g.draw.chance(0.6):
        main.after(Node(COMMA), "punct")
    return main.after(_subordinate(g, g.draw.pick(_CONCESSIVE)), "advcl")


@production("clauses", 5, recursive=True)
def cause(g: Derivation) -> Node:
    """the visitors left because the film bored the critic"""
    return g.expand("clause").after(_subordinate(g, "because"), "advcl")


@production("clauses", 5, recursive=True)
def participle_first(g: Derivation) -> Node:
    """leaving the cinema, the critic laughed"""
    main = with_subject(g, g.expand("person predicate"))
    return main.in_front(Node(COMMA), "punct").in_front(participle(g), "advcl")


@production("clauses", 4)
def setting_first(g: Derivation) -> Node:
    """in the garden, the critic laughed"""
    slot = g.draw.pick(_OF_PLACE_OR_TIME)
    setting = prepositional(g, "in" if slot == "place" else "after", slot)
    return g.expand("clause").in_front(Node(COMMA), "punct").in_front(setting, "prep")


def _subordinate(g: Derivation, subordinator: str) -> Node:
    return g.expand("clause").in_front(Node(SUBORDINATORS[subordinator]), "mark")


@production("sentence", 1)
def sentence(g: Derivation) -> Node:
    """The film bored the critic ."""
    return g.expand("clauses").after(Node(STOP), "punct")
