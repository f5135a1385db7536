"""A predicate in an undetermined form, and how it gets its auxiliaries and its ending."""

from typing import List, NamedTuple, Optional

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
from spigot_allennlp.data.synthetic.treebank.lexicon import BE, Verb, Word
from spigot_allennlp.data.synthetic.treebank.tree import Node

_WERE = Word("were", "be", "VBD")
_RELATION_OF_LAST_AUXILIARY = {"passive": "auxpass", "copular": "cop"}


class Predicate:
    """
    A verb, or a predicate adjective or noun with its copula.

    # Parameters

    node : `Node`
        The content word, with its dependents on the right.
    verb : `Verb`
        The verb to inflect; `BE` for a predicate adjective or noun.
    voice : `str`
        "active", "passive" or "copular".
    subject : `str`
        The slot of its subject (see `SLOTS` in `noun_phrases.py`).
    """

    __slots__ = (
        *("node", "verb", "voice", "subject"),
        *("tense", "preverbal", "conjuncts", "shares_auxiliaries", "negated"),
    )

    def __init__(self, node: Node, verb: Verb, voice: str, subject: str) -> None:
        self.node = node
        self.verb = verb
        self.voice = voice
        self.subject = subject
        #: The tense that an adverb of time requires.
        self.tense: Optional[str] = None
        #: An adverb between auxiliaries and verb.
        self.preverbal: Optional[Word] = None
        self.conjuncts: List[Predicate] = []
        #: For a conjunct: whether it shares the auxiliaries and the negation of the first.
        self.shares_auxiliaries = False
        #: For a conjunct that does not share them: whether it has its own negation.
        self.negated = False

    @property
    def subject_relation(self) -> str:
        """The relation of its subject to it."""
        return "nsubjpass" if self.voice == "passive" else "nsubj"


class Form(NamedTuple):
    """
    The form to give to a predicate.

    # Parameters

    tense : `str`
        "past", "present", "future", "perfect", "infinitive" (with "to"), "bare" or "gerund".
    plural : `bool`, optional (default = `False`)
        Whether it agrees with a plural.
    negated : `bool`, optional (default = `False`)
    contracted : `bool`, optional (default = `False`)
        "n't" instead of "not", if there is an auxiliary for it.
    """

    tense: str
    plural: bool = False
    negated: bool = False
    contracted: bool = False


def active(verb: Verb, subject: str) -> Predicate:
    """Returns a predicate in the active voice, without dependents."""
    return Predicate(Node(verb.word("VB")), verb, "active", subject)


def inflect(predicate: Predicate, form: Form) -> Predicate:
    """Adds auxiliaries and endings to a predicate, and to those that are coordinated with it; and
    returns it."""
    group = _active_group(form) if predicate.voice == "active" else _group_with_be(form)
    _add_auxiliaries(predicate, group, form)
    for conjunct in predicate.conjuncts:
        same_voice = conjunct.voice == predicate.voice
        if conjunct.shares_auxiliaries and group.auxiliaries and same_voice:
            _add_auxiliaries(conjunct, group._replace(auxiliaries=[]), form)
        else:
            tense = "bare" if form.tense == "infinitive" else form.tense
            inflect(conjunct, form._replace(tense=tense, negated=conjunct.negated))
    return predicate


class _VerbGroup(NamedTuple):
    """Auxiliaries, and the Penn Treebank tag of the verb that follows them."""

    auxiliaries: List[Word]
    tag: str


def _add_auxiliaries(predicate: Predicate, verb_group: _VerbGroup, form: Form) -> None:
    node, last = predicate.node, len(verb_group.auxiliaries) - 1
    if predicate.voice != "copular":
        node.word = predicate.verb.word(verb_group.tag)
    nodes: List[Node] = []
    for index, word in enumerate(verb_group.auxiliaries):
        relation = "aux"
        if index == last:
            relation = _RELATION_OF_LAST_AUXILIARY.get(predicate.voice, "aux")
        nodes.append(Node(word).related(relation))
        if index == 0 and form.negated:
            contracted = form.contracted and word not in (WILL, TO)
            negation = Node(CONTRACTED_NOT if contracted else NOT).related("neg")
            nodes.insert(0 if word is TO else 1, negation)
    if predicate.preverbal:
        nodes.insert(1 + form.negated, Node(predicate.preverbal).related("advmod"))
    node.left[:0] = nodes


def _active_group(form: Form) -> _VerbGroup:
    if form.tense == "past":
        return _VerbGroup([DID], "VB") if form.negated else _VerbGroup([], "VBD")
    if form.tense == "present":
        if form.negated:
            return _VerbGroup([DO if form.plural else DOES], "VB")
        return _VerbGroup([], "VBP" if form.plural else "VBZ")
    if form.tense == "future":
        return _VerbGroup([WILL], "VB")
    if form.tense == "perfect":
        return _VerbGroup([HAVE if form.plural else HAS], "VBN")
    if form.tense == "infinitive":
        return _VerbGroup([TO], "VB")
    return _VerbGroup([], {"bare": "VB", "gerund": "VBG"}[form.tense])


def _group_with_be(form: Form) -> _VerbGroup:
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
    return _VerbGroup(auxiliaries, "VBN")
