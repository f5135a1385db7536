"""The arcs of modifiers: determiners, adjectives of two nouns, adverbs, prepositions, clauses."""

from typing import Callable, Dict, Iterator, Tuple

from spigot_allennlp.data.synthetic.treebank.arguments import Arguments
from spigot_allennlp.data.synthetic.treebank.entries import Noun
from spigot_allennlp.data.synthetic.treebank.lexicon import look_up

Arc = Tuple[int, int, str]

_SETTING = frozenset(("past", "present", "future", "place"))
_OWN_MODIFIERS = ("det", "poss", "num", "amod", "nn")


def modifier_arcs(syntax: Arguments, position: int) -> Iterator[Arc]:
    """The arcs that a word owes to its relation to its head."""
    arcs = _BY_RELATION.get(syntax.relations[position])
    return iter(()) if arcs is None else arcs(syntax, position)


def _to_head(role: str) -> Callable[[Arguments, int], Iterator[Arc]]:
    def arcs(syntax: Arguments, position: int) -> Iterator[Arc]:
        yield position, syntax.heads[position], role

    return arcs


def _adjective(syntax: Arguments, position: int) -> Iterator[Arc]:
    """Of an adjective before "films and plays": the second noun, if it has nothing of its own."""
    for conjunct in syntax.children_by(syntax.heads[position], "conj"):
        bare = not syntax.child(conjunct, *_OWN_MODIFIERS)
        if bare and syntax.words[conjunct].pos[0] == "N":
            yield position, conjunct, "ARG1"


def _adverb(syntax: Arguments, position: int) -> Iterator[Arc]:
    head = syntax.heads[position]
    yield position, syntax.event(head), "loc" if syntax.kind(position) in _SETTING else "ARG1"
    if syntax.kind(position) == "never":
        yield from _shared(syntax, position, "ARG1")


def _negation(syntax: Arguments, position: int) -> Iterator[Arc]:
    yield position, syntax.event(syntax.heads[position]), "neg"
    yield from _shared(syntax, position, "neg")


def _shared(syntax: Arguments, position: int, role: str) -> Iterator[Arc]:
    """To those coordinated with the head under one auxiliary: they are negated, too."""
    for conjunct in syntax.children_by(syntax.heads[position], "conj"):
        if syntax.shares_auxiliaries(conjunct):
            yield position, syntax.event(conjunct), role


def _preposition(syntax: Arguments, position: int) -> Iterator[Arc]:
    head, noun = syntax.heads[position], syntax.child(position, "pobj")
    lemma, entry = syntax.words[position].lemma, look_up(syntax.words[head])
    if lemma == "by" and syntax.is_passive(head):
        yield head, noun, "ARG1"
    elif lemma == "to" and syntax.kind(head) == "transfer":
        yield head, noun, "ARG3"
    elif lemma == "of" and isinstance(entry, Noun) and entry.relational:
        yield head, noun, "ARG1"
    else:
        yield position, syntax.event(head), "ARG1"
        yield position, noun, "ARG2"


def _adverbial_clause(syntax: Arguments, position: int) -> Iterator[Arc]:
    main, clause = syntax.event(syntax.heads[position]), syntax.event(position)
    link = syntax.child(position, "mark") or next(
        (child for child in syntax.children[position] if syntax.words[child].pos == "TO"), 0
    )
    if link:
        yield link, main, "ARG1"
        yield link, clause, "ARG2"
    else:
        yield clause, main, "subord"


def _apposition(syntax: Arguments, position: int) -> Iterator[Arc]:
    yield syntax.heads[position], position, "appos"


_BY_RELATION: Dict[str, Callable[[Arguments, int], Iterator[Arc]]] = {
    "det": _to_head("BV"),
    "num": _to_head("ARG1"),
    "nn": _to_head("compound"),
    "poss": _to_head("poss"),
    "amod": _adjective,
    "advmod": _adverb,
    "tmod": _adverb,
    "neg": _negation,
    "prep": _preposition,
    "advcl": _adverbial_clause,
    "appos": _apposition,
}
