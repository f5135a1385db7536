"""
The semantic graph of a syntactic tree, in the style of DELPH-IN MRS bi-lexical dependencies (DM).

The graph is a function of the tree: two sentences with the same words and the same tree have the
same graph, and two with the same words and other trees may have other graphs.
"""

from typing import Iterator, List, NamedTuple, Tuple

from spigot_allennlp.data.synthetic.treebank.arguments import Arguments
from spigot_allennlp.data.synthetic.treebank.frames import frame
from spigot_allennlp.data.synthetic.treebank.modifier_arcs import modifier_arcs
from spigot_allennlp.data.synthetic.treebank.tree import SyntaxTree

Arc = Tuple[int, int, str]

#: The role of the clause in what the verb takes.
CLAUSE_ROLES = {"raising": "ARG1", "control": "ARG2", "attribution": "ARG2"}
CLAUSE_ROLES.update(promise="ARG3", persuade="ARG3")


class SemanticGraph(NamedTuple):
    """
    Arcs between the words of a sentence.

    # Parameters

    arcs : `Tuple[Tuple[int, int, str], ...]`
        (predicate, argument, role), sorted; positions count from 1.
    tops : `Tuple[int, ...]`
        The position of what the sentence says.
    frames : `Tuple[str, ...]`
        One for each word; "_" for a word that is no node of the graph.
    """

    arcs: Tuple[Arc, ...]
    tops: Tuple[int, ...]
    frames: Tuple[str, ...]


def semantic_graph(tree: SyntaxTree) -> SemanticGraph:
    """The graph of a tree that the grammar has drawn, or could have."""
    syntax = Arguments(tree)
    arcs: List[Arc] = []
    for position, word in enumerate(tree.words, start=1):
        if word.pos[0] in "VJ" or syntax.child(position, "cop"):
            arcs.extend(_predicate_arcs(syntax, position))
        arcs.extend(modifier_arcs(syntax, position))
        arcs.extend(_coordination_arcs(syntax, position))
    tops = (syntax.event(tree.heads.index(0) + 1),)
    nodes = {end for arc in arcs for end in arc[:2]}.union(tops)
    frames = (
        frame(word) if position in nodes else "_" for position, word in enumerate(tree.words, 1)
    )
    return SemanticGraph(tuple(sorted(arcs)), tops, tuple(frames))


def _predicate_arcs(syntax: Arguments, position: int) -> Iterator[Arc]:
    if syntax.relations[position] in ("aux", "auxpass", "cop"):
        return
    if syntax.words[position].pos[0] == "N":
        copula = syntax.child(position, "cop")
        yield from _to(copula, syntax.subject(position), "ARG1")
        yield copula, position, "ARG2"
    elif syntax.words[position].pos[0] == "J":
        yield from _to(position, _described(syntax, position), "ARG1")
    else:
        yield from _verb_arcs(syntax, position)


def _verb_arcs(syntax: Arguments, verb: int) -> Iterator[Arc]:
    kind = syntax.kind(verb)
    clause = syntax.child(verb, "xcomp", "ccomp")
    if clause:
        yield verb, syntax.event(clause), CLAUSE_ROLES[kind]
    if kind == "raising":
        return
    subject = syntax.subject(verb)
    if syntax.is_passive(verb):
        yield from _to(verb, subject, "ARG2")
    else:
        yield from _to(verb, subject, "ARG1")
        yield from _to(verb, syntax.object(verb), "ARG2")
    yield from _to(verb, syntax.child(verb, "iobj"), "ARG3")


def _described(syntax: Arguments, adjective: int) -> int:
    """The noun that an adjective is about."""
    relation, head = syntax.relations[adjective], syntax.heads[adjective]
    if relation == "amod":
        return head
    if relation == "conj" and syntax.relations[head] == "amod":
        return syntax.heads[head]
    return syntax.subject(adjective)


def _coordination_arcs(syntax: Arguments, first: int) -> Iterator[Arc]:
    """
    From conjunct to conjunct; within a list ("a, b and c") from each to the next, else from the
    first.
    """
    role, source = "conj", syntax.event(first)
    listed = source
    for child in syntax.children_by(first, "cc", "conj"):
        if syntax.relations[child] == "cc":
            role = f"_{syntax.words[child].lemma}_c"
        else:
            target = syntax.event(child)
            yield listed, target, role
            listed = target if role == "conj" else source
            role = "conj"


def _to(predicate: int, argument: int, role: str) -> Iterator[Arc]:
    """The arc, if there is an argument."""
    if argument:
        yield predicate, argument, role
