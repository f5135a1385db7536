"""A predicate, and how it gets its auxiliaries and its ending."""

from typing import List, NamedTuple, Optional, Tuple

from spigot_allennlp.data.synthetic.treebank.entries import Verb, Word
from spigot_allennlp.data.synthetic.treebank.function_words import (
    CONTRACTED_NOT,
    DID,
    DO,
    DOES,
    HAS,
    HAVE,
    NOT,
    TO,
    WILL,
)
from spigot_allennlp.data.synthetic.treebank.node import Node
from spigot_allennlp.data.synthetic.treebank.verbs import BE

_WERE = Word("were", "be", "VBD")
_LAST_RELATION = {"passive": "auxpass", "copular": "cop"}


class Form(NamedTuple):
    """
    The form of a predicate.

    # Parameters

    tense : `str`
        "past", "present", "future", "perfect", "infinitive" (with "to"), "bare" or "gerund".
    plural : `bool`, optional (default = `False`)
        Whether it agrees with a plural.
    negated : `bool`, optional (default = `False`)
    contracted : `bool`, optional (default = `False`)
        "n't" for "not", where there is an auxiliary for it.
    """

    tense: str
    plural: bool = False
    negated: bool = False
    contracted: bool = False


class Predicate:
    """
    A verb, or a predicate adjective or noun with its copula, whose form is still open.

    # Parameters

    node : `Node`
        The content word; its right dependents are there already.
    verb : `Verb`
        What the form is of; `BE` for a predicate adjective or noun.
    voice : `str`
        "active", "passive" or "copular".
    subject : `str`
        The slot (see `noun_phrases.py`) that its subject is drawn from.
    """

    __slots__ = (
        *("node", "verb", "voice", "subject"),
        *("tense", "preverbal", "conjuncts", "joins", "negated"),
    )

    def __init__(self, node: Node, verb: Verb, voice: str, subject: str) -> None:
        self.node = node
        self.verb = verb
        self.voice = voice
        self.subject = subject
        #: The tense that an adverb of time asks for.
        self.tense: Optional[str] = None
        #: An adverb between auxiliaries and verb.
        self.preverbal: Optional[Word] = None
        self.conjuncts: List[Predicate] = []
        #: Of a conjunct: whether it shares the auxiliaries, and the negation, of the first.
        self.joins = False
        #: Of a conjunct that does not: whether it has a negation of its own.
        self.negated = False

    @property
    def subject_relation(self) -> str:
        """The relation of its subject to it."""
        return "nsubjpass" if self.voice == "passive" else "nsubj"


def active(verb: Verb, subject: str) -> Predicate:
    """A predicate in the active voice, without dependents."""
    return Predicate(Node(verb.word("VB")), verb, "active", subject)


def inflect(predicate: Predicate, form: Form) -> Predicate:
    """Gives the predicate, and those that are coordinated with it, auxiliaries and endings."""
    auxiliaries, tag = _active(form) if predicate.voice == "active" else _with_be(form)
    _put(predicate, auxiliaries, tag, form)
    for conjunct in predicate.conjuncts:
        if conjunct.joins and auxiliaries and conjunct.voice == predicate.voice:
            _put(conjunct, [], tag, form)
        else:
            tense = "bare" if form.tense == "infinitive" else form.tense
            inflect(conjunct, form._replace(tense=tense, negated=conjunct.negated))
    return predicate


def _put(predicate: Predicate, auxiliaries: List[Word], tag: str, form: Form) -> None:
    node, last = predicate.node, len(auxiliaries) - 1
    if predicate.voice != "copular":
        node.word = predicate.verb.word(tag)
    group: List[Node] = []
    for index, word in enumerate(auxiliaries):
        relation = _LAST_RELATION.get(predicate.voice, "aux") if index == last else "aux"
        group.append(Node(word).related(relation))
        if index == 0 and form.negated:
            contracted = form.contracted and word not in (WILL, TO)
            negation = Node(CONTRACTED_NOT if contracted else NOT).related("neg")
            group.insert(0 if word is TO else 1, negation)
    if predicate.preverbal:
        group.insert(1 + form.negated, Node(predicate.preverbal).related("advmod"))
    node.left[:0] = group


def _active(form: Form) -> Tuple[List[Word], str]:
    if form.tense == "past":
        return ([DID], "VB") if form.negated else ([], "VBD")
    if form.tense == "present":
        if form.negated:
            return [DO if form.plural else DOES], "VB"
        return [], "VBP" if form.plural else "VBZ"
    if form.tense == "future":
        return [WILL], "VB"
    if form.tense == "perfect":
        return [HAVE if form.plural else HAS], "VBN"
    return {"infinitive": ([TO], "VB"), "bare": ([], "VB"), "gerund": ([], "VBG")}[form.tense]


def _with_be(form: Form) -> Tuple[List[Word], str]:
    if form.tense == "past":
        auxiliaries = [_WERE if form.plural else BE.word("VBD")]
    elif form.tense == "present":
        auxiliaries = [BE.word("VBP" if form.plural else "VBZ")]
    elif form.tense == "future":
        auxiliaries = [WILL, BE.word("VB")]
    elif form.tense == "perfect":
        auxiliaries = [HAVE if form.plural else HAS, BE.word("VBN")]
    elif form.tense == "infinitive":
        auxiliaries = [TO, BE.word("VB")]
    else:
        auxiliaries = [BE.word("VBG" if form.tense == "gerund" else "VB")]
    return auxiliaries, "VBN"
