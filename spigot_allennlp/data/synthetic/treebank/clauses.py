"""
The productions of sentences, of clauses, and of relative clauses.

A relative clause is built without its antecedent: the noun is understood where a subject or an
object is missing, and `semantic_graph.py` finds it again in the tree. The docstring of a production
is an example of what it builds.
"""

from spigot_allennlp.data.synthetic.treebank.function_words import (
    COMMA,
    CONJUNCTIONS,
    RELATIVE_PRONOUNS,
    STOP,
    SUBORDINATORS,
)
from spigot_allennlp.data.synthetic.treebank.grammar import Derivation, production
from spigot_allennlp.data.synthetic.treebank.lexicon import ADVERBS, VERBS, Verb
from spigot_allennlp.data.synthetic.treebank.noun_phrases import (
    PERSONS,
    noun_phrase,
    prepositional_phrase,
)
from spigot_allennlp.data.synthetic.treebank.predicate import Form, Predicate, active, inflect
from spigot_allennlp.data.synthetic.treebank.sampling import weighted
from spigot_allennlp.data.synthetic.treebank.tree import Node
from spigot_allennlp.data.synthetic.treebank.verb_phrases import (
    add_agent,
    participle,
    subject_slot,
)

_TENSES = weighted(past=5, present=3, future=1, perfect=1)
_CONCESSIVE = weighted(although=5, though=2, **{"while": 1})
_OF_PLACE_OR_TIME = weighted(place=1, occasion=1)
# The kinds of verb that take a person, and a work, as object.
_WITH_PERSON = weighted(evaluation=5, effect=2, stimulus=5, action=1)
_WITH_WORK = weighted(evaluation=6, effect=1, action=1)


# ---- "sentence", "clauses": a sentence, and the clauses in it


@production("sentence", 1)
def sentence(g: Derivation) -> Node:
    """The film bored the critic ."""
    return g.expand("clauses").add_right(Node(STOP), "punct")


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
    if g.chance(comma):
        first.add_right(Node(COMMA), "punct")
    return first.add_right(Node(CONJUNCTIONS[conjunction]), "cc").add_right(second, "conj")


@production("clauses", 10, recursive=True)
def concession_first(g: Derivation) -> Node:
    """although the ending charmed the visitors, the film bored the critic"""
    concession = _subordinate(g, g.choose(_CONCESSIVE))
    return g.expand("clause").add_leftmost(Node(COMMA), "punct").add_leftmost(concession, "advcl")


@production("clauses", 11, recursive=True)
def concession_last(g: Derivation) -> Node:
    """the film bored the critic although the ending charmed the visitors"""
    main = g.expand("clause")
    if g.chance(0.6):
        main.add_right(Node(COMMA), "punct")
    return main.add_right(_subordinate(g, g.choose(_CONCESSIVE)), "advcl")


@production("clauses", 5, recursive=True)
def cause(g: Derivation) -> Node:
    """the visitors left because the film bored the critic"""
    return g.expand("clause").add_right(_subordinate(g, "because"), "advcl")


@production("clauses", 5, recursive=True)
def participle_first(g: Derivation) -> Node:
    """leaving the cinema, the critic laughed"""
    main = _with_subject(g, g.expand("person predicate"))
    return main.add_leftmost(Node(COMMA), "punct").add_leftmost(participle(g), "advcl")


@production("clauses", 4)
def setting_first(g: Derivation) -> Node:
    """in the garden, the critic laughed"""
    slot = g.choose(_OF_PLACE_OR_TIME)
    setting = prepositional_phrase(g, "in" if slot == "place" else "after", slot)
    return g.expand("clause").add_leftmost(Node(COMMA), "punct").add_leftmost(setting, "prep")


def _subordinate(g: Derivation, subordinator: str) -> Node:
    return g.expand("clause").add_leftmost(Node(SUBORDINATORS[subordinator]), "mark")


# ---- "clause": a subject with a predicate


@production("clause", 62)
def clause_about_person(g: Derivation) -> Node:
    """the critic left"""
    return _with_subject(g, g.expand("person predicate"))


@production("clause", 38)
def clause_about_work(g: Derivation) -> Node:
    """the film bored the critic"""
    return _with_subject(g, g.expand("work predicate"))


def _finite(g: Derivation, predicate: Predicate, plural: bool) -> Node:
    """Chooses a finite form of a predicate, and returns its node, without the subject."""
    tense = predicate.tense or g.choose(_TENSES)
    negated = g.chance(0.1)
    if not negated and predicate.preverbal is None and g.chance(0.02):
        predicate.preverbal = g.choose(ADVERBS["never"]).adverb()
    return inflect(predicate, Form(tense, plural, negated, contracted=g.chance(0.3))).node


def _with_subject(g: Derivation, predicate: Predicate, plain: bool = False) -> Node:
    """Returns the finite clause of a predicate, with its subject."""
    subject = noun_phrase(g, predicate.subject, case="subject", plain=plain)
    node = _finite(g, predicate, subject.plural)
    return node.add_leftmost(subject, predicate.subject_relation)


# ---- "relative clause": clauses, and participles, after a noun


@production("relative clause", 10, recursive=True)
def subject_relative(g: Derivation, noun: Node, kind: str) -> None:
    """the critic who left"""
    predicate = _predicate_of_noun(g, kind)
    clause = _finite(g, predicate, noun.plural)
    clause.add_leftmost(_relative_pronoun(g, kind, subject=True), predicate.subject_relation)
    noun.add_right(clause, "rcmod")


@production("relative clause", 7, recursive=True)
def object_relative(g: Derivation, noun: Node, kind: str) -> None:
    """the film which the critic praised; the film the critic praised"""
    _attach(g, noun, kind, _clause_with_gap(g, kind), "dobj")


@production("relative clause", 2, recursive=True)
def object_relative_across(g: Derivation, noun: Node, kind: str) -> None:
    """the film which the visitor said the critic praised"""
    outer = active(g.choose(VERBS["attribution"]), "person")
    outer.node.add_right(_clause_with_gap(g, kind), "ccomp")
    _attach(g, noun, kind, _with_subject(g, outer, plain=True), "rel")


@production("relative clause", 2, recursive=True)
def subject_relative_across(g: Derivation, noun: Node, kind: str) -> None:
    """the critic who the visitor said left"""
    inner = _finite(g, _predicate_of_noun(g, kind), noun.plural)
    outer = active(g.choose(VERBS["attribution"]), "person")
    outer.node.add_right(inner, "ccomp")
    clause = _with_subject(g, outer, plain=True)
    noun.add_right(clause.add_leftmost(_relative_pronoun(g, kind, subject=True), "rel"), "rcmod")


@production("relative clause", 2, recursive=True)
def object_relative_of_infinitive(g: Derivation, noun: Node, kind: str) -> None:
    """the film which the critic persuaded the actor to praise"""
    inner = inflect(_predicate_with_gap(g, kind), Form("infinitive"))
    symbol = "control" if g.chance(0.5) else "persuade"
    outer = active(g.choose(VERBS[symbol]), "person")
    if symbol == "persuade":
        outer.node.add_right(noun_phrase(g, "faring", plain=True), "dobj")
    outer.node.add_right(inner.node, "xcomp")
    _attach(g, noun, kind, _with_subject(g, outer, plain=True), "rel")


@production("relative clause", 3, recursive=True)
def active_participle(g: Derivation, noun: Node, kind: str) -> None:
    """the critic leaving the cinema"""
    if kind in PERSONS:
        noun.add_right(participle(g), "vmod")


@production("relative clause", 6)
def passive_participle(g: Derivation, noun: Node, kind: str) -> None:
    """the film praised by the critic"""
    verb = _verb_with_object(g, kind)
    node = Node(verb.word("VBN"))
    add_agent(g, node, verb)
    noun.add_right(node, "vmod")


def _predicate_of_noun(g: Derivation, kind: str) -> Predicate:
    """Builds a predicate with a noun of this kind as its subject."""
    predicate: Predicate = g.expand("person predicate" if kind in PERSONS else "work predicate")
    return predicate


def _verb_with_object(g: Derivation, kind: str) -> Verb:
    """Chooses a verb that can have a noun of this kind as its object."""
    return g.choose(VERBS[g.choose(_WITH_PERSON if kind in PERSONS else _WITH_WORK)])


def _predicate_with_gap(g: Derivation, kind: str) -> Predicate:
    """Builds a predicate without its object, a noun of this kind."""
    verb = _verb_with_object(g, kind)
    predicate = active(verb, subject_slot(verb))
    g.expand("adjunct", predicate)
    return predicate


def _clause_with_gap(g: Derivation, kind: str) -> Node:
    return _with_subject(g, _predicate_with_gap(g, kind), plain=True)


def _attach(g: Derivation, noun: Node, kind: str, clause: Node, relation: str) -> None:
    """Adds a clause to the noun, with or without a pronoun in this `relation` to it."""
    if g.chance(0.5):
        clause.add_leftmost(_relative_pronoun(g, kind, subject=False), relation)
    noun.add_right(clause, "rcmod")


def _relative_pronoun(g: Derivation, kind: str, subject: bool) -> Node:
    if g.chance(0.3):
        return Node(RELATIVE_PRONOUNS["that"])
    if kind in PERSONS:
        return Node(RELATIVE_PRONOUNS["who" if subject or g.chance(0.5) else "whom"])
    return Node(RELATIVE_PRONOUNS["which"])
