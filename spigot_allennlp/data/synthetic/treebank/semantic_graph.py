"""
The semantic graph of a syntactic tree, in the style of DELPH-IN MRS bi-lexical dependencies (DM).

The graph is a function of the tree: two sentences with the same words and the same tree have the
same graph. Two with the same words and different trees may have different graphs.
"""

from typing import Callable, Dict, Iterator, List, NamedTuple, Tuple

from spigot_allennlp.data.annotated_sentence import Arc
from spigot_allennlp.data.synthetic.treebank.lexicon import Noun, Word, look_up
from spigot_allennlp.data.synthetic.treebank.tree import SyntaxTree

#: The role of the clause that a verb takes, by the kind of verb.
CLAUSE_ROLES = {"raising": "ARG1", "control": "ARG2", "attribution": "ARG2"}
CLAUSE_ROLES.update(promise="ARG3", persuade="ARG3")
# The kinds of verb with an object, and those with an object and a clause.
_TRANSITIVE = frozenset(("evaluation", "stimulus", "effect", "property", "action", "transfer"))
_OBJECT_AND_CLAUSE = frozenset(("promise", "persuade"))
_SUBJECTS = ("nsubj", "nsubjpass")
_AUXILIARIES = ("aux", "auxpass", "cop")


class SyntheticGraph(NamedTuple):
    """
    The arcs between the words of a sentence.

    # Parameters

    arcs : `Tuple[Arc, ...]`
        Sorted.
    tops : `Tuple[int, ...]`
        The position of the word that represents the sentence.
    frames : `Tuple[str, ...]`
        The frame of each word; "_" for a word that is not a node of the graph.
    """

    arcs: Tuple[Arc, ...]
    tops: Tuple[int, ...]
    frames: Tuple[str, ...]


def semantic_graph(tree: SyntaxTree) -> SyntheticGraph:
    """Returns the graph of a tree that the grammar has built, or could have built."""
    syntax = SyntaxIndex(tree)
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


def _predicate_arcs(syntax: "SyntaxIndex", position: int) -> Iterator[Arc]:
    if syntax.relations[position] in _AUXILIARIES:
        return
    if syntax.words[position].pos[0] == "N":
        copula = syntax.child(position, "cop")
        yield from _arc_if_any(copula, syntax.subject(position), "ARG1")
        yield Arc(copula, position, "ARG2")
    elif syntax.words[position].pos[0] == "J":
        yield from _arc_if_any(position, _described_noun(syntax, position), "ARG1")
    else:
        yield from _verb_arcs(syntax, position)


def _verb_arcs(syntax: "SyntaxIndex", verb: int) -> Iterator[Arc]:
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


def _described_noun(syntax: "SyntaxIndex", adjective: int) -> int:
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


def _coordination_arcs(syntax: "SyntaxIndex", first: int) -> Iterator[Arc]:
    """
    Yields the arcs between conjuncts: from each to the next within a list ("a, b and c"), otherwise
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


def _modifier_arcs(syntax: "SyntaxIndex", position: int) -> Iterator[Arc]:
    """Returns the arcs of a word that follow from its relation to its head (`_BY_RELATION`)."""
    arcs = _BY_RELATION.get(syntax.relations[position])
    return iter(()) if arcs is None else arcs(syntax, position)


def _to_head(role: str) -> Callable[["SyntaxIndex", int], Iterator[Arc]]:
    def arcs(syntax: "SyntaxIndex", position: int) -> Iterator[Arc]:
        yield Arc(position, syntax.heads[position], role)

    return arcs


def _adjective_to_conjuncts(syntax: "SyntaxIndex", position: int) -> Iterator[Arc]:
    """
    Yields the arcs from the adjective in "new films and plays" to the nouns after the first, if
    these have no modifiers before them. Its arc to the first noun is among `_predicate_arcs`.
    """
    for conjunct in syntax.children_by(syntax.heads[position], "conj"):
        bare = not syntax.child(conjunct, *_PREMODIFIERS)
        if bare and syntax.words[conjunct].pos[0] == "N":
            yield Arc(position, conjunct, "ARG1")


def _adverb(syntax: "SyntaxIndex", position: int) -> Iterator[Arc]:
    event = syntax.event(syntax.heads[position])
    yield Arc(position, event, "loc" if syntax.kind(position) in _SETTING else "ARG1")
    if syntax.kind(position) == "never":
        yield from _to_conjuncts_of_head(syntax, position, "ARG1")


def _negation(syntax: "SyntaxIndex", position: int) -> Iterator[Arc]:
    yield Arc(position, syntax.event(syntax.heads[position]), "neg")
    yield from _to_conjuncts_of_head(syntax, position, "neg")


def _to_conjuncts_of_head(syntax: "SyntaxIndex", position: int, role: str) -> Iterator[Arc]:
    """Yields the arcs from a negation to the verbs that share the auxiliaries of the first one."""
    for conjunct in syntax.children_by(syntax.heads[position], "conj"):
        if syntax.shares_auxiliaries(conjunct):
            yield Arc(position, syntax.event(conjunct), role)


def _preposition(syntax: "SyntaxIndex", position: int) -> Iterator[Arc]:
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


def _adverbial_clause(syntax: "SyntaxIndex", position: int) -> Iterator[Arc]:
    main, clause = syntax.event(syntax.heads[position]), syntax.event(position)
    link = syntax.child(position, "mark") or next(
        (child for child in syntax.children[position] if syntax.words[child].pos == "TO"), 0
    )
    if link:
        yield Arc(link, main, "ARG1")
        yield Arc(link, clause, "ARG2")
    else:
        yield Arc(clause, main, "subord")


def _apposition(syntax: "SyntaxIndex", position: int) -> Iterator[Arc]:
    yield Arc(syntax.heads[position], position, "appos")


_BY_RELATION: Dict[str, Callable[["SyntaxIndex", int], Iterator[Arc]]] = {
    "det": _to_head("BV"),
    "num": _to_head("ARG1"),
    "nn": _to_head("compound"),
    "poss": _to_head("poss"),
    "amod": _adjective_to_conjuncts,
    "advmod": _adverb,
    "tmod": _adverb,
    "neg": _negation,
    "prep": _preposition,
    "advcl": _adverbial_clause,
    "appos": _apposition,
}


# ---- Frames: the predicate names of words

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


# ---- The arguments of a predicate, from the syntactic tree


class SyntaxIndex:
    """
    Finds words in a syntactic tree: dependents, and the subject and the object of each predicate.
    This is where the tree determines the meaning of a sentence: relative clauses find their
    antecedent, infinitives and participles the subject that controls them, and coordinated verbs
    what they share. Positions count from 1; 0 means "none".

    # Parameters

    tree : `SyntaxTree`
    """

    def __init__(self, tree: SyntaxTree) -> None:
        #: With the artificial root first, so that positions are indices.
        self.words = (Word("", "", "ROOT"),) + tree.words
        self.heads = (0,) + tree.heads
        self.relations = ("",) + tree.relations
        self.children = tree.children()

    def subject(self, predicate: int) -> int:
        """Returns the surface subject. In a passive, this is the patient."""
        subject = self.child(predicate, *_SUBJECTS)
        if subject:
            return self._antecedent(predicate) if self._is_relative(subject) else subject
        relation, head = self.relations[predicate], self.heads[predicate]
        if relation == "vmod":
            return head
        if relation == "ccomp":
            return self._antecedent(head)
        if relation == "xcomp":
            return self._controller(head)
        return self.subject(head) if relation in ("conj", "advcl") else 0

    def object(self, predicate: int) -> int:
        """Returns the direct object, also if it is shared with a conjunct, or understood in a
        relative clause."""
        direct = self.child(predicate, "dobj")
        if direct:
            return self._antecedent(predicate) if self._is_relative(direct) else direct
        kind = self.kind(predicate)
        if self.is_passive(predicate) or kind not in _TRANSITIVE | _OBJECT_AND_CLAUSE:
            return 0
        head = self.heads[predicate]
        if self.relations[predicate] == "conj" and kind in _TRANSITIVE:
            shared = self.child(head, "dobj")
            if shared > predicate:
                return shared
        return self._antecedent(predicate)

    def event(self, position: int) -> int:
        """Returns the word that stands for what a clause says: the copula of a predicate noun, of
        anything else its head."""
        copula = self.child(position, "cop")
        return copula if copula and self.words[position].pos[0] == "N" else position

    def is_passive(self, verb: int) -> bool:
        """Returns whether a participle is passive, perhaps through a shared auxiliary."""
        if self.words[verb].pos != "VBN":
            return False
        if self.child(verb, "auxpass") or self.relations[verb] == "vmod":
            return True
        return self.shares_auxiliaries(verb) and self.is_passive(self.heads[verb])

    def shares_auxiliaries(self, conjunct: int) -> bool:
        """Returns whether a conjunct shares the auxiliaries and the negation of the first."""
        if self.relations[conjunct] != "conj" or self.child(conjunct, *_AUXILIARIES, *_SUBJECTS):
            return False
        return self.words[conjunct].pos in ("VB", "VBN", "JJ")

    def kind(self, position: int) -> str:
        """Returns the kind of a word in the lexicon, or an empty text."""
        entry = look_up(self.words[position])
        return entry.kind if entry else ""

    def child(self, position: int, *relations: str) -> int:
        """Returns the first dependent with one of these relations."""
        for child in self.children[position]:
            if self.relations[child] in relations:
                return child
        return 0

    def children_by(self, position: int, *relations: str) -> List[int]:
        """Returns the dependents with one of these relations, from left to right."""
        return [child for child in self.children[position] if self.relations[child] in relations]

    def _antecedent(self, predicate: int) -> int:
        """
        Returns the antecedent of the relative clause that this predicate heads, or is a complement
        in.
        """
        while self.relations[predicate] in ("ccomp", "xcomp"):
            predicate = self.heads[predicate]
        return self.heads[predicate] if self.relations[predicate] == "rcmod" else 0

    def _is_relative(self, position: int) -> bool:
        """Returns whether this is the "who", "whom", "which" or "that" of a relative clause."""
        return self.words[position].pos in ("WP", "WDT")

    def _controller(self, verb: int) -> int:
        """Returns the subject of the infinitive that complements this verb."""
        if self.kind(verb) == "persuade" and not self.is_passive(verb):
            return self.object(verb)
        return self.subject(verb)
