"""The productions of simple predicates: a verb with its objects, an adjective, a noun."""

from spigot_allennlp.data.synthetic.treebank.adjectives import adjective
from spigot_allennlp.data.synthetic.treebank.draw import weighted
from spigot_allennlp.data.synthetic.treebank.entries import Verb
from spigot_allennlp.data.synthetic.treebank.function_words import TO
from spigot_allennlp.data.synthetic.treebank.grammar import Derivation, production
from spigot_allennlp.data.synthetic.treebank.node import Node
from spigot_allennlp.data.synthetic.treebank.noun_modifiers import prepositional
from spigot_allennlp.data.synthetic.treebank.noun_phrases import noun_phrase
from spigot_allennlp.data.synthetic.treebank.predicate import Predicate, active
from spigot_allennlp.data.synthetic.treebank.verbs import BE, VERBS

#: What the subject and the object of a kind of verb are drawn from.
SUBJECTS = {"effect": "doer", "fate": "faring", "property": "work", "stimulus": "theme"}
OBJECTS = {"evaluation": "theme", "stimulus": "person", "effect": "patient"}
OBJECTS.update(action="theme", property="quality", transfer="work")

_BY_WORK = weighted(evaluation=5, action=1)
_BY_ANYTHING = weighted(stimulus=4, effect=2, evaluation=2)


def with_object(g: Derivation, verb: Verb, subject: str) -> Predicate:
    """The verb with an object of its kind, and perhaps an adjunct."""
    predicate = active(verb, subject)
    predicate.node.after(noun_phrase(g, OBJECTS[verb.kind]), "dobj")
    g.expand("adjunct", predicate)
    return predicate


@production("person predicate", 26)
@production("controlled predicate", 12)
def evaluation(g: Derivation) -> Predicate:
    """enjoyed the film"""
    return with_object(g, g.draw.pick(VERBS["evaluation"]), "person")


@production("person predicate", 10)
def stimulus_person(g: Derivation) -> Predicate:
    """amused the critic"""
    return with_object(g, g.draw.pick(VERBS["stimulus"]), "person")


@production("work predicate", 22)
def stimulus(g: Derivation) -> Predicate:
    """bored the critic"""
    return with_object(g, g.draw.pick(VERBS["stimulus"]), "work")


@production("person predicate", 8)
@production("controlled predicate", 4)
def effect(g: Derivation) -> Predicate:
    """rescued the hero"""
    return with_object(g, g.draw.pick(VERBS["effect"]), "doer")


@production("work predicate", 4)
def has_property(g: Derivation) -> Predicate:
    """lacked charm"""
    return with_object(g, g.draw.pick(VERBS["property"]), "work")


@production("person predicate", 5)
@production("controlled predicate", 2)
def action(g: Derivation) -> Predicate:
    """watched the wonderful film"""
    return with_object(g, g.draw.pick(VERBS["action"]), "person")


@production("person predicate", 3)
@production("controlled predicate", 3)
def fate(g: Derivation) -> Predicate:
    """won"""
    return _without_object(g, g.draw.pick(VERBS["fate"]), "faring")


@production("person predicate", 4)
@production("controlled predicate", 1)
def activity(g: Derivation) -> Predicate:
    """left"""
    return _without_object(g, g.draw.pick(VERBS["activity"]), "person")


def _without_object(g: Derivation, verb: Verb, subject: str) -> Predicate:
    predicate = active(verb, subject)
    g.expand("adjunct", predicate)
    return predicate


@production("person predicate", 3)
def transfer(g: Derivation) -> Predicate:
    """gave the singer the song; gave the song to the singer"""
    predicate = active(g.draw.pick(VERBS["transfer"]), "person")
    if g.draw.chance(0.5):
        predicate.node.after(noun_phrase(g, "person", plain=True), "iobj")
        predicate.node.after(noun_phrase(g, "work"), "dobj")
    else:
        predicate.node.after(noun_phrase(g, "work"), "dobj")
        to = Node(TO).after(noun_phrase(g, "person"), "pobj")
        predicate.node.after(to, "prep")
    return predicate


@production("person predicate", 10)
def person_is(g: Derivation) -> Predicate:
    """was generous"""
    return _copular(g, adjective(g, "person", judging=g.draw.chance(0.9)), "person")


@production("work predicate", 18)
def work_is(g: Derivation) -> Predicate:
    """was boring"""
    return _copular(g, adjective(g, "work", judging=g.draw.chance(0.9)), "work")


@production("work predicate", 5)
def is_verdict(g: Derivation) -> Predicate:
    """was a masterpiece"""
    return _copular(g, noun_phrase(g, "verdict", plain=True), "work")


def _copular(g: Derivation, node: Node, subject: str) -> Predicate:
    predicate = Predicate(node, BE, "copular", subject)
    if g.chance(0.2):
        g.expand("adjunct", predicate)
    return predicate


@production("person predicate", 5)
def passive_person(g: Derivation) -> Predicate:
    """was rescued by the hero"""
    verb = g.draw.pick(VERBS[g.draw.pick(_BY_ANYTHING)])
    return _passive(g, verb, "patient" if verb.kind == "effect" else "person")


@production("work predicate", 9)
def passive_work(g: Derivation) -> Predicate:
    """was praised by the critic"""
    return _passive(g, g.draw.pick(VERBS[g.draw.pick(_BY_WORK)]), "work")


def _passive(g: Derivation, verb: Verb, subject: str) -> Predicate:
    predicate = Predicate(Node(verb.word("VBN")), verb, "passive", subject)
    add_agent(g, predicate.node, verb)
    g.expand("adjunct", predicate)
    return predicate


def add_agent(g: Derivation, node: Node, verb: Verb) -> None:
    """by the critic; sometimes nobody is named"""
    if g.draw.chance(0.7):
        node.after(prepositional(g, "by", SUBJECTS.get(verb.kind, "person")), "prep")
