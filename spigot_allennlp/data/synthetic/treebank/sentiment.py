"""
The sentiment of a semantic graph: from -2, very negative, to 2, very positive.

The meaning is followed from the top through the graph, since the words alone do not determine it:

* A verb or an adjective that judges has the polarity in the lexicon, whatever its arguments.
* Doing good to a villain is bad, and doing harm to a villain is good (the +/-effect events of [Deng
  and Wiebe 2014](https://aclanthology.org/E14-1040)): an argument that is seen as bad reverses the
  polarity of such a verb. The same holds for the fate of someone who wins or loses. Whom the verb
  affects depends on voice, control, raising and relative clauses.
* A verb that takes a clause has the clause's polarity, or reverses it ("fail", "deny").
* Any other verb is as good as its participants are said to be, and the way it is done.
* Negation, "never" and "no" reverse and weaken what is in their scope.
* If two clauses are joined by "and" or "or", both count; with "but", only the second. A main clause
  wins over one with "although" or "because", unless the main clause is neutral.
* How a person or thing is seen depends on the noun, its adjectives, its relative clause (someone
  who ruined the film is bad, something that bored the critic is bad, someone who was bored is not),
  and on what it is "with".
"""

from functools import cached_property
from typing import Dict, FrozenSet, List, NamedTuple, Sequence, Set

from spigot_allennlp.data.formats.sst import SentimentTree
from spigot_allennlp.data.synthetic.treebank.function_words import SUBORDINATORS
from spigot_allennlp.data.synthetic.treebank.lexicon import Word, look_up
from spigot_allennlp.data.synthetic.treebank.semantic_graph import (
    CLAUSE_ROLES,
    SyntaxIndex,
    SyntheticGraph,
)
from spigot_allennlp.data.synthetic.treebank.tree import SyntaxTree

#: The maximum sentiment. The minimum is its negative.
STRONGEST = 2

_STANCES = frozenset(("hero", "villain"))
#: The argument that decides whether the meaning of a verb of effect is good or bad.
_AFFECTED = {"effect": "ARG2", "property": "ARG2", "fate": "ARG1"}
#: The argument that a verb in a relative clause makes appear good or bad.
_DESCRIBED = {"evaluation": "ARG2", "stimulus": "ARG1", "effect": "ARG1", "property": "ARG1"}
_DESCRIBED["be"] = "ARG1"
_CORE = ("ARG1", "ARG2", "ARG3")
_NOTHING: FrozenSet[int] = frozenset()


def sentiment(words: Sequence[Word], graph: SyntheticGraph) -> int:
    """Returns the sentiment of a sentence, from -2 to 2."""
    top = graph.tops[0]
    return _Evaluator(_GraphIndex(words, graph), top).value(top)


def sentiment_tree(tree: SyntaxTree, graph: SyntheticGraph) -> SentimentTree:
    """
    Returns the binary tree of a sentence, with the sentiment of every phrase from 0, very negative,
    to 4, very positive.

    The phrases follow the syntactic tree: a head is first joined with its dependents on the right,
    from near to far, then with those on the left. A phrase is judged by the arcs of the semantic
    graph within it, regardless of a negation, a concession or a relative clause outside.
    """
    return _Phrases(tree, graph).phrase_of(tree.root).tree


class _Evaluator:
    """
    Computes the sentiment of the words of a graph.

    In all methods, `visited` holds the words that the recursion came from, and must not return to.

    # Parameters

    graph : `_GraphIndex`
    top : `int`
        The position of the word that represents the sentence or phrase.
    """

    def __init__(self, graph: "_GraphIndex", top: int) -> None:
        self._graph = graph
        self._top = top

    @cached_property
    def _main_events(self) -> Set[int]:
        """Returns the events of the main clauses."""
        return self._graph.main_events(self._top)

    def value(self, position: int, visited: FrozenSet[int] = _NOTHING) -> int:
        """Returns the sentiment of a word, including everything connected to it in the graph."""
        if position in visited:
            return 0
        word = self._graph.word(position)
        if word.pos[0] in "VJ":
            return self._clause_value(position, visited)
        if word.pos[0] in "NP":
            return self._noun_value(position, visited, stance=True)
        if word.pos in ("IN", "TO"):
            return self._link_value(position, visited | {position}, stance=True)
        return self._graph.polarity(position)

    def _clause_value(self, event: int, visited: FrozenSet[int]) -> int:
        """Judges an event, including those coordinated with it or subordinate to it."""
        within = visited | {event}
        value, contrast = self._event_value(event, visited), 0
        for conjunct in self._graph.conjuncts(event):
            if conjunct.role == "_but_c":
                contrast = contrast or self.value(conjunct.position, within)
            else:
                value += self.value(conjunct.position, within)
        value = contrast or value
        for clause in self._graph.subordinates(event):
            value = value or self.value(clause, within)
        return _bounded(value)

    def _event_value(self, event: int, visited: FrozenSet[int]) -> int:
        """Judges an event alone, with its negation."""
        core = self._graph.arguments(event, *_CORE)
        # "Nobody" reverses an event, and does not count again in the clauses within it.
        nobody = [noun for noun in core if noun not in visited and self._is_none(noun)]
        value = self._value_without_negation(event, visited.union(nobody, (event,)))
        modifiers = self._graph.predicates(event, "ARG1")
        if any(self._graph.kind(modifier) == "degree" for modifier in modifiers):
            value += _sign(value)
        never = sum(self._graph.kind(modifier) == "never" for modifier in modifiers)
        negations = never + len(nobody) + len(self._graph.predicates(event, "neg"))
        return _negated(value, negations)

    def _value_without_negation(self, event: int, visited: FrozenSet[int]) -> int:
        """Judges an event by its verb or adjective, and by the deciding argument."""
        kind, polarity = self._graph.kind(event), self._graph.polarity(event)
        if kind in CLAUSE_ROLES:
            clause = self._graph.clause(event)
            # If a phrase does not include the clause, "said" is neutral, and "denied" negative.
            return polarity * self.value(clause, visited) if clause else min(polarity, 0)
        if kind == "be":
            return sum(self.value(noun, visited) for noun in self._graph.arguments(event, "ARG2"))
        if kind in _AFFECTED:
            affected = self._graph.arguments(event, _AFFECTED[kind])
            bad = sum(self._noun_value(noun, visited, stance=True) for noun in affected) < 0
            return -polarity if bad else polarity
        return polarity or self._value_of_circumstances(event, visited)

    def _value_of_circumstances(self, event: int, visited: FrozenSet[int]) -> int:
        """Judges a verb without polarity by its participants, and by how it is done."""
        value = sum(
            self._noun_value(noun, visited, stance=False)
            for noun in self._graph.arguments(event, *_CORE)
            if noun not in visited
        )
        for modifier in self._graph.predicates(event, "ARG1"):
            if self._graph.kind(modifier) == "manner":
                value += self._graph.polarity(modifier)
            elif self._graph.word(modifier).pos == "IN":
                value += self._link_value(modifier, visited | {modifier}, stance=False)
        return _bounded(value)

    def _link_value(self, link: int, visited: FrozenSet[int], stance: bool) -> int:
        """Judges what a preposition or a subordinator introduces."""
        value = 0
        for end in self._graph.arguments(link, "ARG2"):
            is_noun = self._graph.word(end).pos[0] in "NP"
            value += self._noun_value(end, visited, stance) if is_noun else self.value(end, visited)
        return -value if self._graph.word(link).lemma == "without" else value

    def _noun_value(self, noun: int, visited: FrozenSet[int], stance: bool) -> int:
        """Returns how a person or thing is seen; if `stance`, also by the noun "hero" or the like
        itself."""
        if noun in visited:
            return 0
        visited = visited | {noun}
        value = self._graph.polarity(noun)
        if self._graph.kind(noun) in _STANCES and not stance:
            value = 0
        value += sum(
            self._event_value(event, visited) for event in self._descriptions(noun, visited)
        )
        for link in self._graph.predicates(noun, "ARG1"):
            if self._graph.word(link).lemma in ("with", "without"):
                value += self._link_value(link, visited | {link}, stance=False)
        for conjunct in self._graph.conjuncts(noun):
            value += self._noun_value(conjunct.position, visited, stance)
        for other in self._graph.arguments(noun, "appos"):
            value += self._noun_value(other, visited, stance)
        return _bounded(value)

    def _descriptions(self, noun: int, visited: FrozenSet[int]) -> Set[int]:
        """Returns the adjectives of a noun, and the events of its relative clauses that let it
        appear as good or bad."""
        events: Set[int] = set()
        for event, role in self._graph.roles(noun):
            describes = self._graph.word(event).pos[0] == "J"
            describes = describes or _DESCRIBED.get(self._graph.kind(event)) == role
            if describes and event not in self._main_events and event not in visited:
                outer = self._graph.embedding(event)
                while outer and outer not in self._main_events:
                    event, outer = outer, self._graph.embedding(outer)
                events.add(event)
        return events

    def _is_none(self, noun: int) -> bool:
        """Returns whether a noun is "nobody" or "nothing", or has the determiner "no"."""
        if self._graph.word(noun).lemma in ("nobody", "nothing"):
            return True
        return any(
            self._graph.word(determiner).lemma == "no"
            for determiner in self._graph.predicates(noun, "BV")
        )


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


def _bounded(value: int) -> int:
    return max(-STRONGEST, min(STRONGEST, value))


def _negated(value: int, times: int) -> int:
    """Negation weakens what it reverses: "not superb" is just bad."""
    for _ in range(times):
        value = -_sign(value)
    return _bounded(value)


class _Phrase(NamedTuple):
    """A phrase with its sentiment, and the positions of its words."""

    tree: SentimentTree
    span: range


class _Phrases:
    """Builds the phrases of a sentence, each with its sentiment."""

    def __init__(self, tree: SyntaxTree, graph: SyntheticGraph) -> None:
        self._words = tree.words
        self._syntax = SyntaxIndex(tree)
        self._frames = graph.frames
        self._graph = _GraphIndex(tree.words, graph)

    def phrase_of(self, head: int) -> _Phrase:
        """Returns the phrase of a word with all its dependents."""
        span = range(head, head + 1)
        tree = SentimentTree(self._label(head, span), self._words[head - 1].form)
        children = self._syntax.children[head]
        nearest_left = [child for child in reversed(children) if child < head]
        for child in [child for child in children if child > head] + nearest_left:
            other = self.phrase_of(child)
            parts = (tree, other.tree) if child > head else (other.tree, tree)
            span = range(min(span.start, other.span.start), max(span.stop, other.span.stop))
            # A word that is not a node of the graph changes nothing.
            is_neutral = len(other.span) == 1 and self._frames[child - 1] == "_"
            label = tree.label if is_neutral else self._label(head, span)
            tree = SentimentTree(label, children=parts)
        return _Phrase(tree, span)

    def _label(self, head: int, span: range) -> int:
        top = self._syntax.event(head)
        if top not in span:
            top = head
        self._graph.span = span
        return _Evaluator(self._graph, top).value(top) + STRONGEST


class _End(NamedTuple):
    """The word at the other end of an arc, and the role of the arc."""

    position: int
    role: str


class _GraphIndex:
    """
    Finds the arcs of a graph by their ends, and the lexicon entries of its words. Positions count
    from 1; 0 means "none".

    # Parameters

    words : `Sequence[Word]`
    graph : `SyntheticGraph`
    """

    def __init__(self, words: Sequence[Word], graph: SyntheticGraph) -> None:
        self._words = words
        self._entries = [look_up(word) for word in words]
        self._arguments: Dict[int, List[_End]] = {}
        self._predicates: Dict[int, List[_End]] = {}
        for predicate, argument, role in graph.arcs:
            self._arguments.setdefault(predicate, []).append(_End(argument, role))
            self._predicates.setdefault(argument, []).append(_End(predicate, role))
        #: Arcs that leave these positions are ignored: at first those of the sentence, then those
        #: of the phrase to judge, set by `_Phrases`.
        self.span = range(len(words) + 1)

    def word(self, position: int) -> Word:
        """Returns the word at a position."""
        return self._words[position - 1]

    def kind(self, position: int) -> str:
        """Returns the kind of the word in the lexicon, or an empty text."""
        entry = self._entries[position - 1]
        return entry.kind if entry else ""

    def polarity(self, position: int) -> int:
        """Returns the polarity of the word in the lexicon, or 0."""
        entry = self._entries[position - 1]
        return entry.polarity if entry else 0

    def arguments(self, position: int, *roles: str) -> List[int]:
        """Returns the arguments of the word in these roles."""
        span, ends = self.span, self._arguments.get(position, ())
        return [argument for argument, role in ends if role in roles and argument in span]

    def predicates(self, position: int, *roles: str) -> List[int]:
        """Returns the predicates that have the word in one of these roles."""
        span, ends = self.span, self._predicates.get(position, ())
        return [predicate for predicate, role in ends if role in roles and predicate in span]

    def roles(self, position: int) -> List[_End]:
        """Returns all predicates of the word, each with the word's role."""
        span, ends = self.span, self._predicates.get(position, ())
        return [end for end in ends if end.position in span]

    def conjuncts(self, position: int) -> List[_End]:
        """Returns the words that are coordinated with this one, each with its conjunction."""
        ends = self._arguments.get(position)
        if ends is None:
            return []
        span = self.span
        return [
            end
            for end in ends
            if end.position in span and (end.role == "conj" or end.role.endswith("_c"))
        ]

    def clause(self, position: int) -> int:
        """Returns the clause that a verb of raising, control or attribution takes, or 0."""
        role = CLAUSE_ROLES.get(self.kind(position))
        return next(iter(self.arguments(position, role)), 0) if role else 0

    def embedding(self, position: int) -> int:
        """Returns the verb that takes this clause, or 0."""
        for predicate, _ in self.roles(position):
            if self.clause(predicate) == position:
                return predicate
        return 0

    def subordinates(self, position: int) -> List[int]:
        """Returns the clauses with "although", "because" and the like that depend on this one."""
        return [
            clause
            for link in self.predicates(position, "ARG1")
            if self.word(link).form in SUBORDINATORS
            for clause in self.arguments(link, "ARG2")
        ]

    def main_events(self, top: int) -> Set[int]:
        """Returns the events that can be reached from `top` without entering a relative clause."""
        events: Set[int] = set()
        pending = [top]
        while pending:
            event = pending.pop()
            if event and event not in events:
                events.add(event)
                pending.append(self.clause(event))
                pending.extend(conjunct.position for conjunct in self.conjuncts(event))
                pending.extend(self.subordinates(event))
                pending.extend(self.predicates(event, "subord"))
                for link in self.predicates(event, "ARG1"):
                    if self.word(link).pos == "TO":
                        pending.extend(self.arguments(link, "ARG2"))
        return events
