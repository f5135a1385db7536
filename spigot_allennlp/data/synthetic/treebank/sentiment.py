"""
The sentiment of a semantic graph: from -2, very negative, to 2, very positive.

What the sentence says is followed from the top through the graph; the words alone do not tell:

* A verb or an adjective that judges has its own polarity, whatever its arguments are.
* Doing good to a villain is bad, and doing harm to one is good (the +/-effect events of
  [Deng and Wiebe 2014](https://aclanthology.org/E14-1040)): the polarity of such a verb is turned
  round by an argument that is seen as bad. So is the fate of who wins or loses. Whom the verb is
  about is a matter of voice, control, raising and relative clauses.
* A verb that takes a clause has the clause's polarity, or turns it round ("fail", "deny").
* Any other verb is as good as what takes part in it is said to be, and how it is done.
* Negation, "never" and "no" turn round what they have scope over, and weaken it.
* Of two clauses joined by "and" or "or" both count; "but" gives the word to the second. A main
  clause wins over one with "although" or "because", unless it is neutral itself.
* How a person or thing is seen depends on the noun, its adjectives, its relative clause (who ruined
  the film is bad, what bored the critic is bad, who was bored is not), and on what it is "with".
"""

from functools import cached_property
from typing import FrozenSet, Sequence, Set

from spigot_allennlp.data.synthetic.treebank.entries import Word
from spigot_allennlp.data.synthetic.treebank.graph_index import GraphIndex
from spigot_allennlp.data.synthetic.treebank.semantic_graph import CLAUSE_ROLES, SemanticGraph

STRONGEST = 2

_STANCES = frozenset(("hero", "villain"))
#: The argument that decides whether what a verb of effect says is good or bad.
_AFFECTED = {"effect": "ARG2", "property": "ARG2", "fate": "ARG1"}
#: The argument on which a verb in a relative clause throws its light.
_SEEN_THROUGH = {"evaluation": "ARG2", "stimulus": "ARG1", "effect": "ARG1", "property": "ARG1"}
_SEEN_THROUGH["be"] = "ARG1"
_CORE = ("ARG1", "ARG2", "ARG3")
_NOTHING: FrozenSet[int] = frozenset()


def sentiment(words: Sequence[Word], graph: SemanticGraph) -> int:
    """What the sentence says, from -2 to 2."""
    return Judge(GraphIndex(words, graph), graph.tops[0]).value(graph.tops[0])


class Judge:
    """
    The sentiment of the words of one graph.

    # Parameters

    graph : `GraphIndex`
    top : `int`
        The position from which the sentence is told.
    """

    def __init__(self, graph: GraphIndex, top: int) -> None:
        self._graph = graph
        self._top = top

    @cached_property
    def _said(self) -> Set[int]:
        return self._graph.said(self._top)

    def value(self, position: int, seen: FrozenSet[int] = _NOTHING) -> int:
        """
        What a word says together with all that the graph ties to it, from -2 to 2.

        # Parameters

        position : `int`
        seen : `FrozenSet[int]`, optional
            The words that have asked for this one, and are not asked back.
        """
        if position in seen:
            return 0
        word = self._graph.word(position)
        if word.pos[0] in "VJ":
            return self._clause(position, seen)
        if word.pos[0] in "NP":
            return self._view(position, seen, stance=True)
        if word.pos in ("IN", "TO"):
            return self._linked(position, seen | {position}, stance=True)
        return self._graph.polarity(position)

    def _clause(self, event: int, seen: FrozenSet[int]) -> int:
        """An event, with those that are coordinated with it or subordinate to it."""
        told = seen | {event}
        value, contrast = self._event(event, seen), 0
        for conjunct, role in self._graph.conjuncts(event):
            if role == "_but_c":
                contrast = contrast or self.value(conjunct, told)
            else:
                value += self.value(conjunct, told)
        value = contrast or value
        for clause in self._graph.subordinates(event):
            value = value or self.value(clause, told)
        return _bounded(value)

    def _event(self, event: int, seen: FrozenSet[int]) -> int:
        """An event by itself, with its negation."""
        core = self._graph.arguments(event, *_CORE)
        # Who turns round an event is not counted again in the clauses within it.
        nobody = [noun for noun in core if noun not in seen and self._is_none(noun)]
        value = self._unnegated(event, seen.union(nobody, (event,)))
        modifiers = self._graph.predicates(event, "ARG1")
        if any(self._graph.kind(modifier) == "degree" for modifier in modifiers):
            value += _sign(value)
        never = sum(self._graph.kind(modifier) == "never" for modifier in modifiers)
        negations = never + len(nobody) + len(self._graph.predicates(event, "neg"))
        return _negated(value, negations)

    def _unnegated(self, event: int, seen: FrozenSet[int]) -> int:
        kind, polarity = self._graph.kind(event), self._graph.polarity(event)
        if kind in CLAUSE_ROLES:
            clause = self._graph.clause(event)
            # Where a phrase is too short for the clause, "said" says nothing, and "denied" no.
            return polarity * self.value(clause, seen) if clause else min(polarity, 0)
        if kind == "be":
            return sum(self.value(noun, seen) for noun in self._graph.arguments(event, "ARG2"))
        if kind in _AFFECTED:
            affected = self._graph.arguments(event, _AFFECTED[kind])
            bad = sum(self._view(noun, seen, stance=True) for noun in affected) < 0
            return -polarity if bad else polarity
        return polarity or self._circumstances(event, seen)

    def _circumstances(self, event: int, seen: FrozenSet[int]) -> int:
        """Of a verb without polarity: what takes part, and how it is done."""
        value = sum(
            self._view(noun, seen, stance=False)
            for noun in self._graph.arguments(event, *_CORE)
            if noun not in seen
        )
        for modifier in self._graph.predicates(event, "ARG1"):
            if self._graph.kind(modifier) == "manner":
                value += self._graph.polarity(modifier)
            elif self._graph.word(modifier).pos == "IN":
                value += self._linked(modifier, seen | {modifier}, stance=False)
        return _bounded(value)

    def _linked(self, link: int, seen: FrozenSet[int], stance: bool) -> int:
        """What a preposition or a subordinator brings in."""
        value = 0
        for end in self._graph.arguments(link, "ARG2"):
            is_noun = self._graph.word(end).pos[0] in "NP"
            value += self._view(end, seen, stance) if is_noun else self.value(end, seen)
        return -value if self._graph.word(link).lemma == "without" else value

    def _view(self, noun: int, seen: FrozenSet[int], stance: bool) -> int:
        """How a person or thing is seen; with or without the stance that the noun itself takes."""
        if noun in seen:
            return 0
        seen = seen | {noun}
        value = self._graph.polarity(noun)
        if self._graph.kind(noun) in _STANCES and not stance:
            value = 0
        value += sum(self._event(event, seen) for event in self._told_of(noun, seen))
        for link in self._graph.predicates(noun, "ARG1"):
            if self._graph.word(link).lemma in ("with", "without"):
                value += self._linked(link, seen | {link}, stance=False)
        for other, _ in self._graph.conjuncts(noun):
            value += self._view(other, seen, stance)
        for other in self._graph.arguments(noun, "appos"):
            value += self._view(other, seen, stance)
        return _bounded(value)

    def _told_of(self, noun: int, seen: FrozenSet[int]) -> Set[int]:
        """The adjectives of a noun, and the events of its relative clauses that tell on it."""
        events: Set[int] = set()
        for event, role in self._graph.roles(noun):
            tells = self._graph.word(event).pos[0] == "J"
            tells = tells or _SEEN_THROUGH.get(self._graph.kind(event)) == role
            if tells and event not in self._said and event not in seen:
                outer = self._graph.embedding(event)
                while outer and outer not in self._said:
                    event, outer = outer, self._graph.embedding(outer)
                events.add(event)
        return events

    def _is_none(self, noun: int) -> bool:
        if self._graph.word(noun).lemma in ("nobody", "nothing"):
            return True
        return any(self._graph.word(d).lemma == "no" for d in self._graph.predicates(noun, "BV"))


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


def _bounded(value: int) -> int:
    return max(-STRONGEST, min(STRONGEST, value))


def _negated(value: int, times: int) -> int:
    """Negation weakens what it turns round: "not superb" is just bad."""
    for _ in range(times):
        value = -_sign(value)
    return _bounded(value)
