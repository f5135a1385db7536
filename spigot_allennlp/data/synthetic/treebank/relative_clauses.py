"""
The productions of relative clauses and participles after a noun.

Nothing is moved: the noun is understood where a subject or an object is missing, which
`arguments.py` finds again in the tree.
"""

from spigot_allennlp.data.synthetic.treebank.adjuncts import participle
from spigot_allennlp.data.synthetic.treebank.clauses import finite, with_subject
from spigot_allennlp.data.synthetic.treebank.draw import weighted
from spigot_allennlp.data.synthetic.treebank.function_words import RELATIVISERS
from spigot_allennlp.data.synthetic.treebank.grammar import Derivation, production
from spigot_allennlp.data.synthetic.treebank.node import Node
from spigot_allennlp.data.synthetic.treebank.noun_phrases import noun_phrase
from spigot_allennlp.data.synthetic.treebank.predicate import Form, Predicate, active, inflect
from spigot_allennlp.data.synthetic.treebank.slots import PERSONS
from spigot_allennlp.data.synthetic.treebank.verb_phrases import SUBJECTS, add_agent
from spigot_allennlp.data.synthetic.treebank.verbs import VERBS

_OF_PERSON = weighted(evaluation=5, effect=2, stimulus=5, action=1)
_OF_WORK = weighted(evaluation=6, effect=1, action=1)


@production("relative clause", 10, recursive=True)
def subject_relative(g: Derivation, noun: Node, kind: str) -> None:
    """the critic who left"""
    symbol = "person predicate" if kind in PERSONS else "work predicate"
    predicate: Predicate = g.expand(symbol)
    clause = finite(g, predicate, noun.plural)
    clause.in_front(_relativiser(g, kind, subject=True), predicate.subject_relation)
    noun.after(clause, "rcmod")


@production("relative clause", 7, recursive=True)
def object_relative(g: Derivation, noun: Node, kind: str) -> None:
    """the film which the critic praised; the film the critic praised"""
    _attach(g, noun, kind, _clause_with_gap(g, kind), "dobj")


@production("relative clause", 2, recursive=True)
def object_relative_across(g: Derivation, noun: Node, kind: str) -> None:
    """the film which the visitor said the critic praised"""
    outer = active(g.draw.pick(VERBS["attribution"]), "person")
    outer.node.after(_clause_with_gap(g, kind), "ccomp")
    _attach(g, noun, kind, with_subject(g, outer, plain=True), "rel")


@production("relative clause", 2, recursive=True)
def subject_relative_across(g: Derivation, noun: Node, kind: str) -> None:
    """the critic who the visitor said left"""
    symbol = "person predicate" if kind in PERSONS else "work predicate"
    inner = finite(g, g.expand(symbol), noun.plural)
    outer = active(g.draw.pick(VERBS["attribution"]), "person")
    outer.node.after(inner, "ccomp")
    clause = with_subject(g, outer, plain=True)
    noun.after(clause.in_front(_relativiser(g, kind, subject=True), "rel"), "rcmod")


@production("relative clause", 2, recursive=True)
def object_relative_of_infinitive(g: Derivation, noun: Node, kind: str) -> None:
    """the film which the critic persuaded the actor to praise"""
    inner = inflect(_predicate_with_gap(g, kind), Form("infinitive"))
    symbol = "control" if g.draw.chance(0.5) else "persuade"
    outer = active(g.draw.pick(VERBS[symbol]), "person")
    if symbol == "persuade":
        outer.node.after(noun_phrase(g, "faring", plain=True), "dobj")
    outer.node.after(inner.node, "xcomp")
    _attach(g, noun, kind, with_subject(g, outer, plain=True), "rel")


@production("relative clause", 3, recursive=True)
def active_participle(g: Derivation, noun: Node, kind: str) -> None:
    """the critic leaving the cinema"""
    if kind in PERSONS:
        noun.after(participle(g), "vmod")


@production("relative clause", 6)
def passive_participle(g: Derivation, noun: Node, kind: str) -> None:
    """the film praised by the critic"""
    verb = g.draw.pick(VERBS[g.draw.pick(_OF_PERSON if kind in PERSONS else _OF_WORK)])
    node = Node(verb.word("VBN"))
    add_agent(g, node, verb)
    noun.after(node, "vmod")


def _predicate_with_gap(g: Derivation, kind: str) -> Predicate:
    verb = g.draw.pick(VERBS[g.draw.pick(_OF_PERSON if kind in PERSONS else _OF_WORK)])
    predicate = active(verb, SUBJECTS.get(verb.kind, "person"))
    g.expand("adjunct", predicate)
    return predicate


def _clause_with_gap(g: Derivation, kind: str) -> Node:
    return with_subject(g, _predicate_with_gap(g, kind), plain=True)


def _attach(g: Derivation, noun: Node, kind: str, clause: Node, relation: str) -> None:
    if g.draw.chance(0.5):
        clause.in_front(_relativiser(g, kind, subject=False), relation)
    noun.after(clause, "rcmod")


def _relativiser(g: Derivation, kind: str, subject: bool) -> Node:
    if g.draw.chance(0.3):
        return Node(RELATIVISERS["that"])
    if kind in PERSONS:
        return Node(RELATIVISERS["who" if subject or g.draw.chance(0.5) else "whom"])
    return Node(RELATIVISERS["which"])
