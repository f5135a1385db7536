"""
The productions of predicates: verbs with their objects, complements and adjuncts.

A production returns a `Predicate` in an undetermined form: the clause around it decides on tense,
agreement and negation. The docstring of a production is an example of what it builds.
"""

from spigot_allennlp.data.synthetic.treebank.function_words import (
    COMMA,
    CONJUNCTIONS,
    SUBORDINATORS,
    TO,
)
from spigot_allennlp.data.synthetic.treebank.grammar import Derivation, production
from spigot_allennlp.data.synthetic.treebank.lexicon import ADVERBS, BE, VERBS, Verb
from spigot_allennlp.data.synthetic.treebank.noun_phrases import (
    SLOTS_OF_PERSONS,
    adjective,
    noun_phrase,
    prepositional_phrase,
)
from spigot_allennlp.data.synthetic.treebank.predicate import Form, Predicate, active, inflect
from spigot_allennlp.data.synthetic.treebank.sampling import weighted
from spigot_allennlp.data.synthetic.treebank.tree import Node

# The slot (see `SLOTS` in `noun_phrases.py`) of the object for each kind of verb that has one.
_OBJECT_SLOTS = {"evaluation": "theme", "stimulus": "person", "effect": "patient"}
_OBJECT_SLOTS.update(action="theme", property="quality", transfer="work")
# The slot of the subject for kinds of verbs where it is not "person".
_SUBJECT_SLOTS = {"effect": "doer", "fate": "faring", "property": "work", "stimulus": "theme"}

_BY_WORK = weighted(evaluation=5, action=1)
_BY_ANYTHING = weighted(stimulus=4, effect=2, evaluation=2)
_CONJUNCTION = weighted(**{"and": 6, "or": 1.5, "but": 2})
_WHERE = weighted(**{"in": 4, "near": 1, "at": 1})
_WHEN = weighted(during=2, after=2, before=1)
_TENSES = weighted(past=4, present=2, future=2)
_MEANS = weighted(instrument=3, manner=2, part=0.5)


# ---- Simple predicates: a verb with its objects, an adjective, a noun


def _with_object(g: Derivation, verb: Verb, subject: str) -> Predicate:
    """Builds a verb with an object of its kind, and perhaps an adjunct."""
    predicate = active(verb, subject)
    predicate.node.add_right(noun_phrase(g, _OBJECT_SLOTS[verb.kind]), "dobj")
    g.expand("adjunct", predicate)
    return predicate


@production("person predicate", 26)
@production("controlled predicate", 12)
def evaluation(g: Derivation) -> Predicate:
    """enjoyed the film"""
    return _with_object(g, g.choose(VERBS["evaluation"]), "person")


@production("person predicate", 10)
def stimulus_person(g: Derivation) -> Predicate:
    """amused the critic"""
    return _with_object(g, g.choose(VERBS["stimulus"]), "person")


@production("work predicate", 22)
def stimulus(g: Derivation) -> Predicate:
    """bored the critic"""
    return _with_object(g, g.choose(VERBS["stimulus"]), "work")


@production("person predicate", 8)
@production("controlled predicate", 4)
def effect(g: Derivation) -> Predicate:
    """rescued the hero"""
    return _with_object(g, g.choose(VERBS["effect"]), "doer")


@production("work predicate", 4)
def has_property(g: Derivation) -> Predicate:
    """lacked charm"""
    return _with_object(g, g.choose(VERBS["property"]), "work")


@production("person predicate", 5)
@production("controlled predicate", 2)
def action(g: Derivation) -> Predicate:
    """watched the wonderful film"""
    return _with_object(g, g.choose(VERBS["action"]), "person")


@production("person predicate", 3)
@production("controlled predicate", 3)
def fate(g: Derivation) -> Predicate:
    """won"""
    return _without_object(g, g.choose(VERBS["fate"]), "faring")


@production("person predicate", 4)
@production("controlled predicate", 1)
def activity(g: Derivation) -> Predicate:
    """left"""
    return _without_object(g, g.choose(VERBS["activity"]), "person")


def _without_object(g: Derivation, verb: Verb, subject: str) -> Predicate:
    predicate = active(verb, subject)
    g.expand("adjunct", predicate)
    return predicate


@production("person predicate", 3)
def transfer(g: Derivation) -> Predicate:
    """gave the singer the song; gave the song to the singer"""
    predicate = active(g.choose(VERBS["transfer"]), "person")
    if g.chance(0.5):
        predicate.node.add_right(noun_phrase(g, "person", plain=True), "iobj")
        predicate.node.add_right(noun_phrase(g, "work"), "dobj")
    else:
        predicate.node.add_right(noun_phrase(g, "work"), "dobj")
        to = Node(TO).add_right(noun_phrase(g, "person"), "pobj")
        predicate.node.add_right(to, "prep")
    return predicate


@production("person predicate", 10)
def person_is(g: Derivation) -> Predicate:
    """was generous"""
    return _copular(g, adjective(g, "person", judging=g.chance(0.9)), "person")


@production("work predicate", 18)
def work_is(g: Derivation) -> Predicate:
    """was boring"""
    return _copular(g, adjective(g, "work", judging=g.chance(0.9)), "work")


@production("work predicate", 5)
def is_verdict(g: Derivation) -> Predicate:
    """was a masterpiece"""
    return _copular(g, noun_phrase(g, "verdict", plain=True), "work")


def _copular(g: Derivation, node: Node, subject: str) -> Predicate:
    predicate = Predicate(node, BE, "copular", subject)
    if g.shallow_chance(0.2):
        g.expand("adjunct", predicate)
    return predicate


@production("person predicate", 5)
def passive_person(g: Derivation) -> Predicate:
    """was rescued by the hero"""
    verb = g.choose(VERBS[g.choose(_BY_ANYTHING)])
    return _passive(g, verb, "patient" if verb.kind == "effect" else "person")


@production("work predicate", 9)
def passive_work(g: Derivation) -> Predicate:
    """was praised by the critic"""
    return _passive(g, g.choose(VERBS[g.choose(_BY_WORK)]), "work")


def _passive(g: Derivation, verb: Verb, subject: str) -> Predicate:
    predicate = Predicate(Node(verb.word("VBN")), verb, "passive", subject)
    add_agent(g, predicate.node, verb)
    g.expand("adjunct", predicate)
    return predicate


def add_agent(g: Derivation, node: Node, verb: Verb) -> None:
    """Adds "by the critic" to a passive verb, or nothing."""
    if g.chance(0.7):
        node.add_right(prepositional_phrase(g, "by", subject_slot(verb)), "prep")


def subject_slot(verb: Verb) -> str:
    """
    Returns the usual slot of a verb's subject, for agents of passives and for relative clauses
    without their object. Predicates of persons, and of works, have these as subject instead.
    """
    return _SUBJECT_SLOTS.get(verb.kind, "person")


# ---- Predicates with a predicate inside: raising, control, attribution, coordination


def _infinitive(g: Derivation, symbol: str) -> Predicate:
    """Expands a symbol into an infinitive: "to leave", "not to leave"."""
    predicate: Predicate = g.expand(symbol)
    return inflect(predicate, Form("infinitive", negated=g.chance(0.04)))


@production("person predicate", 4, recursive=True)
def raising_person(g: Derivation) -> Predicate:
    """seemed to suffer"""
    return _raising(g, "person predicate")


@production("work predicate", 4, recursive=True)
def raising_work(g: Derivation) -> Predicate:
    """failed to impress the critic"""
    return _raising(g, "work predicate")


def _raising(g: Derivation, symbol: str) -> Predicate:
    inner = _infinitive(g, symbol)
    predicate = active(g.choose(VERBS["raising"]), inner.subject)
    predicate.node.add_right(inner.node, "xcomp")
    return predicate


@production("person predicate", 4, recursive=True)
def control(g: Derivation) -> Predicate:
    """tried to leave: who tries is who leaves"""
    inner = _infinitive(g, "person predicate")
    predicate = active(g.choose(VERBS["control"]), inner.subject)
    predicate.node.add_right(inner.node, "xcomp")
    g.expand("late adjunct", predicate)
    return predicate


@production("person predicate", 4, recursive=True)
def promise(g: Derivation) -> Predicate:
    """promised the hero to leave: who promises is who leaves"""
    return _with_object_and_clause(g, g.choose(VERBS["promise"]))


@production("person predicate", 4, recursive=True)
def persuade(g: Derivation) -> Predicate:
    """persuaded the hero to leave: who is persuaded is who leaves"""
    return _with_object_and_clause(g, g.choose(VERBS["persuade"]))


def _with_object_and_clause(g: Derivation, verb: Verb) -> Predicate:
    inner = _infinitive(g, "controlled predicate")
    predicate = active(verb, "faring")
    predicate.node.add_right(noun_phrase(g, "faring", plain=g.chance(0.7)), "dobj")
    predicate.node.add_right(inner.node, "xcomp")
    g.expand("late adjunct", predicate)
    return predicate


@production("person predicate", 3, recursive=True)
def persuaded(g: Derivation) -> Predicate:
    """was persuaded to leave"""
    inner = _infinitive(g, "controlled predicate")
    verb = g.choose(VERBS["persuade"])
    predicate = Predicate(Node(verb.word("VBN")), verb, "passive", "faring")
    predicate.node.add_right(inner.node, "xcomp")
    return predicate


@production("person predicate", 6, recursive=True)
def attribution(g: Derivation) -> Predicate:
    """said that the film bored the critic"""
    predicate = active(g.choose(VERBS["attribution"]), "person")
    clause: Node = g.expand("clause")
    if g.chance(0.6):
        clause.add_leftmost(Node(SUBORDINATORS["that"]), "mark")
    predicate.node.add_right(clause, "ccomp")
    g.expand("late adjunct", predicate)
    return predicate


@production("person predicate", 4, recursive=True)
def coordination_person(g: Derivation) -> Predicate:
    """praised the film and left"""
    return _coordination(g, "person predicate")


@production("work predicate", 3, recursive=True)
def coordination_work(g: Derivation) -> Predicate:
    """bored the critic but charmed the visitor"""
    return _coordination(g, "work predicate")


def _coordination(g: Derivation, symbol: str) -> Predicate:
    first: Predicate = g.expand(symbol)
    second: Predicate = g.expand(symbol)
    tenses_clash = first.tense and second.tense and first.tense != second.tense
    if first.conjuncts or tenses_clash:
        return first
    conjunction = g.choose(_CONJUNCTION)
    second.shares_auxiliaries = (
        conjunction != "but" and second.node.word.pos[0] != "N" and g.chance(0.7)
    )
    second.negated = conjunction == "but" and g.chance(0.2)
    if conjunction == "but" and g.chance(0.5):
        first.node.add_right(Node(COMMA), "punct")
    _conjoin(first, second, conjunction)
    first.tense = first.tense or second.tense
    g.expand("late adjunct", first)
    return first


@production("person predicate", 3)
def shared_object(g: Derivation) -> Predicate:
    """praised and recorded the film: the object is of both"""
    first = active(g.choose(VERBS["action"]), "person")
    second = active(g.choose(VERBS["evaluation"]), "person")
    if g.chance(0.5):
        first, second = second, first
    second.shares_auxiliaries = True
    _conjoin(first, second, "and")
    first.node.add_right(noun_phrase(g, "theme"), "dobj")
    return first


def _conjoin(first: Predicate, second: Predicate, conjunction: str) -> None:
    first.node.add_right(Node(CONJUNCTIONS[conjunction]), "cc")
    first.node.add_right(second.node, "conj")
    first.conjuncts.append(second)


# ---- "adjunct", "late adjunct": place, time, manner, means and purpose, within and after a clause


@production("adjunct", 150)
@production("late adjunct", 140)
def no_adjunct(g: Derivation, predicate: Predicate) -> None:
    """left"""


@production("adjunct", 7)
@production("late adjunct", 4)
def in_a_place(g: Derivation, predicate: Predicate) -> None:
    """left in the garden"""
    place = prepositional_phrase(g, g.choose(_WHERE), "place", plain=g.depth > 0)
    predicate.node.add_right(place, "prep")


@production("adjunct", 5)
@production("late adjunct", 4)
def on_an_occasion(g: Derivation, predicate: Predicate) -> None:
    """left during the interval"""
    occasion = prepositional_phrase(g, g.choose(_WHEN), "occasion", plain=g.depth > 0)
    predicate.node.add_right(occasion, "prep")


@production("adjunct", 7)
def with_something(g: Derivation, predicate: Predicate) -> None:
    """left with the camera; left with ease"""
    predicate.node.add_right(prepositional_phrase(g, "with", g.choose(_MEANS), plain=True), "prep")


@production("adjunct", 5)
@production("late adjunct", 10)
def at_a_time(g: Derivation, predicate: Predicate) -> None:
    """left yesterday: the adverb requires a tense"""
    predicate.tense = predicate.tense or g.choose(_TENSES)
    adverb = g.choose(ADVERBS[predicate.tense])
    predicate.node.add_right(Node(adverb.adverb()), "tmod")


@production("adjunct", 7)
def in_a_manner(g: Derivation, predicate: Predicate) -> None:
    """left quietly; quietly left"""
    word = g.choose(ADVERBS["manner"]).adverb()
    if predicate.preverbal is None and g.chance(0.35):
        predicate.preverbal = word
    else:
        predicate.node.add_right(Node(word), "advmod")


@production("adjunct", 2)
def there(g: Derivation, predicate: Predicate) -> None:
    """left there"""
    predicate.node.add_right(Node(g.choose(ADVERBS["place"]).adverb()), "advmod")


@production("adjunct", 3, recursive=True)
@production("late adjunct", 3, recursive=True)
def purpose(g: Derivation, predicate: Predicate) -> None:
    """left to meet the singer"""
    if predicate.subject not in SLOTS_OF_PERSONS:
        return
    inner: Predicate = g.expand("controlled predicate")
    predicate.node.add_right(inflect(inner, Form("infinitive")).node, "advcl")


@production("adjunct", 5, recursive=True)
@production("late adjunct", 3, recursive=True)
def while_doing(g: Derivation, predicate: Predicate) -> None:
    """watched the actor, leaving the cinema: who watches is who leaves"""
    if predicate.subject not in SLOTS_OF_PERSONS:
        return
    if g.chance(0.5):
        predicate.node.add_right(Node(COMMA), "punct")
    predicate.node.add_right(participle(g), "advcl")


def participle(g: Derivation) -> Node:
    """Builds the phrase of an active participle: "leaving the cinema"."""
    inner: Predicate = g.expand("controlled predicate")
    return inflect(inner, Form("gerund")).node
