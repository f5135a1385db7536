"""
The semantic graph of a syntactic tree, in the style of DELPH-IN MRS bi-lexical dependencies (DM).

The graph is a function of the tree: two sentences with the same words and the same tree have the
same graph, and two with the same words and other trees may have other graphs.
"""

from typing import Callable, Dict, Iterator, List, NamedTuple, Tuple

from spigot_allennlp.data.synthetic.treebank.arguments import Arguments
from spigot_allennlp.data.synthetic.treebank.lexicon import Noun, Word, look_up
from spigot_allennlp.data.synthetic.treebank.tree import SyntaxTree

#: The role of the clause that a verb takes, by the kind of the verb.
CLAUSE_ROLES = {"raising": "ARG1", "control": "ARG2", "attribution": "ARG2"}
CLAUSE_ROLES.update(promise="ARG3", persuade="ARG3")


class Arc(NamedTuple):
    """An arc of a semantic graph; positions count from 1."""

    predicate: int
    argument: int
    role: str


class SyntheticGraph(NamedTuple):
    """
    The arcs between the words of a sentence.

    # Parameters

    arcs : `Tuple[Arc, ...]`
        Sorted.
    tops : `Tuple[int, ...]`
        The position of the word that stands for what the sentence says.
    frames : `Tuple[str, ...]`
        The frame of each word; "_" for a word that is no node of the graph.
    """

    arcs: Tuple[Arc, ...]
    tops: Tuple[int, ...]
    frames: Tuple[str, ...]


def semantic_graph(tree: SyntaxTree) -> SyntheticGraph:
    """Returns the graph of a tree that the grammar has built, or could have."""
    syntax = Arguments(tree)
    arcs: List[Arc] = []
    for position, word in enumerate(tree.words, start=1):
        if word.pos[0] in "VJ" or syntax.child(position, "cop"):
            arcs.extend(_predicate_arcs(syntax, position))
        arcs.extend(_modifier_arcs(syntax, position))
        arcs.extend(_coordination_arcs(syntax, position))
    tops = (syntax.event(tree.root),)
    nodes = {end for arc in arcs for end in (arc.predicate, arc.argument)}.union(tops)
    frames = (
        _frame(word) if position in nodes else "_" for position, word in enumerate(tree.words, 1)
    )
    return SyntheticGraph(tuple(sorted(arcs)), tops, tuple(frames))


# ---- The arguments of verbs, and of predicate adjectives and nouns


def _predicate_arcs(syntax: Arguments, position: int) -> Iterator[Arc]:
    if syntax.relations[position] in ("aux", "auxpass", "cop"):
        return
    if syntax.words[position].pos[0] == "N":
        copula = syntax.child(position, "cop")
        yield from _arc_if_any(copula, syntax.subject(position), "ARG1")
        yield Arc(copula, position, "ARG2")
    elif syntax.words[position].pos[0] == "J":
        yield from _arc_if_any(position, _described_noun(syntax, position), "ARG1")
    else:
        yield from _verb_arcs(syntax, position)


def _verb_arcs(syntax: Arguments, verb: int) -> Iterator[Arc]:
    kind = syntax.kind(verb)
    clause = syntax.child(verb, "xcomp", "ccomp")
    if clause:
        yield Arc(verb, syntax.event(clause), CLAUSE_ROLES[kind])
    if kind == "raising":
        return
    subject = syntax.subject(verb)
    if syntax.is_passive(verb):
        yield from _arc_if_any(verb, subject, "ARG2")
    else:
        yield from _arc_if_any(verb, subject, "ARG1")
        yield from _arc_if_any(verb, syntax.object(verb), "ARG2")
    yield from _arc_if_any(verb, syntax.child(verb, "iobj"), "ARG3")


def _described_noun(syntax: Arguments, adjective: int) -> int:
    relation, head = syntax.relations[adjective], syntax.heads[adjective]
    if relation == "amod":
        return head
    if relation == "conj" and syntax.relations[head] == "amod":
        return syntax.heads[head]
    return syntax.subject(adjective)


def _arc_if_any(predicate: int, argument: int, role: str) -> Iterator[Arc]:
    """Yields the arc, if there is an argument."""
    if argument:
        yield Arc(predicate, argument, role)


def _coordination_arcs(syntax: Arguments, first: int) -> Iterator[Arc]:
    """
    Yields the arcs between conjuncts: within a list ("a, b and c") from each to the next, otherwise
    from the first.
    """
    role, source = "conj", syntax.event(first)
    previous = source
    for child in syntax.children_by(first, "cc", "conj"):
        if syntax.relations[child] == "cc":
            role = f"_{syntax.words[child].lemma}_c"
        else:
            target = syntax.event(child)
            yield Arc(previous, target, role)
            previous = target if role == "conj" else source
            role = "conj"


# ---- Modifiers: determiners, adjectives of two nouns, adverbs, prepositions, adverbial clauses

_SETTING = frozenset(("past", "present", "future", "place"))
_PREMODIFIERS = ("det", "poss", "num", "amod", "nn")


def _modifier_arcs(syntax: Arguments, position: int) -> Iterator[Arc]:
    """Returns the arcs that a word has by its relation to its head."""
    arcs = _BY_RELATION.get(syntax.relations[position])
    return iter(()) if arcs is None else arcs(syntax, position)


def _to_head(role: str) -> Callable[[Arguments, int], Iterator[Arc]]:
    def arcs(syntax: Arguments, position: int) -> Iterator[Arc]:
        yield Arc(position, syntax.heads[position], role)

    return arcs


def _adjective(syntax: Arguments, position: int) -> Iterator[Arc]:
    """Yields the arcs of the adjective of "new films and plays" to further nouns, as long as these
    have no modifiers before them."""
    for conjunct in syntax.children_by(syntax.heads[position], "conj"):
        bare = not syntax.child(conjunct, *_PREMODIFIERS)
        if bare and syntax.words[conjunct].pos[0] == "N":
            yield Arc(position, conjunct, "ARG1")


def _adverb(syntax: Arguments, position: int) -> Iterator[Arc]:
    event = syntax.event(syntax.heads[position])
    yield Arc(position, event, "loc" if syntax.kind(position) in _SETTING else "ARG1")
    if syntax.kind(position) == "never":
        yield from _to_conjuncts_of_head(syntax, position, "ARG1")


def _negation(syntax: Arguments, position: int) -> Iterator[Arc]:
    yield Arc(position, syntax.event(syntax.heads[position]), "neg")
    yield from _to_conjuncts_of_head(syntax, position, "neg")


def _to_conjuncts_of_head(syntax: Arguments, position: int, role: str) -> Iterator[Arc]:
    """Yields the arcs of a negation to the verbs that share the auxiliaries of the first one."""
    for conjunct in syntax.children_by(syntax.heads[position], "conj"):
        if syntax.shares_auxiliaries(conjunct):
            yield Arc(position, syntax.event(conjunct), role)


def _preposition(syntax: Arguments, position: int) -> Iterator[Arc]:
    head, noun = syntax.heads[position], syntax.child(position, "pobj")
    lemma, entry = syntax.words[position].lemma, look_up(syntax.words[head])
    if lemma == "by" and syntax.is_passive(head):
        yield Arc(head, noun, "ARG1")
    elif lemma == "to" and syntax.kind(head) == "transfer":
        yield Arc(head, noun, "ARG3")
    elif lemma == "of" and isinstance(entry, Noun) and entry.relational:
        yield Arc(head, noun, "ARG1")
    else:
        yield Arc(position, syntax.event(head), "ARG1")
        yield Arc(position, noun, "ARG2")


def _adverbial_clause(syntax: Arguments, position: int) -> Iterator[Arc]:
    main, clause = syntax.event(syntax.heads[position]), syntax.event(position)
    link = syntax.child(position, "mark") or next(
        (child for child in syntax.children[position] if syntax.words[child].pos == "TO"), 0
    )
    if link:
        yield Arc(link, main, "ARG1")
        yield Arc(link, clause, "ARG2")
    else:
        yield Arc(clause, main, "subord")


def _apposition(syntax: Arguments, position: int) -> Iterator[Arc]:
    yield Arc(syntax.heads[position], position, "appos")


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


# ---- Frames: the names of the predicates that words stand for

_FRAMES = {"PRP": "pron", "PRP$": "pron", "NNP": "named", "CD": "card", "TO": "_in+order+to_x"}
_SENSES_OF_VERBS = {"persuade": "of", "attribution": "to", "transfer": "to"}


def _frame(word: Word) -> str:
    """Returns the frame of a word that is a node of the graph."""
    if word.pos in _FRAMES:
        return _FRAMES[word.pos]
    if word.lemma == "not":
        return "neg"
    if word.pos == "DT":
        return f"_{word.lemma}_q"
    if word.pos == "IN":
        return f"_{word.lemma}_p"
    entry = look_up(word)
    if isinstance(entry, Noun):
        return f"_{word.lemma}_n_{'of' if entry.relational else 1}"
    if word.pos[0] == "N":
        return f"_{word.lemma}_n_1"
    if word.pos[0] == "V":
        return f"_{word.lemma}_v_{_SENSES_OF_VERBS.get(entry.kind, '1') if entry else 'id'}"
    return f"_{word.lemma}_a_1"
