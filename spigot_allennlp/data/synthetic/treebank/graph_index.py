"""The arcs of a semantic graph by their ends, and the words with what the lexicon knows of them."""

from typing import Dict, List, Sequence, Set, Tuple

from spigot_allennlp.data.synthetic.treebank.entries import Word
from spigot_allennlp.data.synthetic.treebank.function_words import SUBORDINATORS
from spigot_allennlp.data.synthetic.treebank.lexicon import look_up
from spigot_allennlp.data.synthetic.treebank.semantic_graph import CLAUSE_ROLES, SemanticGraph


class GraphIndex:
    """
    One graph. Positions count from 1.

    # Parameters

    words : `Sequence[Word]`
    graph : `SemanticGraph`
    """

    def __init__(self, words: Sequence[Word], graph: SemanticGraph) -> None:
        self._words = words
        self._entries = [look_up(word) for word in words]
        self._arguments: Dict[int, List[Tuple[int, str]]] = {}
        self._predicates: Dict[int, List[Tuple[int, str]]] = {}
        for predicate, argument, role in graph.arcs:
            self._arguments.setdefault(predicate, []).append((argument, role))
            self._predicates.setdefault(argument, []).append((predicate, role))
        self._span = range(len(words) + 1)

    def within(self, span: range) -> "GraphIndex":
        """The part of the graph whose arcs have both ends in `span`; its arcs are asked for only
        from positions in `span`."""
        part = object.__new__(GraphIndex)
        part.__dict__.update(self.__dict__, _span=span)
        return part

    def word(self, position: int) -> Word:
        """The word at a position."""
        return self._words[position - 1]

    def kind(self, position: int) -> str:
        """The kind that the lexicon gives the word, or nothing."""
        entry = self._entries[position - 1]
        return entry.kind if entry else ""

    def polarity(self, position: int) -> int:
        """The polarity that the lexicon gives the word, or 0."""
        entry = self._entries[position - 1]
        return entry.polarity if entry else 0

    def arguments(self, position: int, *roles: str) -> List[int]:
        """What the word has in these roles."""
        span, ends = self._span, self._arguments.get(position, ())
        return [argument for argument, role in ends if role in roles and argument in span]

    def predicates(self, position: int, *roles: str) -> List[int]:
        """The words for which this one has one of these roles."""
        span, ends = self._span, self._predicates.get(position, ())
        return [predicate for predicate, role in ends if role in roles and predicate in span]

    def roles(self, position: int) -> List[Tuple[int, str]]:
        """The predicates of the word, with its role for each."""
        return [end for end in self._predicates.get(position, ()) if end[0] in self._span]

    def clause(self, position: int) -> int:
        """The clause that a verb of raising, control or attribution takes, or 0."""
        role = CLAUSE_ROLES.get(self.kind(position))
        return next(iter(self.arguments(position, role)), 0) if role else 0

    def embedding(self, position: int) -> int:
        """The verb whose clause this is, or 0."""
        for predicate, _ in self.roles(position):
            if self.clause(predicate) == position:
                return predicate
        return 0

    def conjuncts(self, position: int) -> List[Tuple[int, str]]:
        """What is coordinated with the word, each with the conjunction."""
        return [
            (argument, role)
            for argument, role in self._arguments.get(position, ())
            if (role == "conj" or role.endswith("_c")) and argument in self._span
        ]

    def subordinates(self, position: int) -> List[int]:
        """The clauses with "although", "because" and the like that are added to this one."""
        links = (p for p in self.predicates(position, "ARG1") if self.word(p).form in SUBORDINATORS)
        return [clause for link in links for clause in self.arguments(link, "ARG2")]

    def said(self, top: int) -> Set[int]:
        """The events that are told from `top` on, in distinction to those in relative clauses."""
        told: Set[int] = set()
        waiting = [top]
        while waiting:
            event = waiting.pop()
            if event and event not in told:
                told.add(event)
                waiting.append(self.clause(event))
                waiting.extend(conjunct for conjunct, _ in self.conjuncts(event))
                waiting.extend(self.subordinates(event))
                waiting.extend(self.predicates(event, "subord"))
                for link in self.predicates(event, "ARG1"):
                    if self.word(link).pos == "TO":
                        waiting.extend(self.arguments(link, "ARG2"))
        return told
