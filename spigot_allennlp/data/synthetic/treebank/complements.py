"""The productions of predicates with a predicate inside: control, raising, coordination."""

from spigot_allennlp.data.synthetic.treebank.draw import weighted
from spigot_allennlp.data.synthetic.treebank.entries import Verb
from spigot_allennlp.data.synthetic.treebank.function_words import (
    COMMA,
    CONJUNCTIONS,
    SUBORDINATORS,
)
from spigot_allennlp.data.synthetic.treebank.grammar import Derivation, production
from spigot_allennlp.data.synthetic.treebank.node import Node
from spigot_allennlp.data.synthetic.treebank.noun_phrases import noun_phrase
from spigot_allennlp.data.synthetic.treebank.predicate import Form, Predicate, active, inflect
from spigot_allennlp.data.synthetic.treebank.verbs import VERBS

_CONJUNCTION = weighted(**{"and": 6, "or": 1.5, "but": 2})


def infinitive(g: Derivation, symbol: str) -> Predicate:
    """to leave; not to leave"""
    predicate: Predicate = g.expand(symbol)
    return inflect(predicate, Form("infinitive", negated=g.draw.chance(0.04)))


@production("person predicate", 4, recursive=True)
def raising_person(g: Derivation) -> Predicate:
    """seemed to suffer"""
    return _raising(g, "person")


@production("work predicate", 4, recursive=True)
def raising_work(g: Derivation) -> Predicate:
    """failed to impress the critic"""
    return _raising(g, "work")


def _raising(g: Derivation, subject: str) -> Predicate:
    inner = infinitive(g, f"{subject} predicate")
    predicate = active(g.draw.pick(VERBS["raising"]), inner.subject)
    predicate.node.after(inner.node, "xcomp")
    return predicate


@production("person predicate", 4, recursive=True)
def control(g: Derivation) -> Predicate:
    """tried to leave: who tries is who leaves"""
    inner = infinitive(g, "person predicate")
    predicate = active(g.draw.pick(VERBS["control"]), inner.subject)
    predicate.node.after(inner.node, "xcomp")
    g.expand("late adjunct", predicate)
    return predicate


@production("person predicate", 4, recursive=True)
def promise(g: Derivation) -> Predicate:
    """promised the hero to leave: who promises is who leaves"""
    return _with_object_and_clause(g, g.draw.pick(VERBS["promise"]))


@production("person predicate", 4, recursive=True)
def persuade(g: Derivation) -> Predicate:
    """persuaded the hero to leave: who is persuaded is who leaves"""
    return _with_object_and_clause(g, g.draw.pick(VERBS["persuade"]))


def _with_object_and_clause(g: Derivation, verb: Verb) -> Predicate:
    inner = infinitive(g, "controlled predicate")
    predicate = active(verb, "faring")
    predicate.node.after(noun_phrase(g, "faring", plain=g.draw.chance(0.7)), "dobj")
    predicate.node.after(inner.node, "xcomp")
    g.expand("late adjunct", predicate)
    return predicate


@production("person predicate", 3, recursive=True)
def persuaded(g: Derivation) -> Predicate:
    """was persuaded to leave"""
    inner = infinitive(g, "controlled predicate")
    verb = g.draw.pick(VERBS["persuade"])
    predicate = Predicate(Node(verb.word("VBN")), verb, "passive", "faring")
    predicate.node.after(inner.node, "xcomp")
    return predicate


@production("person predicate", 6, recursive=True)
def attribution(g: Derivation) -> Predicate:
    """said that the film bored the critic"""
    predicate = active(g.draw.pick(VERBS["attribution"]), "person")
    clause: Node = g.expand("clause")
    if g.draw.chance(0.6):
        clause.in_front(Node(SUBORDINATORS["that"]), "mark")
    predicate.node.after(clause, "ccomp")
    g.expand("late adjunct", predicate)
    return predicate


@production("person predicate", 4, recursive=True)
def coordination_person(g: Derivation) -> Predicate:
    """praised the film and left"""
    return _coordination(g, "person")


@production("work predicate", 3, recursive=True)
def coordination_work(g: Derivation) -> Predicate:
    """bored the critic but charmed the visitor"""
    return _coordination(g, "work")


def _coordination(g: Derivation, subject: str) -> Predicate:
    first: Predicate = g.expand(f"{subject} predicate")
    second: Predicate = g.expand(f"{subject} predicate")
    tenses_clash = first.tense and second.tense and first.tense != second.tense
    if first.conjuncts or tenses_clash:
        return first
    conjunction = g.draw.pick(_CONJUNCTION)
    second.joins = conjunction != "but" and second.node.word.pos[0] != "N" and g.draw.chance(0.7)
    second.negated = conjunction == "but" and g.draw.chance(0.2)
    if conjunction == "but" and g.draw.chance(0.5):
        first.node.after(Node(COMMA), "punct")
    _conjoin(first, second, conjunction)
    first.tense = first.tense or second.tense
    g.expand("late adjunct", first)
    return first


@production("person predicate", 3)
def shared_object(g: Derivation) -> Predicate:
    """praised and recorded the film: the object is of both"""
    first = active(g.draw.pick(VERBS["action"]), "person")
    second = active(g.draw.pick(VERBS["evaluation"]), "person")
    if g.draw.chance(0.5):
        first, second = second, first
    second.joins = True
    _conjoin(first, second, "and")
    first.node.after(noun_phrase(g, "theme"), "dobj")
    return first


def _conjoin(first: Predicate, second: Predicate, conjunction: str) -> None:
    first.node.after(Node(CONJUNCTIONS[conjunction]), "cc")
    first.node.after(second.node, "conj")
    first.conjuncts.append(second)
